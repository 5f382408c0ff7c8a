"""A merge reaches whatever else knows the two: open pages, what is found, what is remembered; and so does its undoing."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from core import clock
from core.db import Database, Tx
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.companies import suggestions as company_suggestions
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.merges.actions import merge_records, undo_merge
from crm.merges.duplicates import list_duplicates
from crm.search import actions as index
from crm.search.models import FoundKind
from crm.search.queries import search
from events import due
from events.ids import CompanyId, ContactId, ImportId, RecordKind
from events.outbox import emit
from events.types import ImportFinished
from memory.embeddings.fake import FakeEmbedder
from tests.memory.conftest import Shelf, make_shelf
from tests.support.working import carry_out_due, carry_out_events
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


async def test_a_company_that_comes_is_compared_with_all_others(
    services: Services, organization: Principal
) -> None:
    async with services.db.transaction(organization, "test") as tx:
        ids = [
            (await create_company(tx, NewCompany(name))).id
            for name in ("ООО «Ромашка»", "Romashka LLC", "Acme")
        ]

    await carry_out_events(services, organization)

    async with services.db.transaction(organization, "test") as tx:
        (pair,) = (await list_duplicates(tx)).items
    assert {pair.record_id, pair.other_id} == set(ids[:2])


async def test_what_was_imported_is_compared_in_the_next_night(
    services: Services, organization: Principal
) -> None:
    async with services.db.transaction(organization, "test") as tx:
        await emit(tx, ImportFinished(ImportId(uuid7())))

    await carry_out_events(services, organization)

    async with services.db.transaction(organization, "test") as tx:
        kinds = await tx.value(
            "SELECT array_agg(kind ORDER BY kind) FROM due_work WHERE subject_id = %(id)s",
            id=tx.organization_id,
        )
    assert kinds == ["companies.match", "contacts.match"]


@pytest.mark.parametrize("kind", ["company", "contact"])
async def test_the_nightly_look_goes_on_until_all_are_compared_and_comes_back_next_night(
    services: Services, organization: Principal, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    noun, work = ("companies", "companies.match") if kind == "company" else ("contacts", "contacts.match")
    monkeypatch.setattr(f"crm.{noun}.suggestions.BATCH", 2)
    names = ("Ольга Щербакова", "Northwind Cargo", "Harbour Storage", "Acme Digital", "Olga Shcherbakova")
    async with services.db.transaction(organization, "test") as tx:
        for name in names:
            await (
                create_company(tx, NewCompany(name))
                if kind == "company"
                else create_contact(tx, NewContact(name))
            )
        await due.schedule(tx, work, tx.organization_id, clock.now())

    for _ in range(3):
        await carry_out_due(services, organization, work)

    async with services.db.transaction(organization, "test") as tx:
        looked_at = await tx.value(
            "SELECT looked_at FROM match_sweeps WHERE record_kind = %(kind)s AND finished_at IS NOT NULL",
            kind=kind,
        )
        (pair,) = (await list_duplicates(tx)).items
        wait = await tx.value(
            "SELECT due_at - now() FROM due_work WHERE kind = %(work)s AND subject_id = %(id)s",
            work=work,
            id=tx.organization_id,
        )
    assert looked_at == 5
    assert {pair.name, pair.other_name} == {names[0], names[-1]}
    assert timedelta(0) < wait <= timedelta(hours=48)


async def test_a_batch_that_dies_is_done_again_and_those_before_it_are_not(
    services: Services, organization: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.companies.suggestions.BATCH", 2)
    compared: list[int] = []
    look = company_suggestions.look_for_matches

    async def die_in_the_second(tx: Tx, company_ids: Sequence[CompanyId]) -> int:
        found = await look(tx, company_ids)
        compared.append(len(company_ids))
        if len(compared) == 2:
            raise ConnectionError("the database went away")
        return found

    monkeypatch.setattr(company_suggestions, "look_for_matches", die_in_the_second)
    async with services.db.transaction(organization, "test") as tx:
        for name in ("ООО «Ромашка»", "Northwind", "Romashka LLC"):
            await create_company(tx, NewCompany(name))
        await due.schedule(tx, "companies.match", tx.organization_id, clock.now())

    for _ in range(2):
        await carry_out_due(services, organization, "companies.match")
    async with services.db.transaction(organization, "test") as tx:
        before = (await list_duplicates(tx)).items
        await tx.execute(
            "UPDATE due_work SET due_at = now() WHERE kind = 'companies.match' AND subject_id = %(id)s",
            id=tx.organization_id,
        )
    await carry_out_due(services, organization, "companies.match")

    async with services.db.transaction(organization, "test") as tx:
        after = (await list_duplicates(tx)).items
    assert compared == [2, 1, 1]
    assert (len(before), len(after)) == (0, 1)
