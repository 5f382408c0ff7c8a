"""What the pages of tasks and meetings show: things in the reader's own days, and the sections of a record."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from core import clock
from core.db import Tx
from crm.bidi.queries import find_own_member
from crm.files.queries import list_files
from crm.identity.queries import Member, list_members
from crm.meetings.models import MeetingFilter, MeetingLine
from crm.meetings.queries import list_meetings
from crm.notes.queries import list_notes
from crm.records.models import Record, RecordRef
from crm.records.queries import get_record
from crm.tasks.models import TaskLine
from crm.tasks.queries import list_due_tasks, list_record_tasks
from crm.timeline.models import ItemKind
from crm.timeline.queries import list_timeline
from events.ids import MemberId, RecordKind
from web import suggestions_view
from web.i18n import Words

MINE, EVERYBODY = "mine", "all"
SHOWN = 200


@dataclass(frozen=True)
class Group:
    """Tasks under one heading; `kind` is overdue, today, later or someday."""

    kind: str
    tasks: list[TaskLine]


@dataclass(frozen=True)
class TaskBoard:
    """Open tasks of one person or of everybody, in the groups of the reader's day."""

    person: str
    groups: list[Group]
    members: list[Member]
    own_id: UUID | None

    @property
    def count(self) -> int:
        return sum(len(group.tasks) for group in self.groups)

    @property
    def is_full(self) -> bool:
        return self.count >= SHOWN


@dataclass(frozen=True)
class Day:
    day: date
    meetings: list[MeetingLine]


@dataclass(frozen=True)
class Agenda:
    """The meetings of a day or a week; `earlier` and `later` are the days that lead on."""

    view: str
    on: date
    days: list[Day]
    earlier: date
    later: date
    is_today: bool


async def load_tasks(tx: Tx, words: Words, person: str) -> TaskBoard:
    """`person` is `mine`, `all`, or a member's id; one that nobody has shows nothing."""
    own = await find_own_member(tx)
    whose = None if person == EVERYBODY else own if person == MINE else MemberId(UUID(person))
    tasks = await list_due_tasks(tx, whose, limit=SHOWN)
    groups = {kind: [task for task in tasks if _when(task, words) == kind] for kind in _WHEN}
    return TaskBoard(
        person,
        [Group(kind, found) for kind, found in groups.items() if found],
        await list_members(tx),
        own,
    )


_WHEN = ("overdue", "today", "later", "someday")


def _when(task: TaskLine, words: Words) -> str:
    if task.due_at is None:
        return "someday"
    if task.due_at < clock.now():
        return "overdue"
    return "today" if words.local(task.due_at).date() == words.today() else "later"


async def load_agenda(tx: Tx, words: Words, view: str, on: date | None) -> Agenda:
    """The meetings of the day, or of the week from its Monday, in the organization's time zone."""
    day = on or words.today()
    length = 7 if view == "week" else 1
    first = day - timedelta(days=day.weekday()) if view == "week" else day
    since = midnight(first, words)
    until = midnight(first + timedelta(days=length), words)
    page = await list_meetings(tx, MeetingFilter(since=since, until=until), limit=100)
    days = [first + timedelta(days=number) for number in range(length)]
    return Agenda(
        view,
        day,
        [Day(one, [m for m in page.items if words.local(m.starts_at).date() == one]) for one in days],
        first - timedelta(days=length),
        first + timedelta(days=length),
        words.today() in days,
    )


def midnight(day: date, words: Words) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=words.zone)


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """What a field of date and time holds, in this zone unless it names its own; None when it is empty.

    Raises: ValueError.
    """
    if not text.strip():
        return None
    at = datetime.fromisoformat(text.strip())
    return at if at.tzinfo else at.replace(tzinfo=zone)


async def load_section(
    tx: Tx, words: Words, record: RecordRef, part: str, *, cursor: str = "", kind: ItemKind | None = None
) -> dict[str, Any]:
    """What `records/_<part>.html` needs. Raises: NotFound."""
    found = await get_record(tx, record)
    context: dict[str, Any] = {"record": found, "record_path": record_path(record), "part": part}
    match part:
        case "notes":
            context["notes"] = await list_notes(tx, record, cursor=cursor or None)
        case "tasks":
            context["tasks"] = await list_record_tasks(tx, record)
        case "meetings":
            context["meetings"] = await list_meetings(tx, MeetingFilter(record=record), limit=50)
        case "suggestions":
            context["cards"] = await suggestions_view.load_cards(tx, words, record=record)
        case "files":
            context["files"] = await list_files(tx, record, cursor=cursor or None)
        case _:
            kinds = [kind] if kind else []
            context["timeline"] = await list_timeline(tx, record, kinds, cursor=cursor or None)
            context["kind"] = kind.value if kind else ""
    return context


def record_path(record: RecordRef) -> str:
    """The page of a record."""
    folder = "companies" if record.kind is RecordKind.COMPANY else f"{record.kind}s"
    return f"/{folder}/{record.id}"


def section_path(record: Record | RecordRef, part: str) -> str:
    return f"/records/{record.kind.value}/{record.id}/{part}"


def record_of(kind: str, record_id: str) -> RecordRef | None:
    """The record that hidden fields of a form name, if they do. Raises: ValueError."""
    return RecordRef(RecordKind(kind), UUID(record_id)) if kind and record_id else None
