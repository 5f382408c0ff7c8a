"""An import and the counts that it shows while it goes on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crm.conversations.history import PastFile
from events.ids import ChannelAccountId, ImportId, UserId


class Exported(StrEnum):
    """What leaves as a table: the records, and what people wrote down and planned about them."""

    CONTACT = "contact"
    COMPANY = "company"
    LEAD = "lead"
    DEAL = "deal"
    NOTE = "note"
    TASK = "task"
    MEETING = "meeting"

    @property
    def plural(self) -> str:
        """How scopes and commands call all of them."""
        return "companies" if self is Exported.COMPANY else f"{self.value}s"


class ImportKind(StrEnum):
    TELEGRAM_DESKTOP = "telegram_desktop"
    TABLE = "table"


class ImportStatus(StrEnum):
    """A table is mapped (draft) and tried (checking, checked) before it runs; everything else runs at once."""

    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FAILED = "failed"
    FINISHED = "finished"
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True)
class Import:
    """`position` of `total` steps are committed; a step is one row, one person of the address book or one chat."""

    id: ImportId
    kind: ImportKind
    label: str
    fingerprint: str
    status: ImportStatus
    channel_account_id: ChannelAccountId | None
    member_user_id: UserId
    total: int
    position: int
    contacts_made: int
    contacts_found: int
    conversations: int
    messages: int
    files: int
    started_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None


@dataclass(frozen=True)
class NewImport:
    """`fingerprint` is the SHA-256 of the file: the same file is the same import."""

    kind: ImportKind
    label: str
    fingerprint: str
    channel_account_id: ChannelAccountId
    member_user_id: UserId
    total: int


@dataclass(frozen=True)
class ImportedPerson:
    """Somebody of the source; `handles` are (kind, value) pairs, the surest first."""

    name: str
    language: str
    handles: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImportedLine:
    """One message of the source, by our member or by the person."""

    external_id: str
    is_own: bool
    text: str
    at: datetime
    files: tuple[PastFile, ...] = ()


@dataclass(frozen=True)
class ImportedChat:
    """A talk with one person, oldest line first."""

    external_id: str
    person: ImportedPerson
    lines: tuple[ImportedLine, ...]
