"""A record as others refer to it."""

from dataclasses import dataclass
from uuid import UUID

from events.ids import RecordKind


@dataclass(frozen=True)
class RecordRef:
    """Names a record of any kind."""

    kind: RecordKind
    id: UUID


@dataclass(frozen=True)
class Record:
    """A record with what it is called; a lead has its contact's name."""

    kind: RecordKind
    id: UUID
    name: str
    is_deleted: bool

    @property
    def ref(self) -> RecordRef:
        return RecordRef(self.kind, self.id)
