"""A task is something to be done by somebody, for a record, by a time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.edits import KEEP, Keep
from core.principal import PrincipalKind
from crm.records.models import RecordRef
from events.ids import MemberId, RecordKind, RunId, TaskId


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class TaskStatus(StrEnum):
    """What lists are filtered by."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True)
class Task:
    """`remind_at` is when its assignee is told besides the time it is due; `removed_at` is set while it can be restored."""

    id: TaskId
    title: str
    description: str
    record_kind: RecordKind | None
    record_id: UUID | None
    assignee_id: MemberId | None
    priority: Priority
    due_at: datetime | None
    remind_at: datetime | None
    done_at: datetime | None
    created_by_kind: PrincipalKind
    created_by_id: UUID
    run_id: RunId | None
    created_at: datetime
    removed_at: datetime | None
    version: int

    @property
    def record(self) -> RecordRef | None:
        if self.record_kind is None or self.record_id is None:
            return None
        return RecordRef(self.record_kind, self.record_id)


@dataclass(frozen=True)
class TaskLine(Task):
    """A task as a line of a list, with the names that a reader wants to see beside it."""

    assignee_name: str | None
    record_name: str | None


@dataclass(frozen=True)
class NewTask:
    """Without an assignee it is for whoever notes it down, or for who answers for the agent that does."""

    title: str
    record: RecordRef | None = None
    description: str = ""
    assignee_id: MemberId | None = None
    priority: Priority = Priority.NORMAL
    due_at: datetime | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True)
class TaskEdit:
    """New values for some fields; None empties one that may be empty."""

    title: str | Keep = KEEP
    description: str | Keep = KEEP
    record: RecordRef | Keep | None = KEEP
    assignee_id: MemberId | Keep | None = KEEP
    priority: Priority | Keep = KEEP
    due_at: datetime | Keep | None = KEEP
    remind_at: datetime | Keep | None = KEEP


@dataclass(frozen=True)
class TaskFilter:
    """What a list keeps; None keeps everything. `due_before` also leaves out what is never due."""

    status: TaskStatus | None = None
    assignee_id: MemberId | None = None
    record: RecordRef | None = None
    due_before: datetime | None = None
