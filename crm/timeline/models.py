"""One thing that happened around a record."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import ConversationId, RecordKind, RunId


class ItemKind(StrEnum):
    MESSAGE = "message"
    NOTE = "note"
    TASK = "task"
    MEETING = "meeting"
    FILE = "file"
    SUGGESTION = "suggestion"
    STAGE = "stage"
    CHANGE = "change"


@dataclass(frozen=True)
class Item:
    """`record_*` is what it hangs on: the record itself, or one that belongs to it.

    `title` is a task's, meeting's, file's or suggestion's, or the name of an event; `text` its words; `status` a task's,
    meeting's or suggestion's state, or a message's direction. `run_id` is the run of the agent that did it. `changed` names the fields of a change, `stages` holds from and to.
    """

    kind: ItemKind
    id: UUID
    at: datetime
    record_kind: RecordKind
    record_id: UUID
    record_name: str | None
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    title: str
    text: str
    status: str
    conversation_id: ConversationId | None
    run_id: RunId | None
    changed: list[str]
    stages: list[str | None]
