"""Writes many records of one kind with one statement each: insert, lock and compare, update.

The kinds have one shape, so that their statements are composed over the closed lists of columns below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from core import jsons
from core.db import Tx
from crm.imports.tables.models import STAGED, Duplicates
from crm.pipelines.moves import enter_together
from events.ids import RecordKind


@dataclass(frozen=True)
class Table:
    """The columns that an import writes, with their types; `required` are those that a new record must have."""

    name: str
    columns: Mapping[str, str]


TABLES = {
    RecordKind.CONTACT: Table(
        "contacts",
        {
            "name": "text", "title": "text", "company_id": "uuid", "language": "text", "note": "text",
            "owner_id": "uuid", "custom": "jsonb",
        },
    ),
    RecordKind.COMPANY: Table(
        "companies",
        {
            "name": "text", "domain": "text", "phone": "text", "city": "text", "country": "text", "industry": "text",
            "employees": "int4", "about": "text", "owner_id": "uuid", "custom": "jsonb",
        },
    ),
    RecordKind.LEAD: Table(
        "leads",
        {
            "contact_id": "uuid", "pipeline_id": "uuid", "stage_id": "uuid", "source": "text", "next_step": "text",
            "lost_reason": "text", "owner_id": "uuid",
        },
    ),
    RecordKind.DEAL: Table(
        "deals",
        {
            "name": "text", "amount_minor": "int8", "currency": "text", "stage_id": "uuid", "close_date": "date",
            "company_id": "uuid", "contact_id": "uuid", "next_step": "text", "owner_id": "uuid", "custom": "jsonb",
        },
    ),
}  # fmt: skip
# What a new record has in a column that its row says nothing about, where NULL may not stand.
_EMPTY: dict[str, object] = {
    "title": "", "note": "", "language": "en", "phone": "", "city": "", "country": "", "industry": "", "about": "",
    "next_step": "", "source": "", "lost_reason": "", "amount_minor": 0, "currency": "EUR", "custom": {},
}  # fmt: skip


async def insert(tx: Tx, kind: RecordKind, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Make records of rows with an `id` and values; returns the ids of those that no unique key stood against."""
    if not rows:
        return set()
    table = TABLES[kind]
    names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    # times are the transaction's own: what was put on a record later is told by its time
    query = sql.SQL(
        """
        INSERT INTO {table} (organization_id, id, {names})
        SELECT %(organization_id)s, id, {names}
          FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id uuid, {types})
            ON CONFLICT DO NOTHING
        RETURNING id
        """
    ).format(table=sql.Identifier(table.name), names=names, types=_types(table.columns))
    full = [
        {"id": row["id"], **{name: _or_empty(row.get(name), name) for name in table.columns}} for row in rows
    ]
    cursor = await tx.connection.execute(
        query, {"organization_id": tx.organization_id, "rows": jsons.dumps(full)}
    )
    made = {row["id"] for row in await cursor.fetchall()}
    if kind in STAGED:
        await enter_together(tx, kind, list(made))
    return made


def _or_empty(value: object, column: str) -> object:
    return _EMPTY.get(column) if value is None else value


async def changes_of(
    tx: Tx,
    kind: RecordKind,
    rows: Mapping[UUID, Mapping[str, Any]],
    duplicates: Duplicates,
    *,
    lock: bool,
) -> tuple[list[dict[str, Any]], dict[UUID, dict[str, Any]]]:
    """The records of these ids as they stand, and the columns that the rows change in them."""
    if not rows:
        return [], {}
    found = await standing(tx, kind, list(rows), lock=lock)
    return found, {record["id"]: differences(record, rows[record["id"]], duplicates) for record in found}


async def standing(tx: Tx, kind: RecordKind, ids: Sequence[UUID], *, lock: bool) -> list[dict[str, Any]]:
    """Records as they stand; locked ones stay so until the transaction ends. In one order, against deadlocks."""
    table = TABLES[kind]
    query = sql.SQL(
        """
        SELECT id, version, {names}
          FROM {table}
         WHERE id = ANY(%(ids)s)
           AND deleted_at IS NULL
         ORDER BY id
           {lock}
        """
    ).format(
        table=sql.Identifier(table.name),
        names=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        lock=sql.SQL("FOR NO KEY UPDATE" if lock else ""),
    )
    cursor = await tx.connection.execute(query, {"ids": list(ids)})
    return list(await cursor.fetchall())


def differences(record: Mapping[str, Any], row: Mapping[str, Any], duplicates: Duplicates) -> dict[str, Any]:
    """The columns that a row changes in a record, with their new values; a deal or a lead that is here keeps its stage."""
    new: dict[str, Any] = {}
    for name, value in row.items():
        if name in ("custom", "stage_id", "pipeline_id") or name not in record or value in (None, ""):
            continue
        is_free = record[name] in (None, "") or (name == "amount_minor" and record[name] == 0)
        if (is_free or duplicates is Duplicates.OVERWRITE) and str(record[name]) != str(value):
            new[name] = value
    if "custom" not in record:
        return new
    held = record["custom"]
    custom = {**held, **row["custom"]} if duplicates is Duplicates.OVERWRITE else {**row["custom"], **held}
    if custom != held:
        new["custom"] = custom
    return new


async def write(
    tx: Tx, kind: RecordKind, standing: Sequence[Mapping[str, Any]], changes: Mapping[UUID, Mapping[str, Any]]
) -> dict[UUID, int]:
    """Set columns of locked records and raise their versions; returns the new ones."""
    table = TABLES[kind]
    query = sql.SQL(
        """
        UPDATE {table} AS t
           SET {sets}, version = t.version + 1, updated_at = now()
          FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id uuid, {types})
         WHERE t.id = r.id
        RETURNING t.id, t.version
        """
    ).format(
        table=sql.Identifier(table.name),
        sets=sql.SQL(", ").join(
            sql.SQL("{0} = r.{0}").format(sql.Identifier(name)) for name in table.columns
        ),
        types=_types(table.columns),
    )
    rows = [
        {"id": record["id"], **{name: record[name] for name in table.columns}, **changes[record["id"]]}
        for record in standing
        if record["id"] in changes
    ]
    cursor = await tx.connection.execute(query, {"rows": jsons.dumps(rows)})
    return {row["id"]: row["version"] for row in await cursor.fetchall()}


def _types(columns: Mapping[str, str]) -> sql.Composable:
    """`name text, employees int`: the types are ours, never a caller's."""
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.Identifier(kind)) for name, kind in columns.items()
    )


async def put_tags(tx: Tx, kind: RecordKind, tags: Mapping[UUID, Sequence[str]]) -> dict[UUID, list[UUID]]:
    """Put tags on records, made where they are new; returns those that were not there before, by record."""
    pairs = [(record_id, name) for record_id, names in tags.items() for name in names]
    if not pairs:
        return {}
    # DO UPDATE, not DO NOTHING: it returns the tags that another transaction has just made. In one order.
    await tx.execute(
        """
        INSERT INTO tags (organization_id, id, name, tint)
        SELECT %(organization_id)s, gen_random_uuid(), name, tint
          FROM unnest(%(names)s::text[], %(tints)s::int[]) AS given (name, tint)
         ORDER BY lower(name)
            ON CONFLICT (organization_id, plain_name) DO NOTHING
        """,
        organization_id=tx.organization_id,
        names=list(unique := {name.lower(): name for _, name in pairs}.values()),
        tints=[sum(name.lower().encode()) % 8 for name in unique],
    )
    cursor = await tx.connection.execute(
        """
        INSERT INTO record_tags (organization_id, record_kind, record_id, tag_id)
        SELECT DISTINCT %(organization_id)s::uuid, %(kind)s, given.record_id, t.id
          FROM unnest(%(ids)s::uuid[], %(names)s::text[]) AS given (record_id, name)
          JOIN tags t ON t.plain_name = lower(given.name)
            ON CONFLICT DO NOTHING
        RETURNING record_id, tag_id
        """,
        {
            "organization_id": tx.organization_id,
            "kind": kind.value,
            "ids": [record_id for record_id, _ in pairs],
            "names": [name for _, name in pairs],
        },
    )
    added: dict[UUID, list[UUID]] = {}
    for row in await cursor.fetchall():
        added.setdefault(row["record_id"], []).append(row["tag_id"])
    return added


async def known_by_external_id(tx: Tx, kind: RecordKind, source: str, ids: Sequence[str]) -> dict[str, UUID]:
    """The records that another system calls by these ids."""
    if not ids:
        return {}
    cursor = await tx.connection.execute(
        """
        SELECT external_id, record_id
          FROM external_ids
         WHERE record_kind = %(kind)s
           AND source = %(source)s
           AND external_id = ANY(%(ids)s)
        """,
        {"kind": kind.value, "source": source, "ids": list(ids)},
    )
    return {row["external_id"]: row["record_id"] for row in await cursor.fetchall()}


async def keep_external_ids(tx: Tx, kind: RecordKind, source: str, ids: Mapping[UUID, str]) -> None:
    """Remember under which id another system knows records."""
    given = {record_id: external_id for record_id, external_id in ids.items() if external_id}
    if not given:
        return
    await tx.execute(
        """
        INSERT INTO external_ids (organization_id, record_kind, source, external_id, record_id)
        SELECT %(organization_id)s, %(kind)s, %(source)s, external_id, record_id
          FROM unnest(%(record_ids)s::uuid[], %(ids)s::text[]) AS given (record_id, external_id)
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        kind=kind.value,
        source=source,
        record_ids=list(given),
        ids=list(given.values()),
    )


async def existing(tx: Tx, kind: RecordKind, ids: Sequence[str]) -> dict[str, UUID]:
    """Which of these texts are ids of our own records, as in a table that we exported ourselves."""
    known = {text: UUID(text) for text in ids if _is_id(text)}
    if not known:
        return {}
    query = sql.SQL("SELECT id FROM {table} WHERE id = ANY(%(ids)s) AND deleted_at IS NULL").format(
        table=sql.Identifier(TABLES[kind].name)
    )
    cursor = await tx.connection.execute(query, {"ids": list(known.values())})
    there = {row["id"] for row in await cursor.fetchall()}
    return {text: record_id for text, record_id in known.items() if record_id in there}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
