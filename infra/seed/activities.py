"""What the demo team noted down: tasks of every day, notes, and meetings past and planned."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from core.db import Tx
from crm.identity.queries import list_members
from crm.meetings.actions import create_meeting, set_status
from crm.meetings.models import MeetingStatus, NewMeeting
from crm.notes.actions import create_note
from crm.records.models import RecordRef
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask, Priority
from events.ids import ContactId, MemberId, RecordKind, UserId

# Days back and an hour -> a moment of the organization's own day.
At = Callable[[int, str], datetime]


async def add_activities(
    tx: Tx,
    data: Mapping[str, Any],
    *,
    users: Mapping[str, UserId],
    contacts: Mapping[str, ContactId],
    at: At,
) -> None:
    """Make the tasks, notes and meetings of demo.toml; each belongs to a member of the team."""
    by_user = {member.user_id: MemberId(member.id) for member in await list_members(tx)}
    members = {key: by_user[user_id] for key, user_id in users.items()}
    for task in data["tasks"]:
        await create_task(
            tx,
            NewTask(
                task["title"],
                RecordRef(RecordKind.CONTACT, contacts[task["contact"]]),
                assignee_id=members[task.get("member", "anna")],
                priority=Priority(task.get("priority", "normal")),
                due_at=at(-task["due_in_days"], task.get("hour", "18:00")),
            ),
        )
    for note in data["notes"]:
        await create_note(tx, RecordRef(RecordKind.CONTACT, contacts[note["contact"]]), note["text"])
    for meeting in data["meetings"]:
        await _meeting(tx, meeting, members, contacts[meeting["contact"]], at)


async def _meeting(
    tx: Tx, meeting: Mapping[str, Any], members: Mapping[str, MemberId], contact_id: ContactId, at: At
) -> None:
    starts_at = at(-meeting["in_days"], meeting["hour"])
    made = await create_meeting(
        tx,
        NewMeeting(
            meeting["title"],
            starts_at,
            starts_at + timedelta(minutes=meeting["minutes"]),
            place=meeting.get("place", ""),
            link=meeting.get("link", ""),
            contact_ids=(contact_id,),
            member_ids=(members[meeting.get("member", "anna")],),
        ),
    )
    if "outcome" in meeting:
        await set_status(tx, made.id, MeetingStatus.HELD, outcome=meeting["outcome"])
