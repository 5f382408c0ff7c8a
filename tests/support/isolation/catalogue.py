"""The database as its own catalogue describes it: tables, columns, keys, views and functions."""

from dataclasses import dataclass, field
from typing import Any

from psycopg import AsyncConnection

Admin = AsyncConnection[dict[str, Any]]
# Types that can hold a word; vectors, numbers, times and ids cannot.
TEXTUAL = frozenset({"text", "varchar", "bpchar", "jsonb", "json", "_text", "_varchar", "bytea", "citext"})


@dataclass(frozen=True)
class Column:
    table: str
    name: str
    type: str
    length: int
    is_required: bool
    has_default: bool
    choice: str | None

    @property
    def is_closed(self) -> bool:
        """Whether a CHECK names all its values, `choice` the first of them."""
        return self.choice is not None

    @property
    def place(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def is_textual(self) -> bool:
        """Whether it may hold any word: a closed set, held by a CHECK, may not."""
        return self.type in TEXTUAL and not self.is_closed


@dataclass(frozen=True)
class ForeignKey:
    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """`keys` are its unique keys; one with an expression or a condition has "(more)" among its columns."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def is_tenants(self) -> bool:
        return any(column.name == "organization_id" for column in self.columns)

    @property
    def textual(self) -> list[Column]:
        return [column for column in self.columns if column.is_textual]


@dataclass(frozen=True)
class Function:
    """A function of ours; `arguments` are (name, type) pairs."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    is_definer: bool
    returns: str


@dataclass(frozen=True)
class Catalogue:
    tables: dict[str, Table] = field(default_factory=dict)
    views: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()

    @property
    def tenant_tables(self) -> list[Table]:
        """Parents before children."""
        ordered: list[Table] = []
        waiting = [table for table in self.tables.values() if table.is_tenants]
        while waiting:
            done = {table.name for table in ordered}
            free = [table for table in waiting if _parents(table) <= done]
            # a circle of references is cut where one may be empty
            free = free or [table for table in waiting if _required_parents(table) <= done][:1] or waiting[:1]
            ordered += free
            waiting = [table for table in waiting if table not in free]
        return ordered


def _parents(table: Table) -> set[str]:
    return {key.parent for key in table.foreign_keys} - {table.name, "users"}


def _required_parents(table: Table) -> set[str]:
    required = {column.name for column in table.columns if column.is_required}
    return {key.parent for key in table.foreign_keys if required.issuperset(key.columns)} & _parents(table)


async def read_catalogue(admin: Admin) -> Catalogue:
    """Everything in the schema public that is ours, not an extension's."""
    columns = await _rows(admin, _COLUMNS)
    keys = await _rows(admin, _KEYS)
    foreign = [
        ForeignKey(row["table"], tuple(row["columns"]), row["parent"], tuple(row["parent_columns"]))
        for row in await _rows(admin, _FOREIGN_KEYS)
    ]
    names = sorted({row["table"] for row in columns})
    tables = {
        name: Table(
            name,
            tuple(Column(**row) for row in columns if row["table"] == name),
            tuple(tuple(row["columns"]) for row in keys if row["table"] == name),
            tuple(key for key in foreign if key.table == name),
        )
        for name in names
    }
    functions = tuple(
        Function(
            row["name"],
            tuple(zip(row["argument_names"] or [], row["argument_types"], strict=False)),
            row["is_definer"],
            row["returns"],
        )
        for row in await _rows(admin, _FUNCTIONS)
    )
    return Catalogue(tables, tuple(row["name"] for row in await _rows(admin, _VIEWS)), functions)


async def _rows(admin: Admin, query: str) -> list[dict[str, Any]]:
    return await (await admin.execute(query.encode())).fetchall()


_OURS = """
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')
"""

_COLUMNS = """
    SELECT c.relname::text AS "table", a.attname::text AS name, t.typname::text AS type, a.atttypmod - 4 AS length,
           a.attnotnull AS is_required, a.atthasdef OR a.attidentity <> '' AS has_default,
           (SELECT substring(pg_get_constraintdef(k.oid) FROM '''([^'']*)''')
              FROM pg_constraint k
             WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
               AND pg_get_constraintdef(k.oid) ~ '= ANY|= '''
             LIMIT 1) AS choice
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      JOIN pg_type t ON t.oid = a.atttypid
     WHERE c.relnamespace = 'public'::regnamespace
       AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition
     ORDER BY c.relname, a.attnum
"""

_KEYS = """
    SELECT c.relname::text AS "table",
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]))
               || CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN ARRAY['(more)'] END AS columns
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indrelid
     WHERE i.indisunique
       AND c.relnamespace = 'public'::regnamespace
"""

_FOREIGN_KEYS = """
    SELECT c.relname::text AS "table", p.relname::text AS parent,
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n (num, place)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.num ORDER BY n.place) AS columns,
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS n (num, place)
                   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = n.num ORDER BY n.place)
               AS parent_columns
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_class p ON p.oid = k.confrelid
     WHERE k.contype = 'f'
       AND c.relnamespace = 'public'::regnamespace
"""

_VIEWS = f"""
    SELECT c.relname::text AS name
      FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace
       AND c.relkind IN ('v', 'm')
       {_OURS.format(oid="c.oid")}
     ORDER BY 1
"""

_FUNCTIONS = f"""
    SELECT p.proname::text AS name, p.prosecdef AS is_definer, p.proargnames::text[] AS argument_names,
           ARRAY(SELECT format_type(oid, NULL) FROM unnest(p.proargtypes::oid[]) AS oid) AS argument_types,
           pg_get_function_result(p.oid) AS returns
      FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace
       AND p.prokind = 'f'
       AND p.prorettype <> 'trigger'::regtype
       {_OURS.format(oid="p.oid")}
     ORDER BY 1
"""
