"""Taking back what a run changed: everything that is as the run left it, and nothing that is newer."""

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import pytest

from core import clock
from core.db import Database, Tx
from core.errors import Conflict, Forbidden
from core.filters import ValueKind
from core.principal import Principal
from crm.companies.actions import create_company, update_company
from crm.companies.models import CompanyEdit, NewCompany
from crm.companies.queries import get_company
from crm.contacts import actions as contacts
from crm.contacts.models import ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.deals import actions as deals
from crm.deals.conversion import convert_lead
from crm.deals.models import Conversion, DealEdit, NewDeal
from crm.deals.queries import get_deal
from crm.facts.actions import assert_text
from crm.leads import actions as leads
from crm.leads.models import NewLead
from crm.leads.queries import get_lead
from crm.meetings import actions as meetings
from crm.meetings.models import MeetingEdit, MeetingStatus, NewMeeting
from crm.meetings.queries import get_meeting
from crm.notes import actions as notes
from crm.notes.queries import get_note
from crm.pipelines.moves import MoveRefused
from crm.pipelines.queries import list_stages
from crm.records.models import RecordRef
from crm.reverts.actions import preview_revert, revert_run
from crm.reverts.models import Fate, Revert, Why
from crm.runs.actions import finish_run
from crm.runs.models import RunStatus
from crm.tags.actions import create_tag, put_tag
from crm.tasks import actions as tasks
from crm.tasks.models import NewTask, TaskEdit
from crm.tasks.queries import get_task
from events.ids import ContactId, RecordKind
from tests.support.asking import ask_to_rename
from tests.support.changes import changes_of
from tests.support.seats import Seat, make_seat

# What follows a change by itself and is never put back.
_FOLLOWS = ("version", "updated_at", "stage_entered_at", "edited_at", "last_message_at", "search_text")
_ROWS: dict[str, LiteralString] = {
    "contacts": "SELECT to_jsonb(t) AS row FROM contacts t WHERE deleted_at IS NULL",
    "companies": "SELECT to_jsonb(t) AS row FROM companies t WHERE deleted_at IS NULL",
    "deals": "SELECT to_jsonb(t) AS row FROM deals t WHERE deleted_at IS NULL",
    "leads": "SELECT to_jsonb(t) AS row FROM leads t WHERE deleted_at IS NULL",
    "tasks": "SELECT to_jsonb(t) AS row FROM tasks t WHERE removed_at IS NULL",
    "notes": "SELECT to_jsonb(t) AS row FROM notes t WHERE removed_at IS NULL",
    "meetings": "SELECT to_jsonb(t) AS row FROM meetings t WHERE removed_at IS NULL",
    "facts": "SELECT to_jsonb(t) AS row FROM facts t WHERE retracted_at IS NULL",
    "record_tags": """
        SELECT to_jsonb(t) AS row
          FROM record_tags t
          JOIN contacts c ON c.id = t.record_id AND c.deleted_at IS NULL
        """,
    "deal_stakeholders": """
        SELECT to_jsonb(t) AS row
          FROM deal_stakeholders t
          JOIN deals d ON d.id = t.deal_id AND d.deleted_at IS NULL
        """,
    "contact_handles": """
        SELECT to_jsonb(t) AS row
          FROM contact_handles t
          JOIN contacts c ON c.id = t.contact_id AND c.deleted_at IS NULL
        """,
}


@dataclass(frozen=True)
class _Row:
    row: dict[str, Any]


Rows = dict[tuple[str, str], dict[str, Any]]


async def _rows(tx: Tx) -> Rows:
    """Every row that a person can see, by table and id, without what follows by itself."""
    found: Rows = {}
    for table, query in _ROWS.items():
        for one in await tx.all(_Row, query):
            row = {name: value for name, value in one.row.items() if name not in _FOLLOWS}
            key = str(
                row.get("id")
                or f"{row.get('deal_id', row.get('record_id'))}{row.get('tag_id', row.get('contact_id'))}"
            )
            found[table, key] = row
    return found


@dataclass
class Stage:
    """A run that is at work among records that were there before; `write` is one of its writes."""

    seat: Seat
    agent: Principal
    lead_id: Any
    task_id: Any
    note_id: Any
    meeting_id: Any
    tag_id: Any
    stages: list[Any]
    made: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.seat.db

    @property
    def owner(self) -> Principal:
        return self.seat.owner

    async def rows(self) -> Rows:
        async with self.db.transaction(self.owner, "test") as tx:
            return await _rows(tx)

    async def write(self, verb: Callable[[Tx], Awaitable[object]]) -> Any:
        async with self.db.transaction(self.agent, "test") as tx:
            return await verb(tx)

    async def person(self, verb: Callable[[Tx], Awaitable[object]]) -> Any:
        async with self.db.transaction(self.owner, "test") as tx:
            return await verb(tx)

    async def end(self) -> None:
        async with self.db.transaction(self.owner, "test") as tx:
            await finish_run(tx, self.seat.ctx.run, RunStatus.SUCCEEDED, outcome="drafted")

    async def preview(self) -> Revert:
        async with self.db.transaction(self.owner, "test") as tx:
            return await preview_revert(tx, self.seat.ctx.run_id)

    async def revert(self) -> Revert:
        async with self.db.transaction(self.owner, "test") as tx:
            return await revert_run(tx, self.seat.ctx.run_id)


@pytest.fixture
async def stage(database: Database, organization: Principal) -> Stage:
    seat = await make_seat(database, organization)
    about = RecordRef(RecordKind.CONTACT, seat.contact.id)
    async with database.transaction(organization, "test") as tx:
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Segment", ValueKind.TEXT))
        lead = await leads.create_lead(tx, NewLead(seat.contact.id))
        task = await tasks.create_task(tx, NewTask("Call", about))
        note = await notes.create_note(tx, about, "Likes tea")
        starts = clock.now() + timedelta(days=1)
        meeting = await meetings.create_meeting(
            tx,
            NewMeeting(
                "Demo", starts, starts + timedelta(hours=1), record=about, contact_ids=(seat.contact.id,)
            ),
        )
        tag = await create_tag(tx, "VIP")
        stages = await list_stages(tx, seat.deal.pipeline_id)
    agent = replace(seat.ctx.principal, scopes=frozenset({"*"})).in_run(seat.ctx.run_id)
    return Stage(seat, agent, lead.id, task.id, note.id, meeting.id, tag.id, stages)


async def _edit_contact(tx: Tx, contact_id: ContactId, **values: Any) -> object:
    contact = await get_contact(tx, contact_id)
    return await contacts.update_contact(tx, contact_id, ContactEdit(**values), version=contact.version)


async def _edit_deal(tx: Tx, deal_id: Any, **values: Any) -> object:
    deal = await get_deal(tx, deal_id)
    return await deals.update_deal(tx, deal_id, DealEdit(**values), version=deal.version)


async def _random_write(stage: Stage, dice: random.Random) -> None:
    """One write of an agent, on what was there or on what it has made itself."""
    seat, word = stage.seat, f"word {dice.randrange(1000)}"
    made = [id for kind, id in stage.made if kind == "contact"]
    who = dice.choice([seat.contact.id, *made])
    about = RecordRef(RecordKind.CONTACT, who)

    async def write(tx: Tx) -> None:
        match dice.randrange(19):
            case 0:
                await _edit_contact(tx, who, title=word, time_zone=dice.choice(["Europe/Berlin", None]))
            case 1:
                await _edit_contact(tx, who, custom={"segment": dice.choice([word, None])})
            case 2:
                await _edit_contact(tx, who, company_id=dice.choice([None, seat.company.id]))
            case 3:
                stage.made.append(("contact", (await contacts.create_contact(tx, NewContact(word))).id))
            case 4:
                await contacts.add_handle(tx, who, "email", f"{dice.randrange(10**6)}@lind.example")
            case 5:
                await put_tag(tx, RecordKind.CONTACT, who, stage.tag_id)
            case 6:
                company = await create_company(tx, NewCompany(word))
                await _edit_contact(tx, who, company_id=company.id)
            case 7:
                company = await get_company(tx, seat.company.id)
                edit = CompanyEdit(employees=dice.randrange(100), city=word)
                await update_company(tx, company.id, edit, version=company.version)
            case 8:
                close = (clock.now() + timedelta(days=dice.randrange(90))).date()
                await _edit_deal(
                    tx, seat.deal.id, next_step=word, amount_minor=dice.randrange(9999), close_date=close
                )
            case 9:
                deal = await get_deal(tx, seat.deal.id)
                to = dice.choice(stage.stages)
                await deals.move_stage(tx, deal.id, to.id, version=deal.version)
            case 10:
                await deals.add_stakeholder(tx, seat.deal.id, who, dice.choice(["champion", "buyer"]))
            case 11:
                await deals.create_deal(tx, NewDeal(word, stage.stages[0].id, contact_id=who))
            case 12:
                task = await tasks.create_task(tx, NewTask(word, about))
                stage.made.append(("task", task.id))
            case 13:
                task = await get_task(tx, stage.task_id)
                edit_task = TaskEdit(
                    title=word, due_at=clock.now() + timedelta(days=2), record=dice.choice([None, about])
                )
                await tasks.update_task(tx, task.id, edit_task, version=task.version)
            case 14:
                await tasks.complete_task(tx, stage.task_id)
            case 15:
                note = await get_note(tx, stage.note_id)
                await notes.update_note(tx, note.id, word, version=note.version)
                await notes.create_note(tx, about, word)
            case 16:
                meeting = await get_meeting(tx, stage.meeting_id)
                people = sorted({*meeting.contact_ids, who})
                await meetings.update_meeting(
                    tx, meeting.id, MeetingEdit(place=word, contact_ids=people), version=meeting.version
                )
                await meetings.set_status(tx, meeting.id, dice.choice(list(MeetingStatus)), outcome=word)
            case 17:
                await assert_text(tx, subject=("contact", who), predicate="budget", text=word)
            case _:
                lead = await get_lead(tx, stage.lead_id)
                if lead.converted_at is None:
                    await convert_lead(tx, lead.id, Conversion(name=word), version=lead.version)

    # what a rule of the pipeline refuses to an agent writes nothing
    with suppress(MoveRefused):
        await stage.write(write)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_a_run_wrote_taking_it_back_restores_every_row(stage: Stage, seed: int) -> None:
    dice = random.Random(seed)
    before = await stage.rows()
    for _ in range(dice.randrange(6, 16)):
        await _random_write(stage, dice)
    await stage.end()

    expected = await stage.preview()
    done = await stage.revert()

    assert done.lines == expected.lines
    assert done.kept == ()
    assert await stage.rows() == before


@pytest.mark.parametrize("seed", range(100, 108))
async def test_what_a_person_wrote_since_stays_and_all_else_is_restored(stage: Stage, seed: int) -> None:
    dice = random.Random(seed)
    before = await stage.rows()
    for _ in range(dice.randrange(6, 16)):
        await _random_write(stage, dice)
    contact, deal = stage.seat.contact.id, stage.seat.deal.id
    await stage.person(lambda tx: _edit_contact(tx, contact, title="as a person says"))
    await stage.person(lambda tx: _edit_deal(tx, deal, next_step="as a person says"))
    touched = {id for kind, id in stage.made if kind == "contact" and dice.random() < 0.5}
    for id in touched:
        await stage.person(lambda tx, id=id: _edit_contact(tx, id, note="as a person says"))  # type: ignore[misc]
    await stage.end()

    done = await stage.revert()

    after = await stage.rows()
    stayed = {("contacts", str(id)) for id in touched}
    assert {key for key in after if key[0] == "contacts"} == {
        k for k in before if k[0] == "contacts"
    } | stayed
    wanted = {key: dict(row) for key, row in before.items()}
    wanted["contacts", str(contact)]["title"] = "as a person says"
    wanted["deals", str(deal)]["next_step"] = "as a person says"
    own = {key: row for key, row in after.items() if key in before}
    assert own == {key: wanted[key] for key in own}
    assert {line.id for line in done.kept if not line.field and line.kind == "contact"} == touched


async def test_a_run_that_works_is_stopped_first_and_taken_back_once(stage: Stage) -> None:
    contact = stage.seat.contact.id
    await stage.write(lambda tx: _edit_contact(tx, contact, title="CEO"))

    with pytest.raises(Conflict, match="still at work"):
        await stage.revert()
    await stage.end()
    await stage.revert()
    with pytest.raises(Conflict, match="taken back already"):
        await stage.revert()


async def test_a_look_changes_nothing(stage: Stage) -> None:
    contact = stage.seat.contact.id
    await stage.write(lambda tx: _edit_contact(tx, contact, title="CEO"))
    await stage.end()
    before = await stage.rows()

    seen = await stage.preview()

    assert [(line.field, line.now, line.to, line.fate) for line in seen.lines] == [
        ("title", "CEO", "", Fate.RESTORED)
    ]
    assert await stage.rows() == before


async def test_only_a_person_takes_a_run_back(stage: Stage) -> None:
    await stage.write(lambda tx: _edit_contact(tx, stage.seat.contact.id, title="CEO"))
    await stage.end()

    with pytest.raises(Forbidden):
        await stage.write(lambda tx: revert_run(tx, stage.seat.ctx.run_id))


async def test_a_record_that_others_have_built_on_stays(stage: Stage) -> None:
    made = await stage.write(lambda tx: contacts.create_contact(tx, NewContact("Tomas")))
    await stage.person(
        lambda tx: notes.create_note(tx, RecordRef(RecordKind.CONTACT, made.id), "Met in Malmö")
    )
    await stage.end()

    seen = await stage.preview()

    assert [(line.name, line.fate, line.why) for line in seen.lines] == [("Tomas", Fate.KEPT, Why.IN_USE)]
    with pytest.raises(Conflict, match="Nothing that this run changed"):
        await stage.revert()


async def test_what_cannot_be_taken_back_is_named(stage: Stage) -> None:
    contact = stage.seat.contact.id
    await stage.write(lambda tx: contacts.suppress_contact(tx, contact, "asked to stop"))
    await stage.write(lambda tx: _edit_contact(tx, contact, title="CEO"))
    await stage.end()

    done = await stage.revert()

    assert {line.field: line.why for line in done.kept} == {
        "suppressed_at": Why.FINAL,
        "telegram_consent": Why.FINAL,
    }
    assert [line.field for line in done.undone] == ["title"]


async def test_what_a_run_still_asks_for_is_not_made_any_more(stage: Stage) -> None:
    run_id, contact = stage.seat.ctx.run_id, stage.seat.contact.id
    await stage.write(lambda tx: ask_to_rename(tx, run_id, stage.seat.world.bidi_id, contact))
    await stage.end()

    done = await stage.revert()

    assert [(line.kind, line.name, line.fate) for line in done.lines] == [
        ("approval", "update_contact", Fate.REMOVED)
    ]


async def test_taking_back_is_an_event_of_who_did_it(stage: Stage) -> None:
    contact = stage.seat.contact.id
    await stage.write(lambda tx: _edit_contact(tx, contact, title="CEO"))
    await stage.end()

    reverted = await stage.revert()

    assert reverted.run.reverted_by == UUID(str(stage.owner.id))
    async with stage.db.transaction(stage.owner, "test") as tx:
        told = await changes_of(tx, reverted.run.conversation_id or reverted.run.id)
        own = await changes_of(tx, contact)
    assert told[-1].type == "ai.run.reverted"
    assert own[-1].changes == {"title": ["CEO", ""]}
