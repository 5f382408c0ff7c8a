"""A picture of every row that an organization has, so that what changed can be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from psycopg import sql

from core.db import Tx

# Rows as JSON text, by table and primary key.
Rows = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Table:
    """A table that belongs to tenants, with its primary key."""

    name: str
    key: list[str]


@dataclass(frozen=True)
class _Row:
    name: str
    key: str
    content: str


async def list_tables(tx: Tx) -> list[Table]:
    """All tables that belong to tenants, whichever there are."""
    return await tx.all(
        Table,
        """
        SELECT c.relname::text AS name,
               ARRAY(SELECT k.attname::text
                       FROM pg_index i
                       JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
                      WHERE i.indrelid = c.oid
                        AND i.indisprimary
                      ORDER BY k.attnum) AS key
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
         WHERE c.relnamespace = 'public'::regnamespace
           AND c.relkind IN ('r', 'p')
           AND NOT c.relispartition
         ORDER BY c.relname
        """,
    )


async def take_picture(tx: Tx, tables: Sequence[Table]) -> Rows:
    """Every row of the organization in these tables, in one statement."""
    rows = await tx.all(_Row, _statement(tables), id=tx.organization_id)
    return {(row.name, row.key): row.content for row in rows}


def _statement(tables: Sequence[Table]) -> sql.Composed:
    return reduce(lambda all, one: all + sql.SQL(" UNION ALL ") + one, map(_select, tables))


def _select(table: Table) -> sql.Composed:
    """A table without a primary key tells its rows apart by their content."""
    columns = [sql.SQL("x.{}::text").format(sql.Identifier(name)) for name in table.key]
    key = sql.SQL(", ").join(columns) if columns else sql.SQL("x::text")
    return sql.SQL(
        "SELECT {name} AS name, concat_ws(' ', {key}) AS key, to_jsonb(x)::text AS content"
        " FROM {table} x WHERE x.organization_id = %(id)s"
    ).format(name=sql.Literal(table.name), key=key, table=sql.Identifier(table.name))
