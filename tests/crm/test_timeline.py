"""Timelines: everything around a record, newest first, each thing once, in one statement."""

from datetime import timedelta

import pytest

from core import clock
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import uuid7
from core.principal import Principal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import update_contact
from crm.contacts.models import ContactEdit
from crm.contacts.queries import get_contact
from crm.deals.actions import create_deal, move_stage
from crm.deals.models import NewDeal
from crm.files.actions import add_file, remove_file, restore_file
from crm.files.models import NewFile
from crm.files.queries import list_files
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.notes.actions import create_note
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.records.models import RecordRef
from crm.runs.actions import start_run
from crm.tasks.actions import create_task, remove_task
from crm.tasks.models import NewTask
from crm.timeline.models import Item, ItemKind
from crm.timeline.queries import list_timeline
from events.ids import RecordKind
from tests.support.suggesting import suggest_to_keep
from tests.support.world import World, make_world


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    made = await make_world(database, organization)
    await made.receive("Hello, what does it cost?")
    return made


async def _busy(tx: Tx, world: World) -> dict[str, RecordRef]:
    """Vera of Lind, with one of everything on her and on her deal."""
    vera = await get_contact(tx, (await world.conversation()).contact_id)
    company = await create_company(tx, NewCompany("Lind Logistics"))
    await update_contact(tx, vera.id, ContactEdit(company_id=company.id), version=vera.version)
    stages = await list_stages(tx, (await create_pipeline(tx, "Sales")).id)
    deal = await create_deal(tx, NewDeal("40 scanners", stages[0].id, company.id, vera.id))
    await move_stage(tx, deal.id, stages[1].id, version=deal.version)
    about = RecordRef(RecordKind.CONTACT, vera.id)
    await create_note(tx, about, "Likes tea")
    await create_task(tx, NewTask("Send the offer", RecordRef(RecordKind.DEAL, deal.id)))
    gone = await create_task(tx, NewTask("Gone", about))
    await remove_task(tx, gone.id)
    starts_at = clock.now() + timedelta(days=1)
    await create_meeting(
        tx,
        NewMeeting("Demo", starts_at, starts_at + timedelta(hours=1), record=about, contact_ids=(vera.id,)),
    )
    await add_file(tx, about, NewFile("Offer.pdf", "application/pdf", 7, "0" * 64))
    conversation = await world.conversation()
    run_id = await start_run(tx, world.bidi_id, "follow_up")
    await suggest_to_keep(tx, run_id, world.bidi_id, conversation)
    return {
        "contact": about,
        "company": RecordRef(RecordKind.COMPANY, company.id),
        "deal": RecordRef(RecordKind.DEAL, deal.id),
    }


def _told(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.kind.value, item.title or item.text) for item in items]


async def test_a_contact_shows_everything_and_a_company_what_belongs_to_it(
    database: Database, organization: Principal, world: World
) -> None:
    async with database.transaction(organization, "test") as tx:
        records = await _busy(tx, world)

        of_contact = (await list_timeline(tx, records["contact"])).items
        of_company = (await list_timeline(tx, records["company"])).items

    assert _told(of_contact) == [
        ("meeting", "Demo"),
        ("suggestion", "Send the offer"),
        ("file", "Offer.pdf"),
        ("task", "Send the offer"),
        ("note", "Likes tea"),
        ("stage", "deal.stage.changed"),
        ("change", "deal.created"),
        ("change", "contact.updated"),
        # a message came when it was written, a moment before we made a contact of its author
        ("change", "contact.created"),
        ("message", "Hello, what does it cost?"),
    ]
    (created,) = [item for item in of_company if item.title == "company.created"]
    assert {item.id for item in of_company} - {item.id for item in of_contact} == {created.id}
    stage, message = of_contact[5], of_contact[9]
    assert (stage.stages, stage.record_name, stage.actor_name) == (
        ["Cold", "Replied"],
        "40 scanners",
        "Olga Owner",
    )
    assert (message.actor_name, message.status, message.conversation_id is not None) == (
        "Vera Lind",
        "in",
        True,
    )
    assert of_contact[7].changed == ["company_id"]


async def test_a_deal_shows_itself_and_what_its_contact_wrote(
    database: Database, organization: Principal, world: World
) -> None:
    async with database.transaction(organization, "test") as tx:
        records = await _busy(tx, world)

        items = (await list_timeline(tx, records["deal"])).items

    assert [item.kind.value for item in items] == ["task", "stage", "change", "message"]


@pytest.mark.parametrize("size", [1, 2, 4])
async def test_pages_hold_everything_once(
    database: Database, organization: Principal, world: World, size: int
) -> None:
    async with database.transaction(organization, "test") as tx:
        record = (await _busy(tx, world))["company"]
        whole = (await list_timeline(tx, record)).items
        pages: list[Item] = []
        cursor: str | None = None
        while cursor or not pages:
            page = await list_timeline(tx, record, cursor=cursor, limit=size)
            assert len(page.items) <= size
            pages += page.items
            cursor = page.next_cursor

    assert pages == whole


@pytest.mark.parametrize("kind", list(ItemKind))
async def test_a_kind_is_kept_alone(
    database: Database, organization: Principal, world: World, kind: ItemKind
) -> None:
    async with database.transaction(organization, "test") as tx:
        record = (await _busy(tx, world))["contact"]

        kept = (await list_timeline(tx, record, [kind])).items
        whole = (await list_timeline(tx, record)).items

    assert kept == [item for item in whole if item.kind is kind] != []


@pytest.mark.parametrize("kind", list(RecordKind))
async def test_a_record_that_is_not_there_has_none(
    database: Database, organization: Principal, kind: RecordKind
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(NotFound, match=kind.value):
            await list_timeline(tx, RecordRef(kind, uuid7()))


async def test_a_removed_file_comes_back(database: Database, organization: Principal, world: World) -> None:
    async with database.transaction(organization, "test") as tx:
        record = (await _busy(tx, world))["contact"]
        (file,) = (await list_files(tx, record)).items

        await remove_file(tx, file.id)
        assert (await list_files(tx, record)).items == []
        assert (await list_timeline(tx, record, [ItemKind.FILE])).items == []

        await restore_file(tx, file.id)
        assert [one.name for one in (await list_files(tx, record)).items] == ["Offer.pdf"]
