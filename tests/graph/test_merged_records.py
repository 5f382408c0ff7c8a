"""A merge reaches the graph: what the two knew is one person's, and an undo brings both back."""

import random

import pytest

from core.db import Database
from core.principal import Principal
from crm.merges.actions import merge_records, undo_merge
from events.ids import CompanyId, ContactId, RecordKind
from events.types import CompanyMerged, CompanyUnmerged, ContactMerged, ContactUnmerged
from graph.postgres import PostgresGraph
from graph.projector import diff, read_changes, rebuild
from tests.support.merging import World


@pytest.mark.parametrize("kind", [RecordKind.CONTACT, RecordKind.COMPANY])
@pytest.mark.parametrize("seed", range(4))
async def test_the_graph_follows_a_merge_and_its_undoing(
    database: Database, organization: Principal, kind: RecordKind, seed: int
) -> None:
    graph = PostgresGraph(database)
    async with database.transaction(organization, "test") as tx:
        world = World(tx, random.Random(seed))
        await world.build()
        make = world.contact if kind is RecordKind.CONTACT else world.company
        kept, merged = await make("Vera Lind"), await make("Вера Линд")
        await world.relate((kind, kept), (kind, merged))
    await rebuild(database, organization, graph)
    is_contact = kind is RecordKind.CONTACT

    async with database.transaction(organization, "test") as tx:
        merge = await merge_records(tx, kind, kept, merged)
        done = (
            ContactMerged(ContactId(kept), ContactId(merged), merge.id)
            if is_contact
            else CompanyMerged(CompanyId(kept), CompanyId(merged), merge.id)
        )
        changes = await read_changes(tx, done)
    await graph.apply(organization, changes)
    after_merge = await diff(database, organization, graph)
    async with database.transaction(organization, "test") as tx:
        await undo_merge(tx, merge.id)
        undone = (
            ContactUnmerged(ContactId(kept), ContactId(merged), merge.id)
            if is_contact
            else CompanyUnmerged(CompanyId(kept), CompanyId(merged), merge.id)
        )
        changes = await read_changes(tx, undone)
    await graph.apply(organization, changes)

    assert after_merge == []
    assert await diff(database, organization, graph) == []
