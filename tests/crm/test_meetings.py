"""Meetings: a time that can be, people of both sides, and an outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.db import Database, Tx
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from crm.bidi.queries import find_own_member
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.meetings.actions import create_meeting, remove_meeting, restore_meeting, set_status, update_meeting
from crm.meetings.models import MeetingEdit, MeetingFilter, MeetingStatus, NewMeeting
from crm.meetings.queries import get_meeting, list_meetings
from crm.records.models import RecordRef
from events.ids import ContactId, MeetingId, MemberId, RecordKind
from tests.support.changes import changes_of

NINE = datetime(2099, 5, 4, 9, tzinfo=UTC)
DEMO = NewMeeting("Demo", NINE, NINE + timedelta(hours=1))


async def reminder(tx: Tx, meeting_id: MeetingId) -> datetime | None:
    due_at: datetime | None = await tx.value(
        "SELECT due_at FROM due_work WHERE kind = 'meeting.remind' AND subject_id = %(id)s", id=meeting_id
    )
    return due_at


async def test_a_meeting_without_members_is_its_makers_in_the_organizations_zone(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))

        meeting = await create_meeting(tx, replace(DEMO, contact_ids=(anna.id,)))

        assert meeting.member_ids == [await find_own_member(tx)]
        assert (meeting.contact_names, meeting.time_zone, meeting.status) == (["Anna"], "UTC", "planned")


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"ends_at": NINE},
        {"ends_at": NINE + timedelta(days=8)},
        {"time_zone": "Mars/Olympus"},
        {"contact_ids": (ContactId(uuid7()),)},
        {"member_ids": (MemberId(uuid7()),)},
        {"record": RecordRef(RecordKind.DEAL, uuid7())},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_meeting_that_cannot_be_is_refused(
    database: Database, organization: Principal, wrong: dict[str, Any]
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_meeting(tx, replace(DEMO, **wrong))


async def test_the_reminder_follows_the_meeting(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        meeting = await create_meeting(tx, replace(DEMO, remind_minutes=30))
        assert await reminder(tx, meeting.id) == NINE - timedelta(minutes=30)

        later = MeetingEdit(starts_at=NINE + timedelta(hours=2), ends_at=NINE + timedelta(hours=3))
        await update_meeting(tx, meeting.id, later, version=1)
        assert await reminder(tx, meeting.id) == NINE + timedelta(hours=1, minutes=30)

        await set_status(tx, meeting.id, MeetingStatus.CANCELLED)
        assert await reminder(tx, meeting.id) is None
        await set_status(tx, meeting.id, MeetingStatus.PLANNED)
        assert await reminder(tx, meeting.id) is not None
        await remove_meeting(tx, meeting.id)
        assert await reminder(tx, meeting.id) is None
        await restore_meeting(tx, meeting.id)
        assert await reminder(tx, meeting.id) is not None


async def test_people_given_take_the_place_of_those_before(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        bert = await create_contact(tx, NewContact("Bert"))
        meeting = await create_meeting(tx, replace(DEMO, contact_ids=(anna.id,)))

        updated = await update_meeting(tx, meeting.id, MeetingEdit(contact_ids=[bert.id]), version=1)
        same = await update_meeting(tx, meeting.id, MeetingEdit(contact_ids=[bert.id, bert.id]), version=2)

        assert (updated.contact_names, updated.member_ids) == (["Bert"], meeting.member_ids)
        assert same.version == updated.version == 2
        with pytest.raises(Stale):
            await update_meeting(tx, meeting.id, MeetingEdit(title="Call"), version=1)


async def test_what_came_of_it_is_kept_once(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        meeting = await create_meeting(tx, DEMO)

        for _ in range(2):
            held = await set_status(tx, meeting.id, MeetingStatus.HELD, outcome="They buy")

        assert (held.status, held.outcome, held.version) == ("held", "They buy", 2)
        assert [event.type for event in await changes_of(tx, meeting.id)] == [
            "meeting.created",
            "meeting.held",
        ]


async def test_meetings_are_listed_by_time_and_people(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        about = RecordRef(RecordKind.CONTACT, anna.id)
        late = await create_meeting(
            tx, NewMeeting("Late", NINE + timedelta(days=1), NINE + timedelta(days=1, hours=1), record=about)
        )
        early = await create_meeting(tx, replace(DEMO, contact_ids=(anna.id,)))
        await create_meeting(tx, replace(DEMO, title="Unrelated", starts_at=NINE + timedelta(minutes=5)))

        first = await list_meetings(tx, MeetingFilter(record=about), limit=1)
        second = await list_meetings(tx, MeetingFilter(record=about), limit=1, cursor=first.next_cursor)
        day = await list_meetings(tx, MeetingFilter(since=NINE, until=NINE + timedelta(days=1)))

        assert [meeting.id for meeting in (*first.items, *second.items)] == [early.id, late.id]
        assert second.next_cursor is None
        assert [meeting.title for meeting in day.items] == ["Demo", "Unrelated"]


async def test_a_removed_meeting_cannot_be_changed(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        meeting = await create_meeting(tx, DEMO)
        await remove_meeting(tx, meeting.id)

        assert (await list_meetings(tx)).items == []
        assert (await get_meeting(tx, meeting.id)).removed_at is not None
        with pytest.raises(Conflict, match="restore"):
            await set_status(tx, meeting.id, MeetingStatus.HELD)
