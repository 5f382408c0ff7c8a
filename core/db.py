"""The database: one pool per process, and `transaction(principal)`, the only place that commits."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, LiteralString, Self, TypeVar, get_args, get_type_hints
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from opentelemetry import trace
from psycopg import AsyncConnection, AsyncCursor, sql
from psycopg.abc import AdaptContext
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import set_json_dumps
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from core import crashpoint
from core.errors import Forbidden, NotFound, Unavailable
from core.jsons import dumps
from core.principal import Principal, Visibility

Row = TypeVar("Row")
Query = LiteralString | sql.Composed
CHECK_SECONDS = 1.0
_tracer = trace.get_tracer("getsale.db")

set_json_dumps(dumps)


class Literal(sql.Literal):
    """A value that is composed into a statement of a Tx, where a percent sign alone would begin a parameter."""

    def as_bytes(self, context: AdaptContext | None = None) -> bytes:
        return super().as_bytes(context).replace(b"%", b"%%")


@cache
def _enums_of(row: type) -> dict[str, type[StrEnum]]:
    """The fields of a dataclass that are closed sets: the database gives their text."""
    found = {}
    for name, hint in get_type_hints(row).items():
        for kind in (hint, *get_args(hint)):
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                found[name] = kind
    return found


def _typed_row(row: type[Row]) -> Callable[..., Callable[[Sequence[Any]], Row]]:
    """A row factory that fills a dataclass by column name and turns text into its enums."""
    enums = _enums_of(row)  # type: ignore[arg-type]  # a generic class is hashable

    def factory(cursor: AsyncCursor[Any], end: int | None = None) -> Callable[[Sequence[Any]], Row]:
        names = [column.name for column in cursor.description or ()][:end]

        def make(values: Sequence[Any]) -> Row:
            fields = dict(zip(names, values, strict=True))
            for name, kind in enums.items():
                if fields.get(name) is not None:
                    fields[name] = kind(fields[name])
            return row(**fields)

        return make

    return factory


@dataclass(frozen=True)
class Tx:
    """One open transaction of one principal. Statements take named parameters."""

    connection: AsyncConnection[Any]
    principal: Principal

    @property
    def organization_id(self) -> UUID:
        return self.principal.organization_id

    async def one(self, row: type[Row], query: Query, /, **params: object) -> Row:
        """The single row of a statement. Raises: NotFound when there is none."""
        found = await self.find(row, query, **params)
        if found is None:
            raise NotFound(f"No such {row.__name__.lower()} in this organization.")
        return found

    async def find(self, row: type[Row], query: Query, /, **params: object) -> Row | None:
        """The first row of a statement, or None."""
        async with self.connection.cursor(row_factory=_typed_row(row)) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchone()

    async def all(self, row: type[Row], query: Query, /, **params: object) -> list[Row]:
        """Every row of a statement."""
        async with self.connection.cursor(row_factory=_typed_row(row)) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchall()

    async def all_with_last(self, row: type[Row], query: Query, /, **params: object) -> list[tuple[Row, Any]]:
        """Every row of a statement, with its last column beside the row instead of in it."""
        factory = _typed_row(row)

        def apart(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], tuple[Row, Any]]:
            make = factory(cursor, -1)
            return lambda values: (make(values[:-1]), values[-1])

        async with self.connection.cursor(row_factory=apart) as cursor:
            await cursor.execute(query, params)
            return await cursor.fetchall()

    async def value(self, query: Query, /, **params: object) -> Any:
        """The first column of the first row, or None."""
        async with self.connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(query, params)
            first = await cursor.fetchone()
            return first[0] if first else None

    async def execute(self, query: Query, /, **params: object) -> int:
        """Run a statement and return the number of rows it touched."""
        cursor = await self.connection.execute(query, params)
        return cursor.rowcount

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone and raised; the transaction itself can go on."""
        async with self.connection.transaction():
            yield

    async def execute_many(self, query: Query, rows: Sequence[dict[str, object]]) -> None:
        """Run one statement for many rows in one pipeline."""
        async with self.connection.cursor() as cursor:
            await cursor.executemany(query, rows)


class Database:
    """A pool of connections with one login role."""

    def __init__(self, url: str, *, size: int = 10) -> None:
        self._url = url
        self._pool: AsyncConnectionPool[AsyncConnection[dict[str, Any]]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=10,
            check=self._check,
            # Transactions are begun by hand, together with the tenant's settings, in one round trip.
            kwargs={"row_factory": dict_row, "autocommit": True},
        )
        self._checked_at: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> Self:
        """Connect; refuse a login that row level security would not bind.

        Raises: Unavailable when the server does not answer or the role is too powerful.
        """
        try:
            await self._pool.open(wait=True, timeout=15)
        except PoolTimeout as err:
            raise Unavailable(
                "PostgreSQL does not answer; check DATABASE_URL or run `getsale doctor`."
            ) from err
        async with self._connection() as connection:
            cursor = await connection.execute(
                "SELECT rolsuper OR rolbypassrls AS unbound FROM pg_roles WHERE rolname = current_user"
            )
            role = await cursor.fetchone()
        if role and role["unbound"]:
            await self._pool.close()
            raise Unavailable("The database login is a superuser or has BYPASSRLS; use the role getsale_app.")
        return self

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(
        self, principal: Principal, label: str, *, turn: str = "", is_read_only: bool = False
    ) -> AsyncIterator[Tx]:
        """Open a transaction that sees the principal's organization only; commit at the end of the block.

        With a `turn` it begins once no other transaction of that name is open; that costs no round trip of its own. In
        one that `is_read_only` the database itself refuses whatever would write.

        `label` names the transaction in traces and as the crash points `commit.<label>.before|after`.
        """
        with _tracer.start_as_current_span(f"tx {label}"):
            async with self._connection() as connection:
                await connection.execute(_beginning(principal, turn, is_read_only=is_read_only))
                with _told_of_sight(principal):
                    yield Tx(connection, principal)
                crashpoint.reach(f"commit.{label}.before")
                await connection.commit()
                crashpoint.reach(f"commit.{label}.after")

    @asynccontextmanager
    async def across_tenants(self, label: str) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
        """A transaction without a tenant: sees work to claim and what the definer functions return, ids only."""
        with _tracer.start_as_current_span(f"tx {label}"):
            async with self._connection() as connection:
                await connection.execute("BEGIN")
                yield connection
                crashpoint.reach(f"commit.{label}.before")
                await connection.commit()
                crashpoint.reach(f"commit.{label}.after")

    async def look_up(self, query: LiteralString, /, **params: object) -> list[dict[str, Any]]:
        """The rows of one statement before any tenant is known: what the definer functions return, in one round trip."""
        async with self._connection() as connection:
            return await (await connection.execute(query, params)).fetchall()

    @asynccontextmanager
    async def session(self, principal: Principal) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
        """An autocommit connection bound to the principal's organization, for LangGraph's checkpointer."""
        async with self._connection() as connection:
            try:
                await connection.execute(
                    "SELECT set_config('app.organization_id', %s, false)", (str(principal.organization_id),)
                )
                yield connection
            finally:
                if not connection.closed:
                    await connection.execute("SELECT set_config('app.organization_id', '', false)")

    @asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection of its own that has issued LISTEN; iterate `connection.notifies(timeout=...)`."""
        connection = await AsyncConnection.connect(self._url, autocommit=True)
        try:
            for channel in channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield connection
        finally:
            await connection.close()

    async def require_migrated(self) -> None:
        """Raises: Unavailable when the server does not answer or its schema is not there."""
        async with self._connection() as connection:
            cursor = await connection.execute(
                "SELECT to_regclass('public.events') IS NOT NULL AS is_migrated"
            )
            row = await cursor.fetchone()
        if not row or not row["is_migrated"]:
            raise Unavailable("The database is not migrated; run `getsale migrate`.", part="postgres")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[dict[str, Any]]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, psycopg.errors.AdminShutdown, psycopg.errors.CannotConnectNow) as err:
            raise Unavailable(
                "PostgreSQL does not answer; the request can be repeated.", part="postgres"
            ) from err

    async def _check(self, connection: AsyncConnection[Any]) -> None:
        """Whether a pooled connection still answers; asked at most once in a while, for it costs a round trip."""
        now = time.monotonic()
        if now - self._checked_at.get(connection, 0.0) > CHECK_SECONDS:
            await AsyncConnectionPool.check_connection(connection)
            self._checked_at[connection] = now


@contextmanager
def _told_of_sight(principal: Principal) -> Iterator[None]:
    """What the database refuses to somebody who sees only what is assigned to them is a refusal, and no bug.

    Raises: Forbidden.
    """
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as err:
        if principal.visibility is Visibility.ALL:
            raise
        raise Forbidden("You work only on what is assigned to you; ask a supervisor for this.") from err


def _beginning(principal: Principal, turn: str = "", *, is_read_only: bool = False) -> sql.Composed:
    """BEGIN and the tenant's settings; after COMMIT or ROLLBACK the settings are gone."""
    waiting = sql.SQL("; SELECT pg_advisory_xact_lock(hashtextextended({}, 0))").format(sql.Literal(turn))
    return sql.SQL(
        """
        BEGIN {access};
        SELECT set_config('app.organization_id', {organization_id}, true),
               set_config('app.person_id', {person_id}, true),
               set_config('app.seat_id', {seat_id}, true),
               set_config('app.visibility', {visibility}, true)
        """
    ).format(
        access=sql.SQL("READ ONLY" if is_read_only else "READ WRITE"),
        organization_id=sql.Literal(str(principal.organization_id)),
        person_id=sql.Literal(str(principal.person_id or "")),
        seat_id=sql.Literal(str(principal.own_seat_id or "")),
        visibility=sql.Literal(str(principal.visibility)),
    ) + (waiting if turn else sql.SQL(""))
