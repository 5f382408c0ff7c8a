"""The graph as the rest of the product sees it: `GraphStore` answers questions, `Projection` is also written to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from core.principal import Principal
from graph.schema import EdgeType, Label

MAX_HOPS = 4
# More than this around one node is no picture any more; also the bound on what a hub costs.
MAX_NEIGHBOURS = 100


class Adapter(StrEnum):
    NEO4J = "neo4j"
    POSTGRES = "postgres"


class GraphAway(Exception):
    """The adapter's server does not answer, or not in time."""


class GraphSlow(GraphAway):
    """The server is well but gave up on this one question."""


@dataclass(frozen=True)
class Node:
    """A contact, company or user; `id` is its id in the CRM."""

    id: UUID
    label: Label
    name: str


@dataclass(frozen=True)
class Edge:
    """The relation that a fact states, from its subject `source` to its object `target`.

    `weight` is the fact's strength between 0 and 1; `trust` is confirmed or quarantined.
    """

    fact_id: UUID
    type: EdgeType
    source: UUID
    target: UUID
    weight: float
    trust: str
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True)
class Neighbourhood:
    """What surrounds a node: the strongest relations first. Quarantined ones are in it, marked by their trust.

    `is_cut` says that there are more relations than were asked for. `nodes` is empty when the graph does not know
    the center. `is_copy` says that the graph is away and its copy answered.
    """

    center: UUID
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    is_cut: bool
    answered_by: Adapter
    is_copy: bool = False


@dataclass(frozen=True)
class Path:
    """A chain of nodes, `edges[i]` between `nodes[i]` and `nodes[i + 1]` in either direction."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def hops(self) -> int:
        return len(self.edges)

    @property
    def strength(self) -> float:
        product = 1.0
        for edge in self.edges:
            product *= edge.weight
        return product

    @property
    def fact_ids(self) -> tuple[UUID, ...]:
        return tuple(edge.fact_id for edge in self.edges)


@dataclass(frozen=True)
class PathAnswer:
    """The best chain, or None when there is none of that length."""

    path: Path | None
    answered_by: Adapter
    is_copy: bool = False


@dataclass(frozen=True)
class Acquaintance:
    """`user` knows `person`, who works at the company that was asked about."""

    user: Node
    person: Node
    tie: Edge
    employment: Edge


@dataclass(frozen=True)
class Acquaintances:
    found: tuple[Acquaintance, ...]
    answered_by: Adapter
    is_copy: bool = False


class GraphStore(Protocol):
    """Questions to the graph of the principal's organization; each is one round trip.

    Only what holds now counts. Paths and acquaintances rest on confirmed relations alone.
    Every question raises Forbidden when the principal may not read facts.
    """

    async def neighbourhood(
        self, principal: Principal, node_id: UUID, *, hops: int = 1, limit: int = 25
    ) -> Neighbourhood:
        """What surrounds a node, one or two hops far, at most `limit` relations per node."""
        ...

    async def warm_path(
        self, principal: Principal, target: UUID, *, sources: Sequence[UUID] = (), max_hops: int = MAX_HOPS
    ) -> PathAnswer:
        """The shortest chain from one of the sources to a person or company, the strongest of the shortest.

        Without `sources` it starts at any user of the organization.
        """
        ...

    async def who_knows(self, principal: Principal, company_id: UUID, *, limit: int = 10) -> Acquaintances:
        """Which of our users know somebody at a company, the closest first."""
        ...


@dataclass(frozen=True)
class Snapshot:
    """Everything that the graph of one organization holds, or should hold."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class Changes:
    """Idempotent writes: `nodes` and `edges` are set as given, `ends` are made where missing, the rest is removed."""

    nodes: tuple[Node, ...] = ()
    ends: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    gone_edges: tuple[UUID, ...] = field(default=())
    gone_nodes: tuple[UUID, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        return not (self.nodes or self.ends or self.edges or self.gone_edges or self.gone_nodes)


# Rows of one write, so that none takes long.
BATCH = 2_000


def batches(snapshot: Snapshot) -> Iterator[Changes]:
    """A snapshot as writes of a bearable size, nodes before what hangs on them."""
    for start in range(0, len(snapshot.nodes), BATCH):
        yield Changes(nodes=snapshot.nodes[start : start + BATCH])
    for start in range(0, len(snapshot.edges), BATCH):
        yield Changes(edges=snapshot.edges[start : start + BATCH])


class Projection(GraphStore, Protocol):
    """A graph that the projector keeps. Edges are told apart by their fact, nodes by their id."""

    adapter: Adapter

    async def apply(self, principal: Principal, changes: Changes) -> None: ...

    async def replace(self, principal: Principal, snapshot: Snapshot) -> None:
        """Drop what is there and write the snapshot."""
        ...

    async def snapshot(self, principal: Principal) -> Snapshot: ...
