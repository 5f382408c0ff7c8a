"""One record of a bulk edit: changing it by the action of its noun, and giving it back what it held before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from core.errors import AppError, Conflict, Forbidden, NotFound
from crm.bulk.kinds import KINDS, Kind, edit_of, label_of, value_in
from crm.bulk.models import Changes, EditedRecord, Fate, Reason, RecordVerdict
from crm.tags.actions import put_tag, take_tag
from events.ids import RecordKind, TagId

ADDED, REMOVED, TRASHED = "tags_added", "tags_removed", "deleted_at"


@dataclass(frozen=True)
class Outcome:
    """What became of a record; `changes` has before and after by field."""

    verdict: RecordVerdict
    label: str = ""
    reason: Reason | None = None
    detail: str = ""
    changes: dict[str, list[JsonValue]] = field(default_factory=dict)
    version: int | None = None


class _InTrash(Conflict):
    """Only what is in a list is edited."""


class _ChangedSince(Conflict):
    """Somebody has worked on the record after the edit."""


async def apply(tx: Tx, record_kind: RecordKind, record_id: UUID, changes: Changes) -> Outcome:
    """Change one record as far as it is not so already; what refuses it leaves it untouched."""
    kind, label = KINDS[record_kind], ""
    try:
        async with tx.savepoint():
            record = await kind.get(tx, record_id, lock=True)
            label = label_of(record)
            noted, after = await _change(tx, record_kind, record, changes)
    except AppError as err:
        return Outcome(RecordVerdict.REFUSED, label, _reason_of(err), err.detail)
    if not noted:
        return Outcome(RecordVerdict.UNCHANGED, label)
    return Outcome(RecordVerdict.CHANGED, label, changes=noted, version=after.version)


async def _change(
    tx: Tx, record_kind: RecordKind, record: Any, changes: Changes
) -> tuple[dict[str, list[JsonValue]], Any]:
    kind, noted = KINDS[record_kind], dict[str, list[JsonValue]]()
    after = record
    if changes.fate is Fate.RESTORE and record.deleted_at is not None:
        after = await kind.restore(tx, record.id)
        noted[TRASHED] = [plain(record.deleted_at), None]
    elif record.deleted_at is not None:
        raise _InTrash(f"{label_of(record)} is in the trash; restore it first.")
    if changes.set:
        before, after = (
            after,
            await kind.update(tx, record.id, edit_of(kind, changes.set), version=after.version),
        )
        noted |= _differences(before, after, changes.set)
    noted |= await _tag(tx, record_kind, record.id, changes)
    if changes.fate is Fate.TRASH:
        after = await kind.delete(tx, record.id, version=after.version)
        noted[TRASHED] = [None, plain(after.deleted_at)]
    return noted, after


def _differences(before: Any, after: Any, names: Mapping[str, JsonValue]) -> dict[str, list[JsonValue]]:
    pairs = {name: [plain(value_in(before, name)), plain(value_in(after, name))] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


async def _tag(
    tx: Tx, record_kind: RecordKind, record_id: UUID, changes: Changes
) -> dict[str, list[JsonValue]]:
    """Put tags on and take tags off, and say which of them made a difference."""
    added = [str(tag) for tag in changes.add_tags if await put_tag(tx, record_kind, record_id, tag)]
    removed = [str(tag) for tag in changes.remove_tags if await take_tag(tx, record_kind, record_id, tag)]
    noted: dict[str, list[JsonValue]] = {ADDED: [*added], REMOVED: [*removed]}
    return {name: tags for name, tags in noted.items() if tags}


async def take_back(tx: Tx, record_kind: RecordKind, edited: EditedRecord) -> Outcome:
    """Give a record back what it held before the edit, unless somebody has changed it since."""
    kind = KINDS[record_kind]
    try:
        async with tx.savepoint():
            record = await kind.get(tx, edited.record_id, lock=True)
            if record.version != edited.version:
                raise _ChangedSince(f"{label_of(record)} was changed after the edit.")
            await _give_back(tx, kind, record_kind, record, edited.changes)
    except AppError as err:
        return Outcome(
            RecordVerdict.KEPT, edited.label, _reason_of(err), err.detail, edited.changes, edited.version
        )
    return Outcome(RecordVerdict.RESTORED, edited.label, changes=edited.changes)


async def _give_back(
    tx: Tx, kind: Kind, record_kind: RecordKind, record: Any, changes: Mapping[str, list[JsonValue]]
) -> None:
    before, after = changes.get(TRASHED, [None, None])
    if after is not None:
        record = await kind.restore(tx, record.id)
    values = {name: pair[0] for name, pair in changes.items() if name not in (ADDED, REMOVED, TRASHED)}
    if values:
        record = await kind.update(tx, record.id, edit_of(kind, values), version=record.version)
    for tag in changes.get(ADDED, ()):
        await take_tag(tx, record_kind, record.id, TagId(UUID(str(tag))))
    for tag in changes.get(REMOVED, ()):
        await put_tag(tx, record_kind, record.id, TagId(UUID(str(tag))))
    if before is not None:
        await kind.delete(tx, record.id, version=record.version)


def _reason_of(err: AppError) -> Reason:
    match err:
        case NotFound():
            return Reason.GONE
        case _InTrash():
            return Reason.IN_TRASH
        case _ChangedSince():
            return Reason.CHANGED_SINCE
        case Forbidden():
            return Reason.FORBIDDEN
        case _:
            return Reason.RULE


def plain(value: object) -> JsonValue:
    """A value as JSON keeps it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value  # type: ignore[return-value]  # JSON otherwise
