"""Keeps the graphs in step with the facts: an event becomes idempotent writes, a missed one is caught up."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from core.db import Database, Tx
from core.principal import Principal
from crm.facts import queries as facts
from crm.facts.models import Named, Related
from crm.imports.tables.queries import list_chunk
from events.ids import FactId
from events.types import (
    CompanyCreated,
    CompanyMerged,
    CompanyUnmerged,
    CompanyUpdated,
    ContactCreated,
    ContactDeleted,
    ContactMerged,
    ContactUnmerged,
    ContactUpdated,
    Event,
    FactAsserted,
    FactRetracted,
    ImportProgressed,
    TeamMemberAdded,
    UserCreated,
    UserUpdated,
)
from graph.schema import edge_type_of, label_of
from graph.store import BATCH, Changes, Edge, Node, Projection, Snapshot

_REPAIRS = 5


@dataclass(frozen=True)
class Difference:
    """One thing that a graph has and should not have, lacks, or has otherwise than the facts say."""

    what: Literal["node", "edge"]
    id: UUID
    expected: Node | Edge | None
    found: Node | Edge | None


async def read_changes(tx: Tx, event: Event) -> Changes:
    """What an event means for a graph: the present state of its subject, so that repeating it changes nothing."""
    match event:
        case FactAsserted() | FactRetracted():
            return await _changes_of_fact(tx, event.fact_id)
        case ImportProgressed():
            return await _changes_of_chunk(tx, event)
        case ContactMerged() | ContactUnmerged() | CompanyMerged() | CompanyUnmerged():
            return await _changes_of_merge(tx, (event.subject_id, event.merged_id))
        case (
            ContactCreated()
            | ContactUpdated()
            | ContactDeleted()
            | CompanyCreated()
            | CompanyUpdated()
            | UserCreated()
            | UserUpdated()
        ) as change:
            named = await facts.list_named(tx, [change.subject_id])
            return Changes(nodes=_nodes(named)) if named else Changes(gone_nodes=(change.subject_id,))
        case TeamMemberAdded():
            return Changes(nodes=_nodes(await facts.list_named(tx, [event.user_id])))
        case _:
            return Changes()


async def _changes_of_fact(tx: Tx, fact_id: FactId) -> Changes:
    related = await facts.find_related(tx, fact_id)
    if related is None:
        return Changes(gone_edges=(fact_id,))
    ends = _nodes(await facts.list_named(tx, [related.subject_id, related.object_id]))
    if len(ends) < 2:
        return Changes(gone_edges=(fact_id,))
    # Ends are only made where missing: their names are set by their own events, which come in order.
    return Changes(ends=ends, edges=(_edge(related),))


async def _changes_of_chunk(tx: Tx, event: ImportProgressed) -> Changes:
    """A chunk of an import at once: its records as they are now, and where those work."""
    if event.chunk_id is None:
        return Changes()
    ids = [record.record_id for record in await list_chunk(tx, event.import_id, event.chunk_id)]
    if not ids:
        return Changes()
    nodes = _nodes(await facts.list_named(tx, ids))
    related = await facts.list_related(tx, subjects=ids)
    ends = _nodes(await facts.list_named(tx, list({one.object_id for one in related})))
    known = {node.id for node in (*nodes, *ends)}
    return Changes(
        nodes=nodes,
        ends=ends,
        edges=tuple(_edge(one) for one in related if {one.subject_id, one.object_id} <= known),
        gone_nodes=tuple(set(ids) - {node.id for node in nodes}),
    )


async def _changes_of_merge(tx: Tx, ids: Sequence[UUID]) -> Changes:
    """Both records of a merge as they are now, with every relation that leads from or to them."""
    nodes = _nodes(await facts.list_named(tx, ids))
    related = await facts.list_related_to(tx, ids)
    ends = _nodes(
        await facts.list_named(tx, list({end for one in related for end in (one.subject_id, one.object_id)}))
    )
    known = {node.id for node in ends}
    edges = tuple(_edge(one) for one in related if {one.subject_id, one.object_id} <= known)
    return Changes(
        nodes=nodes,
        ends=ends,
        # a relation may lead elsewhere than before, and adapters know edges by their fact alone
        gone_edges=tuple(edge.fact_id for edge in edges),
        edges=edges,
        gone_nodes=tuple(set(ids) - {node.id for node in nodes}),
    )


async def read_expected(db: Database, principal: Principal) -> Snapshot:
    """What a graph of this organization should hold, according to the facts."""
    async with db.transaction(principal, "graph.read_facts") as tx:
        nodes = _nodes(await facts.list_named(tx))
        related = await facts.list_related(tx)
    known = {node.id for node in nodes}
    edges = (_edge(fact) for fact in related if fact.subject_id in known and fact.object_id in known)
    return Snapshot(nodes, tuple(edges))


def _nodes(named: Iterable[Named]) -> tuple[Node, ...]:
    labelled = ((entity, label_of(entity.kind)) for entity in named)
    return tuple(Node(entity.id, label, entity.name) for entity, label in labelled if label is not None)


def _edge(related: Related) -> Edge:
    return Edge(
        related.id,
        edge_type_of(related.predicate),
        related.subject_id,
        related.object_id,
        related.strength,
        related.trust,
        related.valid_from,
        related.valid_to,
    )


async def diff(db: Database, principal: Principal, store: Projection) -> list[Difference]:
    """Where a graph and the facts disagree; empty when they agree."""
    expected = await read_expected(db, principal)
    return _differences(expected, await store.snapshot(principal))


def _differences(expected: Snapshot, found: Snapshot) -> list[Difference]:
    nodes = _compare(
        "node", {node.id: node for node in expected.nodes}, {node.id: node for node in found.nodes}
    )
    edges = _compare(
        "edge", {edge.fact_id: edge for edge in expected.edges}, {edge.fact_id: edge for edge in found.edges}
    )
    return [*nodes, *edges]


def _compare(
    what: Literal["node", "edge"],
    expected: dict[UUID, Node] | dict[UUID, Edge],
    found: dict[UUID, Node] | dict[UUID, Edge],
) -> list[Difference]:
    ids = sorted(expected.keys() | found.keys())
    pairs = ((id, expected.get(id), found.get(id)) for id in ids)
    return [Difference(what, id, wanted, there) for id, wanted, there in pairs if wanted != there]


async def rebuild(db: Database, principal: Principal, store: Projection) -> list[Difference]:
    """Drop the organization's graph and make it anew from the facts; returns what still differs."""
    await store.replace(principal, await read_expected(db, principal))
    return await repair(db, principal, store)


async def repair(db: Database, principal: Principal, store: Projection) -> list[Difference]:
    """Write what differs until nothing does; returns what still differs.

    The projector goes on meanwhile. A write of ours that it overtook is found by the next comparison, so an empty
    comparison, whose facts were read before the graph, means that the graph holds at least those facts.
    """
    differences = await diff(db, principal, store)
    for _ in range(_REPAIRS):
        if not differences:
            break
        for changes in _mending(differences):
            await store.apply(principal, changes)
        differences = await diff(db, principal, store)
    return differences


def _mending(differences: Sequence[Difference]) -> Iterator[Changes]:
    """Writes of a bearable size: nodes before what hangs on them, and what is too much last."""
    nodes = [found for found in differences if found.what == "node" and found.expected is not None]
    edges = [found for found in differences if found.what == "edge"]
    extra = [found for found in differences if found.what == "node" and found.expected is None]
    for group in (nodes, edges, extra):
        for start in range(0, len(group), BATCH):
            yield _mend(group[start : start + BATCH])


def _mend(differences: Sequence[Difference]) -> Changes:
    expected = [found.expected for found in differences]
    # An edge may lead elsewhere than it should, so it is removed first: adapters know edges by their fact alone.
    return Changes(
        nodes=tuple(node for node in expected if isinstance(node, Node)),
        edges=tuple(edge for edge in expected if isinstance(edge, Edge)),
        gone_edges=tuple(found.id for found in differences if isinstance(found.found, Edge)),
        gone_nodes=tuple(
            found.id for found in differences if found.what == "node" and found.expected is None
        ),
    )
