"""A note is plain text that somebody wrote down about a record."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.principal import PrincipalKind
from crm.records.models import RecordRef
from events.ids import NoteId, RecordKind, RunId


@dataclass(frozen=True)
class Note:
    """`edited_at` is set once its words were changed; `removed_at` while it can be restored."""

    id: NoteId
    record_kind: RecordKind
    record_id: UUID
    body: str
    author_kind: PrincipalKind
    author_id: UUID
    run_id: RunId | None
    created_at: datetime
    edited_at: datetime | None
    removed_at: datetime | None
    version: int

    @property
    def record(self) -> RecordRef:
        return RecordRef(self.record_kind, self.record_id)


@dataclass(frozen=True)
class NoteLine(Note):
    """A note as a line of a list, with the names of its author and of its record."""

    author_name: str | None
    record_name: str | None
