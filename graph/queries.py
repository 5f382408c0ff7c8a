"""Product questions to the graph: how to be introduced to somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.principal import Principal
from graph.schema import EdgeType
from graph.store import Adapter, Edge, GraphStore, Node, Path


class LinkKind(StrEnum):
    """How two neighbours of a chain belong together."""

    KNOWS = "knows"
    WRITES_WITH = "writes_with"
    COLLEAGUE_OF = "colleague_of"
    WORKS_AT = "works_at"


@dataclass(frozen=True)
class Link:
    """One sentence of an introduction: `one` ... `other`, colleagues `at` a company; and the facts it rests on."""

    kind: LinkKind
    one: Node
    other: Node
    at: Node | None
    fact_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Introduction:
    """A chain from one of us to the target: "You know Anna, who works with Tomas at Brindle". Empty: no chain.

    `strength` is the product of the strengths of its relations.
    """

    links: tuple[Link, ...]
    strength: float
    answered_by: Adapter
    is_copy: bool


async def introduction(
    graph: GraphStore, principal: Principal, target: UUID, *, sources: Sequence[UUID] = ()
) -> Introduction:
    """How one of the sources, or any user, could be introduced to a person or company."""
    answer = await graph.warm_path(principal, target, sources=sources)
    links = _links(answer.path) if answer.path else ()
    strength = answer.path.strength if answer.path else 0.0
    return Introduction(links, strength, answer.answered_by, answer.is_copy)


def _links(path: Path) -> tuple[Link, ...]:
    """One link per relation; two employments at one company in a row are one: colleagues."""
    links: list[Link] = []
    place = 0
    while place < path.hops:
        edge = path.edges[place]
        one, other = path.nodes[place], path.nodes[place + 1]
        following = path.edges[place + 1] if place + 1 < path.hops else None
        if _are_employments(edge, following) and following is not None and edge.target == other.id:
            facts = (edge.fact_id, following.fact_id)
            links.append(Link(LinkKind.COLLEAGUE_OF, one, path.nodes[place + 2], other, facts))
            place += 2
        else:
            links.append(Link(_kind(edge), one, other, None, (edge.fact_id,)))
            place += 1
    return tuple(links)


def _are_employments(edge: Edge, following: Edge | None) -> bool:
    return following is not None and edge.type == following.type == EdgeType.WORKS_AT


def _kind(edge: Edge) -> LinkKind:
    return {
        EdgeType.KNOWS: LinkKind.KNOWS,
        EdgeType.INTERACTED: LinkKind.WRITES_WITH,
        EdgeType.WORKS_AT: LinkKind.WORKS_AT,
    }[EdgeType(edge.type)]
