"""A picture of every row that an organization has, in one statement."""

from dataclasses import dataclass
from functools import reduce
from uuid import UUID

from psycopg import sql

from core.db import Database, Tx
from core.principal import system
from evals.redteam.rows import Picture, Rows


@dataclass(frozen=True)
class _Table:
    name: str
    key: list[str]


@dataclass(frozen=True)
class _Row:
    name: str
    key: str
    content: str


async def camera(db: Database) -> Picture:
    """What takes pictures of organizations in this database: all tables that belong to tenants, whichever there are."""
    async with db.transaction(system(UUID(int=0)), "redteam.tables") as tx:
        tables = await _tables(tx)
    statement = _statement(tables)

    async def take(db: Database, organization_id: UUID) -> Rows:
        async with db.transaction(system(organization_id), "redteam.picture") as tx:
            rows = await tx.all(_Row, statement, id=organization_id)
        return {(row.name, row.key): row.content for row in rows}

    return take


async def _tables(tx: Tx) -> list[_Table]:
    return await tx.all(
        _Table,
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


def _statement(tables: list[_Table]) -> sql.Composed:
    return reduce(lambda all, one: all + sql.SQL(" UNION ALL ") + one, map(_select, tables))


def _select(table: _Table) -> sql.Composed:
    """A table without a primary key tells its rows apart by their content."""
    columns = [sql.SQL("x.{}::text").format(sql.Identifier(name)) for name in table.key]
    key = sql.SQL(", ").join(columns) if columns else sql.SQL("x::text")
    return sql.SQL(
        "SELECT {name} AS name, concat_ws(' ', {key}) AS key, to_jsonb(x)::text AS content"
        " FROM {table} x WHERE x.organization_id = %(id)s"
    ).format(name=sql.Literal(table.name), key=key, table=sql.Identifier(table.name))
