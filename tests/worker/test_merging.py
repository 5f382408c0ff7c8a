"""A merge reaches whatever else knows the two: open pages, what is found, what is remembered; and so does its undoing."""

from collections.abc import AsyncIterator

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.merges.actions import merge_records, undo_merge
from crm.search import actions as index
from crm.search.models import FoundKind
from crm.search.queries import search
from events.ids import ContactId, RecordKind
from memory.embeddings.fake import FakeEmbedder
from tests.memory.conftest import Shelf, make_shelf
from tests.support.working import carry_out_events
from worker import services as worker_services
from worker.services import Services


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


@pytest.fixture
async def shelf(database: Database, organization: Principal) -> Shelf:
    """Somebody who has told us something in a conversation."""
    made = await make_shelf(database, organization)
    await made.remember("We have a cold store in Malmö with twenty pickers.")
    return made


async def _work(services: Services, organization: Principal) -> list[dict[str, str]]:
    """Carry out what follows from what happened; returns what open pages are told."""
    async with services.pubsub.subscribe(organization.organization_id) as subscription:
        await carry_out_events(services, organization)
        told = []
        while (message := await subscription.next(0.2)) is not None:
            told.append(message)
        return told


async def _recall(shelf: Shelf, contact_id: ContactId) -> list[str]:
    """What comes to mind of this person's own words, and of nobody else's."""
    return await shelf.recall(
        "Who has a cold store?", FakeEmbedder(), contact_id=contact_id, only_contact=True
    )


async def _found(services: Services, owner: Principal) -> set[ContactId]:
    async with services.db.transaction(owner, "test") as tx:
        return {ContactId(hit.id) for hit in (await search(tx, "щербинина", kinds=[FoundKind.CONTACT])).hits}


async def test_a_merge_and_its_undoing_reach_pages_search_and_memory(
    services: Services, organization: Principal, shelf: Shelf
) -> None:
    merged = shelf.conversation.contact_id
    async with services.db.transaction(organization, "test") as tx:
        kept = (await create_contact(tx, NewContact("Zhanna Shcherbinina"))).id
        await tx.execute("UPDATE contacts SET name = 'Жанна Щербинина' WHERE id = %(id)s", id=merged)
        await index.index_records(tx, FoundKind.CONTACT, [kept, merged])
    await _work(services, organization)

    async with services.db.transaction(organization, "test") as tx:
        merge = await merge_records(tx, RecordKind.CONTACT, kept, merged)
    told_of_merge = await _work(services, organization)
    said, found = await _recall(shelf, kept), await _found(services, organization)
    async with services.db.transaction(organization, "test") as tx:
        await undo_merge(tx, merge.id)
    told_of_undoing = await _work(services, organization)
    said_again, found_again = await _recall(shelf, kept), await _found(services, organization)

    for told, kind in ((told_of_merge, "contact.merged"), (told_of_undoing, "contact.unmerged")):
        assert {one["conversation_id"] for one in told if one["type"] == kind} >= {str(shelf.conversation.id)}
        assert {one.get("record_id") for one in told if one["type"] == kind} >= {str(kept), str(merged)}
    assert [text for text in said if "cold store" in text]
    assert merged not in found
    assert said_again == []
    assert merged in found_again
