"""Direct SQL: what the logins of the product can do to a foreign organization's rows when a query forgets it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from core.db import Database, Tx
from core.ids import uuid7
from tests.support.isolation.catalogue import ForeignKey, Table
from tests.support.isolation.probes import Probe
from tests.support.isolation.theatre import ROLES, Theatre

# (role, table) whose rows are claimed across tenants, and what keeps that small.
ACROSS_TENANTS = {
    ("getsale_worker", "event_deliveries"): "work is claimed before a tenant is known; ids only",
    ("getsale_worker", "due_work"): "work is claimed before a tenant is known; ids only",
}
# What is not asked there, since claiming it is the worker's trade: it reads, leases and settles any tenant's work.
CLAIMING = frozenset({"read", "copy out", "count", "read without a tenant", "take over", "delete", "lock"})

# Unique keys without the organization: what they give away, and why they stay.
GLOBAL_KEYS = {
    (
        "channel_accounts",
        frozenset({"id"}),
    ): "a webhook's address leads to its organization; the id is random",
    ("event_deliveries", frozenset({"id"})): "claimed across tenants; the id is random",
    ("api_keys", frozenset({"id"})): "a command shuts a key off by its id; the id is random",
    ("api_keys", frozenset({"key_hash"})): "a key leads to its organization; nobody else has its hash",
    ("organizations", frozenset({"slug"})): "a slug is an address of the whole product",
    **{
        (
            table,
            frozenset({"thread_id", "checkpoint_ns", *more}),
        ): "LangGraph's ON CONFLICT; threads are made by us"
        for table, more in {
            "checkpoints": ("checkpoint_id",),
            "checkpoint_blobs": ("channel", "version"),
            "checkpoint_writes": ("checkpoint_id", "task_id", "idx"),
        }.items()
    },
}

# Tables without a tenant that rows may refer to.
SHARED_PARENTS = {"users": "a person may belong to several organizations"}


Params = Sequence[Any] | dict[str, Any] | None


class _Undo(Exception):
    """Nothing that a probe did stays."""


def sql_probes(theatre: Theatre) -> Iterator[Probe]:
    """Every role x table x statement."""
    for table in theatre.catalogue.tables.values():
        for role in ROLES:
            claimed = CLAIMING if (role, table.name) in ACROSS_TENANTS else frozenset()
            for name, ask in _statements(theatre, table, role):
                if name in claimed:
                    continue
                yield Probe("sql", table.name, f"{name} as {role}", ask)
    for view in theatre.catalogue.views:
        for role in ROLES:
            yield Probe("sql", f"view {view}", f"read as {role}", partial(_read, theatre, role, view))


def _statements(theatre: Theatre, table: Table, role: str) -> Iterator[tuple[str, Any]]:
    yield "read", partial(_read, theatre, role, table.name)
    yield "copy out", partial(_copy, theatre, role, table.name)
    yield "truncate", partial(_truncate, theatre, role, table.name)
    if not table.is_tenants:
        return
    yield "count", partial(_touch, theatre, role, table, _COUNT)
    yield "read without a tenant", partial(_read_untenanted, theatre, role, table.name)
    for name, statement in _CHANGES.items():
        yield name, partial(_touch, theatre, role, table, statement)
    yield "give away", partial(_give_away, theatre, role, table)
    if table.name in theatre.canary_rows:
        yield "insert into the victim", partial(_insert_into, theatre, role, table)
        yield "insert what the victim has", partial(_insert_same, theatre, role, table)
    for key in table.foreign_keys:
        if key.parent not in SHARED_PARENTS and key.parent in theatre.canary_rows:
            yield f"refer to a foreign {key.parent} by {key.columns}", partial(_refer, theatre, role, key)


_COUNT = "SELECT 1 FROM {table} WHERE organization_id = %(victim)s"
_CHANGES = {
    "update": "UPDATE {table} SET organization_id = organization_id WHERE organization_id = %(victim)s",
    "take over": "UPDATE {table} SET organization_id = %(attacker)s WHERE organization_id = %(victim)s",
    "delete": "DELETE FROM {table} WHERE organization_id = %(victim)s",
    "lock": "SELECT 1 FROM {table} WHERE organization_id = %(victim)s FOR UPDATE",
}


async def run_undone(
    theatre: Theatre, role: str, query: sql.Composed, params: Params = None
) -> tuple[int, str]:
    """Rows touched and their text, as the attacker's organization; undone at once.

    Raises: psycopg.Error as the database raises it.
    """
    return await _undone(theatre.databases[role], theatre, query, params)


async def _undone(
    db: Database, theatre: Theatre, query: sql.Composed, params: Params = None
) -> tuple[int, str]:
    found: list[Any] = []
    count = 0
    try:
        async with db.transaction(theatre.attacker.owner, "probe") as tx:
            count, found = await _execute(tx, query, params)
            raise _Undo
    except _Undo:
        return count, "\n".join(str(row) for row in found)


async def _execute(tx: Tx, query: sql.Composed, params: Params) -> tuple[int, list[Any]]:
    cursor = await tx.connection.execute(query, params)
    return cursor.rowcount, await cursor.fetchall() if cursor.description else []


async def _read(theatre: Theatre, role: str, relation: str) -> list[str]:
    columns = [row["name"] for row in await _readable(theatre, role, relation)]
    if not columns:
        return []
    query = sql.SQL("SELECT {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(relation)
    )
    return theatre.leaks((await run_undone(theatre, role, query))[1])


async def _readable(theatre: Theatre, role: str, relation: str) -> list[dict[str, Any]]:
    """The columns that the role may read; users are granted one by one."""
    cursor = await theatre.admin.execute(
        """
        SELECT attname::text AS name
          FROM pg_attribute
         WHERE attrelid = %(relation)s::regclass
           AND attnum > 0
           AND NOT attisdropped
           AND has_column_privilege(%(role)s, attrelid, attnum, 'SELECT')
        """,
        {"relation": relation, "role": role},
    )
    return await cursor.fetchall()


async def _read_untenanted(theatre: Theatre, role: str, relation: str) -> list[str]:
    query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(relation))
    async with theatre.databases[role].across_tenants("probe") as connection:
        rows = await (await connection.execute(query)).fetchall()
    return [f"{len(rows)} rows without a tenant"] if rows else []


async def _copy(theatre: Theatre, role: str, relation: str) -> list[str]:
    text = bytearray()
    try:
        async with theatre.databases[role].transaction(theatre.attacker.owner, "probe") as tx:
            query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(relation))
            async with tx.connection.cursor().copy(query) as copy:
                async for block in copy:
                    text += bytes(block)
    except psycopg.errors.InsufficientPrivilege:
        return []
    return theatre.leaks(text.decode())


async def _truncate(theatre: Theatre, role: str, relation: str) -> list[str]:
    try:
        await run_undone(theatre, role, sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(relation)))
    except psycopg.errors.InsufficientPrivilege:
        return []
    return [f"{role} may truncate {relation}"]


async def _touch(theatre: Theatre, role: str, table: Table, statement: str) -> list[str]:
    names = {"victim": theatre.victim.id, "attacker": theatre.attacker.id}
    query = sql.SQL(statement).format(table=sql.Identifier(table.name))
    try:
        count, _ = await run_undone(theatre, role, query, names)
    except psycopg.errors.InsufficientPrivilege:
        return []
    except psycopg.IntegrityError as err:
        return [f"the statement reached the victim's rows: {type(err).__name__}"]
    return [f"{count} of the victim's rows were touched"] if count else []


async def _give_away(theatre: Theatre, role: str, table: Table) -> list[str]:
    """A row of ours becomes the victim's."""
    query = sql.SQL("UPDATE {table} SET organization_id = %(victim)s WHERE organization_id = %(own)s").format(
        table=sql.Identifier(table.name)
    )
    names = {"victim": theatre.victim.id, "own": theatre.attacker.id}
    try:
        count, _ = await run_undone(theatre, role, query, names)
    except psycopg.errors.InsufficientPrivilege:
        return []
    except psycopg.IntegrityError as err:
        return [f"only a key refused it: {type(err).__name__}"]
    return [f"{count} rows were put into the victim's organization"] if count else []


async def _insert(theatre: Theatre, role: str, table: Table, row: dict[str, Any]) -> tuple[int, str]:
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() for _ in row),
    )
    values = [Jsonb(value) if isinstance(value, dict | list) and name in _json(table) else value
              for name, value in row.items()]  # fmt: skip
    return await run_undone(theatre, role, query, values)


def _json(table: Table) -> set[str]:
    return {column.name for column in table.columns if column.type in ("json", "jsonb")}


async def _insert_into(theatre: Theatre, role: str, table: Table) -> list[str]:
    """A new row in the victim's organization; only the policy may refuse it."""
    row = theatre.canary_rows[table.name]
    try:
        await _insert(theatre, role, table, _renewed(table, row, _own_ids(table)))
    except psycopg.errors.InsufficientPrivilege:
        return []
    except psycopg.IntegrityError as err:
        return [f"only a key refused a row in the victim's organization: {type(err).__name__}"]
    return ["a row was written into the victim's organization"]


async def _insert_same(theatre: Theatre, role: str, table: Table) -> list[str]:
    """A row of ours with the victim's values: a unique key that minds tells that the victim has them."""
    shared = {name for (owner, key) in GLOBAL_KEYS if owner == table.name for name in key}
    row = _renewed(table, theatre.canary_rows[table.name], shared) | {"organization_id": theatre.attacker.id}
    try:
        await _insert(theatre, role, table, row)
    except psycopg.errors.UniqueViolation as err:
        # of a table with one row an organization it is our own row that is in the way
        single = (f"{table.name}_pkey", f"{table.name}_organization_id_key")
        is_own = ("organization_id",) in table.keys and err.diag.constraint_name in single
        return [] if is_own else [f"the key {err.diag.constraint_name} tells what the victim has"]
    except (psycopg.errors.InsufficientPrivilege, psycopg.IntegrityError):
        return []
    return []


def _own_ids(table: Table) -> set[str]:
    referring = {column for key in table.foreign_keys for column in key.columns}
    return {name for key in table.keys for name in key if name not in referring and name != "organization_id"}


def _renewed(table: Table, row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The row with new values in the named columns."""
    makers: dict[str, Callable[[], object]] = {
        "uuid": uuid7,
        "text": lambda: str(uuid7()),
        "varchar": lambda: str(uuid7()),
        "bytea": lambda: uuid7().bytes,
    }
    fresh = {
        column.name: makers[column.type]()
        for column in table.columns
        if column.name in names and column.type in makers
    }
    return row | fresh


async def _refer(theatre: Theatre, role: str, key: ForeignKey) -> list[str]:
    """One of our rows points at the victim's parent: it must fail as it does for an id that nobody has."""
    foreign = theatre.canary_rows[key.parent]
    answers = []
    for parent in (foreign, {name: uuid7() for name in key.parent_columns}):
        values = {
            column: parent[name]
            for column, name in zip(key.columns, key.parent_columns, strict=True)
            if column != "organization_id"
        }
        query = sql.SQL("UPDATE {table} SET {values} WHERE ctid = (SELECT min(ctid) FROM {table})").format(
            table=sql.Identifier(key.table),
            values=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in values
            ),
        )
        answers.append(await _answer(theatre, role, query, values))
    found, unknown = answers
    if found != unknown:
        return [f"a foreign {key.parent} answers {found}, an unknown one {unknown}"]
    return []


async def _answer(theatre: Theatre, role: str, query: sql.Composed, values: Params) -> str:
    try:
        count, _ = await run_undone(theatre, role, query, values)
    except psycopg.Error as err:
        return type(err).__name__
    return f"{count} rows"


def unexplained_keys(theatre: Theatre) -> Sequence[str]:
    """Unique keys of tenant tables that leave the organization out and are on no list."""
    return [
        f"{table.name} {key}"
        for table in theatre.catalogue.tenant_tables
        for key in table.keys
        if "organization_id" not in key and (table.name, frozenset(key)) not in GLOBAL_KEYS
    ]
