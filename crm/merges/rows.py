"""The only place where a merge writes other nouns' rows: move, remember, put back.

Names of tables and columns come from the closed list in `references.py`, never from a caller, and are composed with
psycopg.sql as in core/sql.py.
"""

from dataclasses import dataclass
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from crm.merges.models import MergeId, Values
from crm.merges.references import VERSIONED, Clash, Mention, Reference

# Never put back: a version that went back would let a stale edit through, the time of a change is its time, and when
# somebody was last written to follows the conversations by itself.
_FOLLOWS = frozenset({"version", "updated_at", "last_message_at"})


@dataclass(frozen=True)
class Change:
    """What happened to one row: no `before` for a new one, no `after` for a removed one."""

    table_name: str
    key: Values
    before: Values | None
    after: Values | None


@dataclass(frozen=True)
class _Row:
    row: Values


async def move(tx: Tx, reference: Reference, kind: str, gone: UUID, kept: UUID) -> list[Change]:
    """Let every row that names `gone` name `kept`; returns what that did to each."""
    before = await _read(tx, reference, kind, gone)
    if not before:
        return []
    removed: list[Values] = []
    if reference.clash is not None:
        removed = await _settle(tx, reference, reference.clash, kind, gone, kept)
    await tx.execute(
        sql.SQL(
            "UPDATE {table} SET {column} = %(kept)s{version} WHERE {column} = %(gone)s AND {of_kind}"
        ).format(
            table=sql.Identifier(reference.table),
            column=sql.Identifier(reference.column),
            version=_next_version(reference.table),
            of_kind=_of_kind(reference),
        ),
        kept=kept,
        gone=gone,
        kind=kind,
    )
    stayed = [row for row in before if row not in removed]
    moved = [_moved(reference, row, kept) for row in stayed]
    after = await read_rows(tx, reference.table, reference.key, moved)
    return [
        *(Change(reference.table, _key(reference, row), row, None) for row in removed),
        *(
            change
            for row, key in zip(stayed, moved, strict=True)
            if (change := changed(reference.table, key, row, after.get(_frozen(key)))) is not None
        ),
    ]


def _next_version(table: str) -> sql.Composable:
    return sql.SQL(", version = version + 1" if table in VERSIONED else "")


async def rewrite(tx: Tx, mention: Mention, kind: str, gone: UUID, kept: UUID) -> list[Change]:
    """Let JSON that names `gone` name `kept`, but for that of the two themselves; returns what that did to each row.

    Nothing else than that record has its id, so the text may be replaced as text. Custom fields are looked through
    only where one of them leads to records of this kind.
    """
    before = await tx.all(
        _Row,
        sql.SQL(
            "SELECT to_jsonb(t) AS row FROM {table} AS t"
            " WHERE strpos({column}::text, %(gone)s::text) > 0"
            "   AND id NOT IN (%(gone)s, %(kept)s)"
            "   AND (%(custom_of)s::text IS NULL"
            "        OR EXISTS (SELECT FROM custom_fields"
            "                    WHERE record_kind = %(custom_of)s AND kind = 'record' AND target_kind = %(kind)s))"
            "   FOR UPDATE"
        ).format(table=sql.Identifier(mention.table), column=sql.Identifier(mention.column)),
        gone=gone,
        kept=kept,
        custom_of=mention.custom_of,
        kind=kind,
    )
    keys: list[Values] = [{"id": found.row["id"]} for found in before]
    await tx.execute(
        sql.SQL(
            "UPDATE {table} SET {column} = replace({column}::text, %(gone)s::text, %(kept)s::text)::jsonb{version}"
            " WHERE id = ANY(%(ids)s::uuid[])"
        ).format(
            table=sql.Identifier(mention.table),
            column=sql.Identifier(mention.column),
            version=_next_version(mention.table),
        ),
        gone=gone,
        kept=kept,
        ids=[key["id"] for key in keys],
    )
    after = await read_rows(tx, mention.table, ("id",), keys)
    found = (
        changed(mention.table, key, one.row, after[_frozen(key)])
        for key, one in zip(keys, before, strict=True)
    )
    return [change for change in found if change is not None]


async def count(tx: Tx, reference: Reference, kind: str, record_id: UUID) -> int:
    found: int = await tx.value(
        sql.SQL("SELECT count(*) FROM {table} WHERE {column} = %(id)s AND {of_kind}").format(
            table=sql.Identifier(reference.table),
            column=sql.Identifier(reference.column),
            of_kind=_of_kind(reference),
        ),
        id=record_id,
        kind=kind,
    )
    return found


async def _read(tx: Tx, reference: Reference, kind: str, record_id: UUID) -> list[Values]:
    rows = await tx.all(
        _Row,
        sql.SQL(
            "SELECT to_jsonb(t) AS row FROM {table} AS t WHERE {column} = %(id)s AND {of_kind} FOR UPDATE"
        ).format(
            table=sql.Identifier(reference.table),
            column=sql.Identifier(reference.column),
            of_kind=_of_kind(reference),
        ),
        id=record_id,
        kind=kind,
    )
    return [found.row for found in rows]


async def _settle(
    tx: Tx, reference: Reference, clash: Clash, kind: str, gone: UUID, kept: UUID
) -> list[Values]:
    """Make room where the kept record has the same already; returns the rows that were removed for it."""
    same = [sql.SQL("mine.{0} = t.{0}").format(sql.Identifier(name)) for name in clash.same]
    where = sql.SQL(
        "t.{column} = %(gone)s AND {of_kind} AND {open}"
        " AND EXISTS (SELECT FROM {table} AS mine WHERE mine.{column} = %(kept)s AND {same} AND {mine_open})"
    ).format(
        column=sql.Identifier(reference.column),
        of_kind=_of_kind(reference, "t"),
        table=sql.Identifier(reference.table),
        same=sql.SQL(" AND ").join([*same, _of_kind(reference, "mine")]),
        open=_qualified(clash.open, "t"),
        mine_open=_qualified(clash.open, "mine"),
    )
    if clash.settle is None:
        statement = sql.SQL("DELETE FROM {table} AS t WHERE {where} RETURNING to_jsonb(t) AS row")
    else:
        statement = sql.SQL(
            "UPDATE {table} AS t SET {assignments} WHERE {where} RETURNING to_jsonb(t) AS row"
        )
    assignments = sql.SQL(", ").join(
        [
            sql.SQL("{} = {}").format(sql.Identifier(name), _literal(value))
            for name, value in (clash.settle or {}).items()
        ]
    )
    settled = await tx.all(
        _Row,
        statement.format(table=sql.Identifier(reference.table), where=where, assignments=assignments),
        gone=gone,
        kept=kept,
        kind=kind,
        now=clock.now(),
    )
    return [found.row for found in settled] if clash.settle is None else []


def _literal(value: object) -> sql.Composable:
    return sql.SQL("%(now)s") if value == "now" else sql.Literal(value)


def _qualified(condition: str, alias: str) -> sql.Composable:
    """`a IS NULL AND b IS NULL` about one of two rows; the words come from references.py."""
    if condition == "true":
        return sql.SQL("true")
    parts = [part.split(" ", 1) for part in condition.split(" AND ")]
    return sql.SQL(" AND ").join(
        sql.SQL(".").join([sql.Identifier(alias), sql.Identifier(part[0])])
        + sql.SQL(_CONDITIONS[part[1] if len(part) > 1 else ""])
        for part in parts
    )


_CONDITIONS = {"": "", "IS NULL": " IS NULL", "IS NOT NULL": " IS NOT NULL"}


def _of_kind(reference: Reference, alias: str = "") -> sql.Composable:
    if not reference.kind_column:
        return sql.SQL("true")
    column = sql.Identifier(alias, reference.kind_column) if alias else sql.Identifier(reference.kind_column)
    return sql.SQL("{} = %(kind)s").format(column)


def _moved(reference: Reference, row: Values, kept: UUID) -> Values:
    """The key of a row once it has been moved: the reference may be a part of it."""
    return _key(reference, {**row, reference.column: str(kept)})


def _key(reference: Reference, row: Values) -> Values:
    return {name: row[name] for name in reference.key}


async def read_rows(
    tx: Tx, table: str, key: tuple[str, ...], keys: list[Values]
) -> dict[tuple[str, ...], Values]:
    """Rows by their keys, as they are now."""
    rows = await tx.all(
        _Row,
        sql.SQL(
            "SELECT to_jsonb(t) AS row FROM {table} AS t"
            "  JOIN jsonb_array_elements(%(keys)s) AS wanted (key) ON {equal}"
        ).format(
            table=sql.Identifier(table),
            equal=sql.SQL(" AND ").join(
                [
                    sql.SQL("t.{} = (jsonb_populate_record(NULL::{}, wanted.key)).{}").format(
                        sql.Identifier(name), sql.Identifier(table), sql.Identifier(name)
                    )
                    for name in key
                ]
            ),
        ),
        keys=Jsonb(keys),
    )
    return {_frozen({name: found.row[name] for name in key}): found.row for found in rows}


def _frozen(key: Values) -> tuple[str, ...]:
    return tuple(str(key[name]) for name in sorted(key))


def changed(table: str, key: Values, before: Values, after: Values | None) -> Change | None:
    """The change of one row, with only the columns that differ; None when nothing does."""
    if after is None:
        return Change(table, key, before, None)
    differing = [name for name in before if before[name] != after[name] and name not in _FOLLOWS]
    if not differing:
        return None
    return Change(
        table, key, {name: before[name] for name in differing}, {name: after[name] for name in differing}
    )


async def keep(tx: Tx, merge_id: MergeId, changes: list[Change]) -> None:
    """Write the journal."""
    await tx.execute_many(
        """
        INSERT INTO merge_rows (organization_id, merge_id, position, table_name, key, before, after)
        VALUES (%(organization_id)s, %(merge_id)s, %(position)s, %(table_name)s, %(key)s, %(before)s, %(after)s)
        """,
        [
            {
                "organization_id": tx.organization_id,
                "merge_id": merge_id,
                "position": position,
                "table_name": change.table_name,
                "key": Jsonb(change.key),
                "before": None if change.before is None else Jsonb(change.before),
                "after": None if change.after is None else Jsonb(change.after),
            }
            for position, change in enumerate(changes)
        ],
    )


async def read_journal(tx: Tx, merge_id: MergeId) -> list[Change]:
    """The changes of a merge, the last one first: the order in which they are taken back."""
    return await tx.all(
        Change,
        """
        SELECT table_name, key, before, after
          FROM merge_rows
         WHERE merge_id = %(merge_id)s
         ORDER BY position DESC
        """,
        merge_id=merge_id,
    )


async def put_back(tx: Tx, change: Change) -> list[str]:
    """Take one change back, column by column; returns the columns that somebody changed since and that stay."""
    key = tuple(change.key)
    now = (await read_rows(tx, change.table_name, key, [change.key])).get(_frozen(change.key))
    if change.after is None:
        if now is None and change.before is not None:
            await _insert(tx, change.table_name, change.before)
        return []
    if now is None:
        return ["*"]
    if change.before is None:
        await _delete(tx, change.table_name, change.key)
        return []
    untouched = {name: value for name, value in change.before.items() if now[name] == change.after[name]}
    if untouched:
        is_versioned = change.table_name in VERSIONED
        await write(tx, change.table_name, change.key, untouched, counts_version=is_versioned)
    return [name for name in change.before if name not in untouched and now[name] != change.before[name]]


async def write(tx: Tx, table: str, key: Values, values: Values, *, counts_version: bool = False) -> None:
    """Set columns of one row; `counts_version` says that a reader of before is stale now."""
    names = await _written_columns(tx, table, list(values))
    if not names:
        return
    record = sql.SQL("jsonb_populate_record(NULL::{}, %(values)s)").format(sql.Identifier(table))
    assignments: list[sql.Composable] = [
        sql.SQL("{0} = ({1}).{0}").format(sql.Identifier(name), record) for name in names
    ]
    if counts_version:
        assignments.append(sql.SQL("version = version + 1"))
    await tx.execute(
        sql.SQL("UPDATE {table} AS t SET {assignments} WHERE {is_it}").format(
            table=sql.Identifier(table), assignments=sql.SQL(", ").join(assignments), is_it=_is_it(table, key)
        ),
        values=Jsonb(values),
        key=Jsonb(key),
    )


async def _insert(tx: Tx, table: str, values: Values) -> None:
    names = await _written_columns(tx, table, list(values))
    columns = sql.SQL(", ").join([sql.Identifier(name) for name in names])
    await tx.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, %(values)s)"
        ).format(table=sql.Identifier(table), columns=columns),
        values=Jsonb(values),
    )


async def _delete(tx: Tx, table: str, key: Values) -> None:
    await tx.execute(
        sql.SQL("DELETE FROM {table} AS t WHERE {is_it}").format(
            table=sql.Identifier(table), is_it=_is_it(table, key)
        ),
        key=Jsonb(key),
    )


def _is_it(table: str, key: Values) -> sql.Composable:
    record = sql.SQL("(jsonb_populate_record(NULL::{}, %(key)s))").format(sql.Identifier(table))
    return sql.SQL(" AND ").join(
        [sql.SQL("t.{0} = {1}.{0}").format(sql.Identifier(name), record) for name in key]
    )


@dataclass(frozen=True)
class _Name:
    name: str


async def _written_columns(tx: Tx, table: str, wanted: list[str]) -> list[str]:
    """Those that are stored as given: generated ones follow by themselves."""
    found = await tx.all(
        _Name,
        """
        SELECT attname::text AS name
          FROM pg_attribute
         WHERE attrelid = %(table)s::regclass
           AND attnum > 0
           AND NOT attisdropped
           AND attgenerated = ''
           AND attname = ANY(%(wanted)s)
         ORDER BY attnum
        """,
        table=table,
        wanted=wanted,
    )
    return [column.name for column in found]
