"""A file that somebody put on a record."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.principal import PrincipalKind
from crm.records.models import RecordRef
from events.ids import FileId, RecordKind


@dataclass(frozen=True)
class NewFile:
    """A file whose content is in storage under `blob_key` already."""

    name: str
    mime: str
    size_bytes: int
    blob_key: str


@dataclass(frozen=True)
class File:
    """`mime` is what the browser said that it is: nobody's promise. `removed_at` is set while it can be restored."""

    id: FileId
    record_kind: RecordKind
    record_id: UUID
    name: str
    mime: str
    size_bytes: int
    blob_key: str
    uploaded_by_kind: PrincipalKind
    uploaded_by_id: UUID
    uploader_name: str | None
    created_at: datetime
    removed_at: datetime | None

    @property
    def record(self) -> RecordRef:
        return RecordRef(self.record_kind, self.record_id)
