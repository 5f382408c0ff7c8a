"""Rows of one chunk that are one record become one, before the database is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from crm.imports.tables.models import Duplicates, Prepared, Reason, Why

# A key that leads to one record only: why it is the same, and the value.
Key = tuple[Why, str]


@dataclass
class Head:
    """A record to be, or one that is there: the row that it stands for and the rows that were folded into it."""

    row: Prepared
    record_id: UUID
    why: Why | None = None  # set when the record is there already: by which key it was met
    followers: list[tuple[Prepared, Why]] = field(default_factory=list)
    company_id: UUID | None = None
    contact_id: UUID | None = None
    is_trashed: bool = False

    @property
    def is_there(self) -> bool:
        return self.why is not None


def fold(heads: Sequence[Head], keys: dict[int, list[Key]], duplicates: Duplicates) -> list[Head]:
    """Heads of which no two share a key; `keys` holds those of each row by its number, the surest first."""
    owner: dict[Key, Head] = {}
    kept: list[Head] = []
    for head in heads:
        own = keys[head.row.number]
        shared = next((key for key in own if key in owner), None)
        if shared is None:
            kept.append(head)
            target = head
        else:
            target = owner[shared]
            target.followers.append((head.row, shared[0]))
            target.followers.extend(head.followers)
            absorb(target.row, head.row, duplicates)
        for key in own:
            owner.setdefault(key, target)
    _part_handles(kept)
    return kept


def meet(heads: Sequence[Head], met: dict[int, tuple[Why, UUID]], duplicates: Duplicates) -> list[Head]:
    """Heads with the records that are there already; two that lead to one record become one.

    `met` says for the numbers of rows which record they are, and by which key.
    """
    by_record: dict[UUID, Head] = {}
    kept: list[Head] = []
    for head in heads:
        numbers = (head.row.number, *(row.number for row, _ in head.followers))
        found = next((met[number] for number in numbers if number in met), None)
        if found is None:
            kept.append(head)
            continue
        why, record_id = found
        first = by_record.setdefault(record_id, head)
        if first is head:
            head.record_id, head.why = record_id, why
            kept.append(head)
        else:
            first.followers.append((head.row, why))
            first.followers.extend(head.followers)
            absorb(first.row, head.row, duplicates)
    return kept


def absorb(row: Prepared, later: Prepared, duplicates: Duplicates) -> None:
    """Let a later row of the same record fill the fields that are empty, or overwrite those that it has."""
    if duplicates is Duplicates.SKIP:
        return
    if duplicates is Duplicates.FILL:
        row.values = {
            **later.values,
            **{key: value for key, value in row.values.items() if value not in (None, "")},
        }
        row.custom = {**later.custom, **row.custom}
    else:
        row.values |= later.values
        row.custom |= later.custom
    row.handles += [handle for handle in later.handles if handle not in row.handles]
    row.tags += [tag for tag in later.tags if tag not in row.tags]
    row.consents |= later.consents
    row.person += [handle for handle in later.person if handle not in row.person]
    row.company_name = row.company_name or later.company_name
    row.company_domain = row.company_domain or later.company_domain
    row.external_id = row.external_id or later.external_id


def _part_handles(heads: Sequence[Head]) -> None:
    """A handle belongs to the first row that has it; the others are told."""
    taken: set[tuple[str, str]] = set()
    for head in heads:
        row = head.row
        free = [handle for handle in dict.fromkeys(row.handles) if handle not in taken]
        row.reasons += [
            Reason(Why.HANDLE_TAKEN, value=value)
            for kind, value in dict.fromkeys(row.handles)
            if (kind, value) in taken
        ]
        taken.update(free)
        row.handles = free


def leave_handles(head: Head, owners: dict[tuple[str, str], UUID]) -> None:
    """Leave out the handles that somebody has: one that is another's is told, one that is the record's own is not."""
    row = head.row
    foreign = [handle for handle in row.handles if owners.get(handle, head.record_id) != head.record_id]
    row.reasons += [Reason(Why.HANDLE_TAKEN, value=value) for _, value in foreign]
    row.handles = [handle for handle in row.handles if handle not in owners]
