"""Reading merges, and what one would do before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from core.errors import Conflict, NotFound, Unprocessable
from core.pagination import Page, decode_time, encode_cursor, page_size
from crm.custom_fields.links import linked_names
from crm.custom_fields.queries import list_custom_fields
from crm.merges import rows
from crm.merges.models import FieldChoice, Merge, MergeId, Preview, Side, Values
from crm.merges.references import SUBJECTS, Subject
from events.ids import RecordKind


@dataclass(frozen=True)
class _Named:
    id: str
    name: str


async def get_merge(tx: Tx, merge_id: MergeId, *, lock: bool = False) -> Merge:
    """Raises: NotFound."""
    tx.principal.require("contacts:read")
    if lock:
        await tx.execute("SELECT FROM merges WHERE id = %(merge_id)s FOR UPDATE", merge_id=merge_id)
    return await tx.one(
        Merge,
        """
        SELECT id, record_kind, kept_id, merged_id, kept_name, merged_name, merged_by, merged_at, undone_at
          FROM merges
         WHERE id = %(merge_id)s
        """,
        merge_id=merge_id,
    )


async def list_merges(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Merge]:
    """The merges of the organization, the newest first."""
    tx.principal.require("contacts:read")
    size = page_size(limit)
    after_at, after_id = decode_time(cursor) if cursor else ("infinity", UUID(int=0))
    merges = await tx.all(
        Merge,
        """
        SELECT id, record_kind, kept_id, merged_id, kept_name, merged_name, merged_by, merged_at, undone_at
          FROM merges
         WHERE (merged_at, id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)
         ORDER BY merged_at DESC, id DESC
         LIMIT %(limit)s
        """,
        after_at=after_at,
        after_id=after_id,
        limit=size + 1,
    )
    page = merges[:size]
    more = len(merges) > size
    return Page(page, encode_cursor(page[-1].merged_at.isoformat(), page[-1].id) if more else None)


async def preview_merge(tx: Tx, kind: RecordKind, kept_id: UUID, merged_id: UUID) -> Preview:
    """Both records field by field, and what would move.

    Raises:
        NotFound: one of them is not there, or was put away.
        Conflict: a record with itself.
        Unprocessable: a kind that is not merged.
    """
    subject = subject_of(kind)
    tx.principal.require(f"{subject.table}:read")
    kept, merged = await read_both(tx, subject, kept_id, merged_id)
    moves = {
        f"{reference.table}.{reference.column}": await rows.count(tx, reference, kind, merged_id)
        for reference in subject.references
    }
    return Preview(
        kind,
        kept_id,
        merged_id,
        str(kept["name"]),
        str(merged["name"]),
        tuple(choices(subject, kept, merged, await _names(tx, kind, kept, merged))),
        {table: number for table, number in moves.items() if number},
    )


def subject_of(kind: RecordKind) -> Subject:
    """Raises: Unprocessable for a kind that is not merged."""
    try:
        return SUBJECTS[kind]
    except KeyError as err:
        raise Unprocessable(
            f"A {kind} cannot be merged; contacts and companies can.", field="record_kind"
        ) from err


async def read_both(tx: Tx, subject: Subject, kept_id: UUID, merged_id: UUID) -> tuple[Values, Values]:
    """Both records as they are now, in a fixed order so that two merges cannot wait for each other."""
    keys: list[Values] = [{"id": str(one)} for one in sorted((kept_id, merged_id))]
    found = await rows.read_rows(tx, subject.table, ("id",), keys)
    for one in (kept_id, merged_id):
        row = found.get((str(one),))
        if row is None or row["deleted_at"] is not None or row["merged_into_id"] is not None:
            raise NotFound(f"No such {subject.kind} that could be merged in this organization.")
    # not before: whether an id is somebody's may not show
    if kept_id == merged_id:
        raise Conflict(f"A {subject.kind} cannot be merged with itself.", field="merged_id")
    return found[(str(kept_id),)], found[(str(merged_id),)]


def choices(subject: Subject, kept: Values, merged: Values, names: Mapping[str, str]) -> list[FieldChoice]:
    """Every field, custom ones as `custom.KEY`; an empty value gives way to one that is not."""
    fields = [(name, kept[name], merged[name]) for name in subject.fields]
    own, other = custom_of(kept), custom_of(merged)
    fields += [(f"custom.{key}", own.get(key), other.get(key)) for key in sorted(own.keys() | other.keys())]
    return [
        FieldChoice(
            name,
            _shown(one, names),
            _shown(two, names),
            Side.MERGED if one in (None, "", []) and two not in (None, "", []) else Side.KEPT,
        )
        for name, one, two in fields
    ]


def custom_of(row: Values) -> Values:
    custom = row["custom"]
    return custom if isinstance(custom, dict) else {}


def _shown(value: object, names: Mapping[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return names.get(str(value), str(value))


async def _names(tx: Tx, kind: RecordKind, *records: Values) -> Mapping[str, str]:
    """What ids in the records stand for: a company, a person responsible, a seat, what a custom field leads to."""
    fields = await list_custom_fields(tx, kind, with_archived=True)
    linked = await linked_names(tx, fields, [custom_of(row) for row in records])
    ids = [
        str(row[name]) for row in records for name in ("company_id", "owner_id", "bidi_id") if row.get(name)
    ]
    found: Sequence[_Named] = await tx.all(
        _Named,
        """
        SELECT id::text AS id, name FROM companies WHERE id = ANY(%(ids)s::uuid[])
        UNION ALL
        SELECT id::text, name FROM members WHERE id = ANY(%(ids)s::uuid[])
        UNION ALL
        SELECT id::text, name FROM bidi WHERE id = ANY(%(ids)s::uuid[])
        """,
        ids=ids,
    )
    return {**{one.id: one.name for one in found}, **{str(id): name for id, name in linked.items()}}
