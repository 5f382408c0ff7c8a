"""Tools over the relationship graph: who is near somebody, and who could introduce us."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from core.trust import Trust
from crm.facts.queries import list_facts_by_id
from graph.store import MAX_HOPS, Edge, GraphAway, Neighbourhood, Node
from tools.base import Arguments, Risk, Source, ToolContext, ToolFailed, tool
from tools.facts import FactCard, fact_card

AWAY = "The relationship graph does not answer; go on without it."


@dataclass(frozen=True)
class NodeView:
    """A person, company or user (a colleague)."""

    id: UUID
    label: str
    name: str


@dataclass(frozen=True)
class EdgeView:
    """WORKS_AT, KNOWS or INTERACTED, from `source_id` to `target_id`; strength between 0 and 1."""

    type: str
    source_id: UUID
    target_id: UUID
    strength: float
    valid_from: datetime
    valid_to: datetime | None
    source: Source


@dataclass(frozen=True)
class NeighbourhoodView:
    """`is_cut` says that there is more than is shown; `is_copy` that the graph is away and its copy answered."""

    center_id: UUID
    nodes: list[NodeView]
    edges: list[EdgeView]
    is_cut: bool
    is_copy: bool


class RelationshipNeighbourhood(Arguments):
    entity_id: UUID = Field(description="The id of a contact, company or colleague.")
    hops: int = Field(1, ge=1, le=2)
    limit: int = Field(15, ge=1, le=50, description="How many relations of each, the strongest first.")


@tool(scope="graph:read", risk=Risk.READ, tx=False, returns_untrusted=True)
async def relationship_neighbourhood(ctx: ToolContext, args: RelationshipNeighbourhood) -> NeighbourhoodView:
    """Who works where, who knows whom and who has been in touch around a person or company."""
    try:
        found = await ctx.graph.neighbourhood(ctx.principal, args.entity_id, hops=args.hops, limit=args.limit)
    except GraphAway as err:
        raise ToolFailed(AWAY) from err
    return neighbourhood_view(found)


def neighbourhood_view(found: Neighbourhood) -> NeighbourhoodView:
    return NeighbourhoodView(
        center_id=found.center,
        nodes=[_node(node) for node in found.nodes],
        edges=[_edge(edge) for edge in found.edges],
        is_cut=found.is_cut,
        is_copy=found.is_copy,
    )


@dataclass(frozen=True)
class IntroductionView:
    """The chain from a colleague to the target, empty when there is none; `facts` are what it rests on."""

    nodes: list[NodeView]
    edges: list[EdgeView]
    facts: list[FactCard]
    strength: float
    is_copy: bool


class FindIntroduction(Arguments):
    target_id: UUID = Field(description="The id of the contact or company to be introduced to.")
    from_id: UUID | None = Field(
        None, description="The id of the colleague or contact to start from, if not any."
    )
    max_hops: int = Field(MAX_HOPS, ge=1, le=MAX_HOPS)


@tool(scope="graph:read", risk=Risk.READ, tx=False, returns_untrusted=True)
async def find_introduction(ctx: ToolContext, args: FindIntroduction) -> IntroductionView:
    """The shortest chain of people who know each other from us to a person or company."""
    sources = (args.from_id,) if args.from_id else ()
    try:
        answer = await ctx.graph.warm_path(
            ctx.principal, args.target_id, sources=sources, max_hops=args.max_hops
        )
    except GraphAway as err:
        raise ToolFailed(AWAY) from err
    if answer.path is None:
        return IntroductionView([], [], [], strength=0, is_copy=answer.is_copy)
    async with ctx.short_tx() as tx:
        by_id = {UUID(str(fact.id)): fact for fact in await list_facts_by_id(tx, answer.path.fact_ids)}
    return IntroductionView(
        nodes=[_node(node) for node in answer.path.nodes],
        edges=[_edge(edge) for edge in answer.path.edges],
        facts=[fact_card(by_id[fact_id]) for fact_id in answer.path.fact_ids if fact_id in by_id],
        strength=answer.path.strength,
        is_copy=answer.is_copy,
    )


@dataclass(frozen=True)
class AcquaintanceView:
    user: NodeView
    person: NodeView
    tie: EdgeView


@dataclass(frozen=True)
class AcquaintanceList:
    acquaintances: list[AcquaintanceView]
    is_copy: bool


class WhoKnows(Arguments):
    company_id: UUID
    limit: int = Field(10, ge=1, le=25)


@tool(scope="graph:read", risk=Risk.READ, tx=False, returns_untrusted=True)
async def who_knows(ctx: ToolContext, args: WhoKnows) -> AcquaintanceList:
    """Which of our colleagues know somebody at a company, the closest first."""
    try:
        answer = await ctx.graph.who_knows(ctx.principal, args.company_id, limit=args.limit)
    except GraphAway as err:
        raise ToolFailed(AWAY) from err
    found = [AcquaintanceView(_node(one.user), _node(one.person), _edge(one.tie)) for one in answer.found]
    return AcquaintanceList(found, answer.is_copy)


def _node(node: Node) -> NodeView:
    return NodeView(node.id, node.label, node.name)


def _edge(edge: Edge) -> EdgeView:
    return EdgeView(
        type=edge.type,
        source_id=edge.source,
        target_id=edge.target,
        strength=edge.weight,
        valid_from=edge.valid_from,
        valid_to=edge.valid_to,
        source=Source("fact", edge.fact_id, Trust(edge.trust)),
    )
