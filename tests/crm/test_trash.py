"""The trash shows what was deleted, of every kind, the last first, with who did it; and gives it back."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from core import clock
from core.db import Database, Tx
from core.errors import Conflict, Forbidden
from core.principal import Principal, PrincipalKind
from crm.companies.actions import create_company, delete_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, delete_contact
from crm.contacts.models import NewContact
from crm.deals.actions import create_deal, delete_deal
from crm.deals.models import NewDeal
from crm.files.actions import add_file, remove_file
from crm.files.models import NewFile
from crm.knowledge.actions import add_document, remove_document
from crm.knowledge.models import File
from crm.leads.actions import create_lead, delete_lead
from crm.leads.models import NewLead
from crm.meetings.actions import create_meeting, remove_meeting
from crm.meetings.models import NewMeeting
from crm.merges.actions import merge_records
from crm.notes.actions import create_note, remove_note
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_all_stages
from crm.records.models import RecordRef
from crm.tasks.actions import create_task, remove_task
from crm.tasks.models import NewTask
from crm.trash.actions import restore
from crm.trash.models import TrashKind
from crm.trash.queries import list_trash
from events.ids import RecordKind


async def _contact(tx: Tx) -> UUID:
    made = await create_contact(tx, NewContact("Vera Lind"))
    await delete_contact(tx, made.id, version=made.version)
    return made.id


async def _company(tx: Tx) -> UUID:
    made = await create_company(tx, NewCompany("Lind Logistics"))
    await delete_company(tx, made.id, version=made.version)
    return made.id


async def _deal(tx: Tx) -> UUID:
    await create_pipeline(tx, "Sales")
    made = await create_deal(tx, NewDeal("40 scanners", (await list_all_stages(tx))[0].id))
    await delete_deal(tx, made.id)
    return made.id


async def _lead(tx: Tx) -> UUID:
    await create_pipeline(tx, "Sales")
    made = await create_lead(tx, NewLead((await create_contact(tx, NewContact("Anna"))).id))
    await delete_lead(tx, made.id)
    return made.id


async def _anna(tx: Tx) -> RecordRef:
    return RecordRef(RecordKind.CONTACT, (await create_contact(tx, NewContact("Anna"))).id)


async def _task(tx: Tx) -> UUID:
    return (await remove_task(tx, (await create_task(tx, NewTask("Call", await _anna(tx)))).id)).id


async def _meeting(tx: Tx) -> UUID:
    starts_at = clock.now()
    new = NewMeeting("Demo", starts_at, starts_at + timedelta(hours=1), record=await _anna(tx))
    return (await remove_meeting(tx, (await create_meeting(tx, new)).id)).id


async def _note(tx: Tx) -> UUID:
    return (await remove_note(tx, (await create_note(tx, await _anna(tx), "Likes tea")).id)).id


async def _file(tx: Tx) -> UUID:
    new = NewFile("offer.pdf", "application/pdf", 10, "a key")
    return (await remove_file(tx, (await add_file(tx, await _anna(tx), new)).id)).id


async def _document(tx: Tx) -> UUID:
    document_id, _ = await add_document(tx, File("Price list.txt", "a key", 10))
    return (await remove_document(tx, document_id)).id


@pytest.mark.parametrize(
    ("kind", "delete", "name", "about"),
    [
        (TrashKind.CONTACT, _contact, "Vera Lind", None),
        (TrashKind.COMPANY, _company, "Lind Logistics", None),
        (TrashKind.DEAL, _deal, "40 scanners", None),
        (TrashKind.LEAD, _lead, "Anna", None),
        (TrashKind.TASK, _task, "Call", "Anna"),
        (TrashKind.MEETING, _meeting, "Demo", "Anna"),
        (TrashKind.NOTE, _note, "Likes tea", "Anna"),
        (TrashKind.FILE, _file, "offer.pdf", "Anna"),
        (TrashKind.DOCUMENT, _document, "Price list.txt", None),
    ],
)
async def test_whatever_is_deleted_stands_in_the_trash_and_comes_back(
    database: Database,
    organization: Principal,
    kind: TrashKind,
    delete: Callable[[Tx], Awaitable[UUID]],
    name: str,
    about: str | None,
) -> None:
    async with database.transaction(organization, "test") as tx:
        id = await delete(tx)
        (trashed,) = (await list_trash(tx)).items
        others = (await list_trash(tx, [one for one in TrashKind if one is not kind])).items
        await restore(tx, kind, id)

        assert (trashed.kind, trashed.id, trashed.name, trashed.about) == (kind, id, name, about)
        assert (trashed.deleted_by_kind, trashed.deleted_by) == (PrincipalKind.USER, "Olga Owner")
        assert others == []
        assert (await list_trash(tx)).items == []


async def test_the_trash_is_paged_the_last_first(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        deleted = [await delete(tx) for delete in (_contact, _company, _task, _note, _contact)]

        first = await list_trash(tx, limit=2)
        second = await list_trash(tx, limit=2, cursor=first.next_cursor)
        third = await list_trash(tx, limit=2, cursor=second.next_cursor)

    pages = [[one.id for one in page.items] for page in (first, second, third)]
    assert [id for page in pages for id in page] == deleted[::-1]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert third.next_cursor is None


async def test_what_was_merged_is_not_in_the_trash(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        kept, merged = [await create_contact(tx, NewContact(name)) for name in ("Anna", "Ann")]
        await merge_records(tx, RecordKind.CONTACT, kept.id, merged.id)

        assert (await list_trash(tx)).items == []


async def test_who_may_not_read_a_kind_does_not_see_its_trash(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await _contact(tx)
        company = await _company(tx)
    clerk = replace(organization, scopes=frozenset({"companies:read"}))

    async with database.transaction(clerk, "test") as tx:
        seen = [one.name for one in (await list_trash(tx)).items]
        with pytest.raises(Forbidden):
            await restore(tx, TrashKind.COMPANY, company)

    assert seen == ["Lind Logistics"]


async def test_another_organization_sees_nothing_of_it(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await _contact(tx)

    async with database.transaction(other_organization, "test") as tx:
        assert (await list_trash(tx)).items == []


async def test_a_company_whose_domain_was_taken_meanwhile_stays(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        old = await create_company(tx, NewCompany("Old", domain="lind.example"))
        await delete_company(tx, old.id, version=old.version)
        await create_company(tx, NewCompany("New", domain="lind.example"))

        with pytest.raises(Conflict):
            await restore(tx, TrashKind.COMPANY, old.id)


async def test_the_trash_is_read_by_its_indexes(database: Database, organization: Principal) -> None:
    """However many records there are, only what was deleted is looked at."""
    async with database.transaction(organization, "test") as tx:
        await tx.execute("SELECT set_config('enable_seqscan', 'off', true)")
        rows = await (
            await tx.connection.execute(
                "EXPLAIN SELECT id FROM contacts WHERE deleted_at IS NOT NULL AND merged_into_id IS NULL"
                " AND (deleted_at, id) < (now(), '00000000-0000-0000-0000-000000000000')"
                " ORDER BY deleted_at DESC, id DESC LIMIT 51"
            )
        ).fetchall()

    plan = "\n".join(str(row["QUERY PLAN"]) for row in rows)
    assert "contacts_in_trash" in plan
    assert "Sort" not in plan
