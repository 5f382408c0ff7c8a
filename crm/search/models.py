"""What can be found, the words that it is found by, and what a find looks like."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from events.ids import RecordKind


class FoundKind(StrEnum):
    """The kinds of records that the box looks through, in the order in which groups are shown."""

    CONTACT = "contact"
    COMPANY = "company"
    DEAL = "deal"
    LEAD = "lead"
    TASK = "task"
    MEETING = "meeting"
    NOTE = "note"
    FILE = "file"
    MESSAGE = "message"
    DOCUMENT = "document"


class Rank(IntEnum):
    """Where a word stands in its record; smaller is better."""

    TITLE = 0
    HANDLE = 1
    DETAIL = 2
    BODY = 3


@dataclass(frozen=True)
class Record:
    """A record as it is searched and shown. `body` is what a snippet is cut from, `labels` are its tags and the texts
    of its custom fields; `thread_id` is the conversation of a message, `record_kind` and `record_id` say what a task,
    a meeting, a note or a file hangs on."""

    id: UUID
    title: str
    detail: str
    handles: list[str]
    body: str
    at: datetime
    thread_id: UUID | None = None
    labels: list[str] = field(default_factory=list)
    record_kind: RecordKind | None = None
    record_id: UUID | None = None


@dataclass(frozen=True)
class Marked:
    """A text and which parts of it were asked for: [start, end) in characters."""

    text: str
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def pieces(self) -> list[tuple[str, bool]]:
        """The text in order, cut where a mark begins or ends; True for what is marked."""
        cut, place = [], 0
        for start, end in self.ranges:
            cut += [(self.text[place:start], False), (self.text[start:end], True)]
            place = end
        return [piece for piece in (*cut, (self.text[place:], False)) if piece[0]]


@dataclass(frozen=True)
class Hit:
    """One find. `snippet` is a part of its text, a handle, a tag or a custom value, when that is where the words were
    found; `record_kind` and `record_id` say what a task, a meeting, a note or a file hangs on."""

    kind: FoundKind
    id: UUID
    title: Marked
    detail: Marked
    snippet: Marked
    at: datetime
    thread_id: UUID | None
    score: float
    record_kind: RecordKind | None = None
    record_id: UUID | None = None


@dataclass(frozen=True)
class Found:
    """What a query came to, best first. `understood` is the query as it was read, when that is not as it was typed;
    `is_guessed` when a word of it was taken for misspelt, or stands nowhere."""

    hits: list[Hit]
    understood: str = ""
    is_guessed: bool = False
