"""A document has versions; each version is a file, read or refused by name."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import DocumentId, DocumentVersionId


class VersionStatus(StrEnum):
    PENDING = "pending"
    READY = "ready"
    REFUSED = "refused"


class Uploaded(StrEnum):
    """What an upload came to."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class File:
    """A file whose content is in storage under `sha256`."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Document:
    """`live_version_id` names the version that agents find; it stays until a newer one has been read."""

    id: DocumentId
    name: str
    is_publishable: bool
    live_version_id: DocumentVersionId | None
    removed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class DocumentVersion:
    """`refusal` is a code of memory.documents; `pages` is known for PDF only."""

    id: DocumentVersionId
    document_id: DocumentId
    number: int
    name: str
    mime: str
    sha256: str
    size_bytes: int
    status: VersionStatus
    refusal: str
    languages: list[str]
    pages: int | None
    chunks: int
    uploaded_by: UUID
    uploader: str
    uploaded_at: datetime
    read_at: datetime | None


@dataclass(frozen=True)
class DocumentLine:
    """A document in a list, as its newest version stands; `live_number` is the version that agents find."""

    id: DocumentId
    name: str
    is_publishable: bool
    removed_at: datetime | None
    live_number: int | None
    number: int
    size_bytes: int
    status: VersionStatus
    refusal: str
    languages: list[str]
    pages: int | None
    chunks: int
    uploader: str
    uploaded_at: datetime


@dataclass(frozen=True)
class Reading:
    """What was found in a file that could be read."""

    mime: str
    languages: tuple[str, ...]
    pages: int | None
    chunks: int
