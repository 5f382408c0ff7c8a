"""Bulk edits: what they would do is what they do, once, by the rules of each record, until they are taken back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import date

import pytest
from pydantic import JsonValue

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.filters import ValueKind
from core.ids import uuid7
from core.principal import Principal, PrincipalKind, Visibility, system
from crm.bulk import actions as bulk
from crm.bulk import running
from crm.bulk.models import (
    BulkEdit,
    BulkStatus,
    Changes,
    EditedRecord,
    Fate,
    NewBulkEdit,
    Reason,
    RecordVerdict,
)
from crm.bulk.queries import get_bulk_edit, list_bulk_edits, list_edited
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact, delete_contact, update_contact
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.deals.queries import get_deal
from crm.identity.models import SCOPES, Role
from crm.identity.queries import find_member_id
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.leads.queries import get_lead
from crm.pipelines.actions import create_pipeline, update_stage
from crm.pipelines.models import Outcome, StageEdit
from crm.pipelines.queries import list_stages
from crm.tags.actions import ensure_tag, put_tag
from crm.tags.queries import list_tags_of
from events.ids import BulkEditId, MemberId, RecordKind

_CEO: dict[str, JsonValue] = {"title": "CEO"}


async def _people(db: Database, owner: Principal, *titles: str) -> list[Contact]:
    async with db.transaction(owner, "test") as tx:
        return [
            await create_contact(tx, NewContact(f"Person {number:03}", title=title))
            for number, title in enumerate(titles)
        ]


async def _tried(db: Database, owner: Principal, people: list[Contact], changes: Changes) -> BulkEdit:
    async with db.transaction(owner, "test") as tx:
        new = NewBulkEdit(RecordKind.CONTACT, tuple(person.id for person in people))
        return await bulk.create_bulk_edit(tx, new, changes)


async def _do(
    db: Database, owner: Principal, edit: BulkEdit, action: Callable[[Tx, BulkEditId], Awaitable[BulkEdit]]
) -> BulkEdit:
    async with db.transaction(owner, "test") as tx:
        return await action(tx, edit.id)


async def _read(db: Database, owner: Principal, person: Contact) -> Contact:
    async with db.transaction(owner, "test") as tx:
        return await get_contact(tx, person.id)


async def _edited(
    db: Database, owner: Principal, edit: BulkEdit, *verdicts: RecordVerdict
) -> list[EditedRecord]:
    async with db.transaction(owner, "test") as tx:
        return await list_edited(tx, edit.id, verdicts)


class _Killed(Exception):
    """Raised right before the commit that a process does not live to see."""


async def _work(
    db: Database, owner: Principal, edit: BulkEdit, *, kill_in_chunk: int | None = None
) -> BulkEdit:
    """As a worker does; one that is killed loses the chunk that it is in."""
    chunks = 0

    @asynccontextmanager
    async def transaction(step: str) -> AsyncIterator[Tx]:
        nonlocal chunks
        chunks += 1
        async with db.transaction(system(owner.organization_id), f"bulk.{step}") as tx:
            yield tx
            if chunks == kill_in_chunk:
                raise _Killed

    async def guard(tx: Tx) -> None:
        """Nobody else works on it."""

    with suppress(_Killed):
        await running.work(transaction, guard, edit.id, seconds=60)
    assert kill_in_chunk in (None, chunks)
    async with db.transaction(owner, "test") as tx:
        return await get_bulk_edit(tx, edit.id)


async def test_a_trial_says_what_would_happen_and_changes_nothing(
    database: Database, organization: Principal
) -> None:
    people = await _people(database, organization, "CTO", "CEO", "Buyer")
    async with database.transaction(organization, "test") as tx:
        await delete_contact(tx, people[2].id, version=1)

    edit = await _tried(database, organization, people, Changes(set=_CEO))
    (changed,) = await _edited(database, organization, edit, RecordVerdict.CHANGED)
    (refused,) = await _edited(database, organization, edit, RecordVerdict.REFUSED)

    assert (edit.status, edit.changed, edit.unchanged, edit.refused) == (BulkStatus.CHECKED, 1, 1, 1)
    assert (changed.label, changed.changes) == ("Person 000", {"title": ["CTO", "CEO"]})
    assert (refused.label, refused.reason) == ("Person 002", Reason.IN_TRASH)
    assert await _read(database, organization, people[0]) == people[0]


async def test_a_run_changes_what_was_shown_and_an_undo_gives_it_back(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        me = MemberId(await find_member_id(tx, organization.id))  # type: ignore[arg-type]
        await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Region", ValueKind.TEXT))
        acme = await create_company(tx, NewCompany("Acme"))
        vip, old = [await ensure_tag(tx, name) for name in ("vip", "old")]
        anna = await create_contact(tx, NewContact("Anna", custom={"region": "South"}))
        await put_tag(tx, RecordKind.CONTACT, anna.id, old.id)
    changes = Changes(
        {"owner_id": str(me), "company_id": str(acme.id), "custom.region": "North", "title": "CEO"},
        (vip.id,),
        (old.id,),
    )

    edit = await _do(database, organization, await _tried(database, organization, [anna], changes), bulk.run)
    after = await _read(database, organization, anna)
    async with database.transaction(organization, "test") as tx:
        tags = [tag.name for tag in await list_tags_of(tx, RecordKind.CONTACT, [anna.id])]
    undone = await _do(database, organization, edit, bulk.undo)
    before = await _read(database, organization, anna)
    async with database.transaction(organization, "test") as tx:
        tags_again = [tag.name for tag in await list_tags_of(tx, RecordKind.CONTACT, [anna.id])]

    assert (edit.status, edit.changed) == (BulkStatus.FINISHED, 1)
    assert (after.owner_id, after.company_id, after.custom, after.title, tags) == (
        me,
        acme.id,
        {"region": "North"},
        "CEO",
        ["vip"],
    )
    assert (undone.status, undone.restored, undone.kept) == (BulkStatus.UNDONE, 1, 0)
    assert replace(before, version=anna.version, updated_at=anna.updated_at) == anna
    assert tags_again == ["old"]


async def test_what_somebody_has_changed_since_stays_and_is_told(
    database: Database, organization: Principal
) -> None:
    people = await _people(database, organization, "CTO", "Buyer")
    edit = await _do(
        database, organization, await _tried(database, organization, people, Changes(set=_CEO)), bulk.run
    )
    async with database.transaction(organization, "test") as tx:
        await update_contact(tx, people[0].id, ContactEdit(note="Ours"), version=2)

    undone = await _do(database, organization, edit, bulk.undo)
    (kept,) = await _edited(database, organization, edit, RecordVerdict.KEPT)

    assert (undone.restored, undone.kept) == (1, 1)
    assert (kept.label, kept.reason) == ("Person 000", Reason.CHANGED_SINCE)
    assert (await _read(database, organization, people[0])).title == "CEO"
    assert (await _read(database, organization, people[1])).title == "Buyer"


async def test_the_trash_is_an_edit_like_others(database: Database, organization: Principal) -> None:
    people = await _people(database, organization, "", "")

    edit = await _do(
        database,
        organization,
        await _tried(database, organization, people, Changes(fate=Fate.TRASH)),
        bulk.run,
    )
    trashed = [(await _read(database, organization, person)).deleted_at for person in people]
    await _do(database, organization, edit, bulk.undo)

    assert all(trashed)
    assert [(await _read(database, organization, person)).deleted_at for person in people] == [None, None]


async def test_each_record_is_changed_once_however_often_the_worker_is_killed(
    database: Database, organization: Principal
) -> None:
    people = await _people(database, organization, *(["Buyer"] * 230))
    edit = await _tried(database, organization, people, Changes(set=_CEO))
    assert edit.status is BulkStatus.CHECKING

    await _work(database, organization, edit, kill_in_chunk=2)
    edit = await _work(database, organization, edit)
    assert (edit.status, edit.changed, edit.position) == (BulkStatus.CHECKED, 230, 230)
    await _do(database, organization, edit, bulk.run)
    for _ in range(2):
        half = await _work(database, organization, edit, kill_in_chunk=2)
    assert half.position == 200
    done = await _work(database, organization, edit)
    await _do(database, organization, edit, bulk.undo)
    await _work(database, organization, edit, kill_in_chunk=2)
    undone = await _work(database, organization, edit)

    assert (done.status, done.changed, done.refused) == (BulkStatus.FINISHED, 230, 0)
    assert (undone.status, undone.restored, undone.kept) == (BulkStatus.UNDONE, 230, 0)
    versions = {(await _read(database, organization, person)).version for person in people[::40]}
    assert versions == {3}


async def test_a_stopped_edit_leaves_the_rest_and_can_be_taken_back(
    database: Database, organization: Principal
) -> None:
    people = await _people(database, organization, *(["Buyer"] * 130))
    edit = await _tried(database, organization, people, Changes(set=_CEO))
    await _work(database, organization, edit)
    await _do(database, organization, edit, bulk.run)
    await _work(database, organization, edit, kill_in_chunk=2)

    stopped = await _do(database, organization, edit, bulk.cancel)
    assert (await _work(database, organization, edit)).changed == stopped.changed == 100
    await _do(database, organization, edit, bulk.undo)
    undone = await _work(database, organization, edit)

    assert (undone.status, undone.restored) == (BulkStatus.UNDONE, 100)


async def test_the_filter_of_a_list_chooses_and_later_records_stay_out(
    database: Database, organization: Principal
) -> None:
    await _people(database, organization, "Buyer", "CTO", "Buyer")
    buyers: dict[str, JsonValue] = {"field": "title", "op": "is", "value": "buyer"}
    async with database.transaction(organization, "test") as tx:
        edit = await bulk.create_bulk_edit(tx, NewBulkEdit(RecordKind.CONTACT, filter=buyers, text="person"))
    (late,) = await _people(database, organization, "Buyer")

    async with database.transaction(organization, "test") as tx:
        await bulk.change(tx, edit.id, Changes(set=_CEO))
        done = await bulk.run(tx, edit.id)

    assert (done.total, done.changed) == (2, 2)
    assert (await _read(database, organization, late)).title == "Buyer"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (Changes(), "Nothing is to change"),
        (Changes(set={"name": "Anna"}), "name cannot be changed in many records"),
        (Changes(set={"custom.none": 1}), "no custom field 'none'"),
        (Changes(set={"owner_id": str(uuid7())}), "There is no member"),
        (Changes(set={"company_id": str(uuid7())}), "There is no company"),
        (Changes(set={"owner_id": "Anna"}), "owner_id needs the id of a record"),
        (Changes(set={"language": None}), "cannot be empty"),
        (Changes(add_tags=(uuid7(),)), "There is no tag"),  # type: ignore[arg-type]
    ],
)
async def test_a_change_that_cannot_be_is_refused_before_anything_is_tried(
    database: Database, organization: Principal, changes: Changes, said: str
) -> None:
    people = await _people(database, organization, "")
    async with database.transaction(organization, "test") as tx:
        edit = await bulk.create_bulk_edit(tx, NewBulkEdit(RecordKind.CONTACT, (people[0].id,)))
        with pytest.raises(Unprocessable, match=said):
            await bulk.change(tx, edit.id, changes)


async def test_an_agent_proposes_and_a_person_runs(database: Database, organization: Principal) -> None:
    people = await _people(database, organization, "Buyer")
    seat = Principal(PrincipalKind.BIDI, uuid7(), organization.organization_id, scopes=frozenset({"*"}))

    edit = await _tried(database, seat, people, Changes(set=_CEO))
    with pytest.raises(Forbidden, match="Only a person"):
        await _do(database, seat, edit, bulk.run)
    done = await _do(database, organization, edit, bulk.run)

    assert (edit.status, edit.changed, done.changed) == (BulkStatus.CHECKED, 1, 1)


async def test_permissions_are_those_of_whoever_runs_it(database: Database, organization: Principal) -> None:
    people = await _people(database, organization, *(["Buyer"] * 120))
    edit = await _tried(database, organization, people, Changes(set=_CEO))
    await _work(database, organization, edit)
    await _do(database, organization, edit, bulk.run)
    async with database.transaction(organization, "test") as tx:
        await tx.execute("UPDATE members SET role = 'viewer' WHERE user_id = %(id)s", id=organization.id)

    done = await _work(database, organization, edit)
    (refused, *_) = await _edited(database, organization, edit, RecordVerdict.REFUSED)

    assert (done.changed, done.refused) == (0, 120)
    assert refused.reason is Reason.FORBIDDEN


async def test_viewers_and_seats_with_their_own_records_do_not_edit_many(
    database: Database, organization: Principal
) -> None:
    people = await _people(database, organization, "Buyer")
    viewer = replace(organization, scopes=SCOPES[Role.VIEWER])
    partner = replace(organization, visibility=Visibility.ASSIGNED, seat_id=uuid7())

    for principal, said in ((viewer, "contacts:write"), (partner, "beyond what is assigned")):
        with pytest.raises(Forbidden, match=said):
            await _tried(database, principal, people, Changes(set=_CEO))


async def test_nothing_runs_before_its_trial_or_twice(database: Database, organization: Principal) -> None:
    people = await _people(database, organization, "Buyer")
    async with database.transaction(organization, "test") as tx:
        edit = await bulk.create_bulk_edit(tx, NewBulkEdit(RecordKind.CONTACT, (people[0].id,)))
        with pytest.raises(Conflict, match="is draft"):
            await bulk.run(tx, edit.id)
        await bulk.change(tx, edit.id, Changes(set=_CEO))
        await bulk.run(tx, edit.id)
        with pytest.raises(Conflict, match="is finished"):
            await bulk.run(tx, edit.id)
        await bulk.undo(tx, edit.id)
        with pytest.raises(Conflict, match="is undone"):
            await bulk.undo(tx, edit.id)


async def test_records_of_another_organization_are_not_there(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    (theirs,) = await _people(database, other_organization, "Buyer")

    edit = await _tried(database, organization, [theirs], Changes(set=_CEO))
    (refused,) = await _edited(database, organization, edit, RecordVerdict.REFUSED)

    assert (refused.label, refused.reason) == ("", Reason.GONE)
    async with database.transaction(other_organization, "test") as tx:
        with pytest.raises(NotFound):
            await get_bulk_edit(tx, edit.id)
        assert (await list_bulk_edits(tx)).items == []


async def test_leads_and_deals_keep_the_rules_of_their_stages(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        pipeline = await create_pipeline(tx, "Sales")
        stages = await list_stages(tx, pipeline.id)
        first, won = stages[0], next(stage for stage in stages if stage.outcome is Outcome.WON)
        await update_stage(tx, won.id, StageEdit(allowed_actions=()))
        contact = await create_contact(tx, NewContact("Anna"))
        lead = await create_lead(tx, NewLead(contact.id, stage_id=first.id))
        open_deal = await create_deal(tx, NewDeal("Open", first.id))
        closed = await create_deal(tx, NewDeal("Closed", won.id))

        of_leads = NewBulkEdit(RecordKind.LEAD, (lead.id,))
        leads = await bulk.create_bulk_edit(tx, of_leads, Changes(set={"source": "Fair"}))
        await bulk.run(tx, leads.id)
        of_deals = NewBulkEdit(RecordKind.DEAL, (open_deal.id, closed.id))
        wanted = Changes(set={"close_date": "2027-01-31", "probability": 40})
        deals = await bulk.run(tx, (await bulk.create_bulk_edit(tx, of_deals, wanted)).id)
        (refused,) = await list_edited(tx, deals.id, [RecordVerdict.REFUSED])
        changed = await get_deal(tx, open_deal.id)
        sourced = await get_lead(tx, lead.id)
        await bulk.undo(tx, deals.id)
        again = await get_deal(tx, open_deal.id)

    assert sourced.source == "Fair"
    assert (changed.close_date, changed.probability) == (date(2027, 1, 31), 40)
    assert (refused.label, refused.reason) == ("Closed", Reason.RULE)
    assert (again.close_date, again.probability) == (None, None)
