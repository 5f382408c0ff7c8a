"""A bulk edit changes many records of one kind in the same way, after it has shown what that does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from core.principal import PrincipalKind
from events.ids import BulkEditId, RecordKind, TagId, UserId

# More are better done in parts: one edit has to be read, tried and taken back by a person.
MOST_RECORDS = 20_000
# So many are done at once, in the request itself.
SMALL = 100


class BulkStatus(StrEnum):
    """Records are chosen (draft), the changes tried (checking, checked) and then run."""

    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    CANCELLED = "cancelled"
    FAILED = "failed"
    FINISHED = "finished"
    UNDOING = "undoing"
    UNDONE = "undone"


class Fate(StrEnum):
    TRASH = "trash"
    RESTORE = "restore"


class RecordVerdict(StrEnum):
    """What became of a record, or would: the last two when the edit was taken back."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    RESTORED = "restored"
    KEPT = "kept"


class Reason(StrEnum):
    """Why a record was refused or kept; `rule` is told by its detail."""

    GONE = "gone"
    IN_TRASH = "in_trash"
    CHANGED_SINCE = "changed_since"
    FORBIDDEN = "forbidden"
    RULE = "rule"


@dataclass(frozen=True)
class Changes:
    """The same for every record: new values by field, as JSON; None empties one that may be empty."""

    set: Mapping[str, JsonValue] = field(default_factory=dict)
    add_tags: tuple[TagId, ...] = ()
    remove_tags: tuple[TagId, ...] = ()
    fate: Fate | None = None

    def __bool__(self) -> bool:
        return bool(self.set or self.add_tags or self.remove_tags or self.fate)

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "set": dict(self.set),
            "add_tags": [str(tag) for tag in self.add_tags],
            "remove_tags": [str(tag) for tag in self.remove_tags],
            "fate": self.fate,
        }

    @staticmethod
    def of_json(data: Mapping[str, object]) -> "Changes":
        """What `as_json` wrote; nothing of an empty object."""
        values, fate = data.get("set") or {}, data.get("fate")
        add, remove = data.get("add_tags") or (), data.get("remove_tags") or ()
        return Changes(
            values,  # type: ignore[arg-type]  # written by as_json
            tuple(TagId(UUID(tag)) for tag in add),  # type: ignore[attr-defined]
            tuple(TagId(UUID(tag)) for tag in remove),  # type: ignore[attr-defined]
            Fate(str(fate)) if fate else None,
        )


@dataclass(frozen=True)
class BulkEdit:
    """`position` of `total` records are dealt with in the step that the status names, and so are the counts."""

    id: BulkEditId
    record_kind: RecordKind
    changes_json: dict[str, JsonValue]
    status: BulkStatus
    total: int
    position: int
    changed: int
    unchanged: int
    refused: int
    restored: int
    kept: int
    made_by_kind: PrincipalKind
    made_by: UUID
    run_by: UserId | None
    created_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None

    @property
    def changes(self) -> Changes:
        return Changes.of_json(self.changes_json)


@dataclass(frozen=True)
class NewBulkEdit:
    """The records are those of `ids`, or without them those that the filter and the words of a list keep."""

    record_kind: RecordKind
    ids: tuple[UUID, ...] = ()
    filter: JsonValue = None
    text: str = ""


@dataclass(frozen=True)
class EditedRecord:
    """What one record of an edit came to; `changes` has before and after by field, a version if it changed."""

    position: int
    record_id: UUID
    verdict: RecordVerdict | None
    label: str
    reason: Reason | None
    detail: str
    changes: dict[str, list[JsonValue]]
    version: int | None
