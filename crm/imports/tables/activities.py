"""Notes, tasks and meetings as rows of an export: each says by kind, id and name which record it is about."""

from typing import Any

from core.db import Tx
from core.pagination import MAX_PAGE
from crm.imports.models import Exported
from crm.meetings.queries import list_meetings
from crm.notes.queries import list_notes
from crm.tasks.queries import list_tasks

Cells = dict[str, Any]
_ABOUT = ("record kind", "record id", "record")
COLUMNS = {
    Exported.NOTE: ("getsale note id", *_ABOUT, "text", "author", "created at", "edited at"),
    Exported.TASK: (
        "getsale task id", "title", *_ABOUT, "description", "assignee", "priority", "due at", "remind at", "done at",
        "created at",
    ),
    Exported.MEETING: (
        "getsale meeting id", "title", *_ABOUT, "starts at", "ends at", "time zone", "place", "link", "status", "outcome",
        "notes", "contacts", "members", "created at",
    ),
}  # fmt: skip


async def notes(tx: Tx, cursor: str | None) -> tuple[list[Cells], str | None]:
    page = await list_notes(tx, cursor=cursor, limit=MAX_PAGE)
    return [
        {
            "getsale note id": note.id, "record kind": note.record_kind, "record id": note.record_id,
            "record": note.record_name, "text": note.body, "author": note.author_name, "created at": note.created_at,
            "edited at": note.edited_at,
        }
        for note in page.items
    ], page.next_cursor  # fmt: skip


async def tasks(tx: Tx, cursor: str | None) -> tuple[list[Cells], str | None]:
    page = await list_tasks(tx, cursor=cursor, limit=MAX_PAGE)
    return [
        {
            "getsale task id": task.id, "title": task.title, "record kind": task.record_kind,
            "record id": task.record_id, "record": task.record_name, "description": task.description,
            "assignee": task.assignee_name, "priority": task.priority, "due at": task.due_at,
            "remind at": task.remind_at, "done at": task.done_at, "created at": task.created_at,
        }
        for task in page.items
    ], page.next_cursor  # fmt: skip


async def meetings(tx: Tx, cursor: str | None) -> tuple[list[Cells], str | None]:
    page = await list_meetings(tx, cursor=cursor, limit=MAX_PAGE)
    return [
        {
            "getsale meeting id": meeting.id, "title": meeting.title, "record kind": meeting.record_kind,
            "record id": meeting.record_id, "record": meeting.record_name, "starts at": meeting.starts_at,
            "ends at": meeting.ends_at, "time zone": meeting.time_zone, "place": meeting.place, "link": meeting.link,
            "status": meeting.status, "outcome": meeting.outcome, "notes": meeting.notes,
            "contacts": meeting.contact_names, "members": meeting.member_names, "created at": meeting.created_at,
        }
        for meeting in page.items
    ], page.next_cursor  # fmt: skip
