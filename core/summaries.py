"""Counts, sums and averages over the listings of `core.sql`, by group; every value is computed by the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from psycopg import sql

from core.db import Literal, Tx
from core.filters import Filter, ValueKind
from core.sql import Column, Listing, where_of

MAX_KEYS = 3


@dataclass(frozen=True)
class Key:
    """One thing to group by; with `month_in`, a time zone, the months that its moments fall into.

    A date has no zone: its month is the one that is written on it.
    """

    column: Column
    month_in: str = ""

    @property
    def expression(self) -> sql.Composable:
        if not self.month_in:
            return sql.SQL("({})::text").format(self.column.expression)
        if self.column.kind is ValueKind.DATE:
            return sql.SQL("to_char({}, 'YYYY-MM')").format(self.column.expression)
        return sql.SQL("to_char(({}) AT TIME ZONE {}, 'YYYY-MM')").format(
            self.column.expression, Literal(self.month_in)
        )


@dataclass(frozen=True)
class Group:
    """`keys` are the values grouped by, in order, None where there is none; `total` and `average` are the measure's."""

    keys: list[str | None]
    count: int
    total: Decimal | None
    average: Decimal | None


async def fetch_groups(
    tx: Tx,
    listing: Listing,
    kept: Filter,
    *,
    keys: Sequence[Key] = (),
    measure: Column | None = None,
    limit: int,
) -> list[Group]:
    """Rows that a filter keeps, counted by group, the largest group first; without keys one group holds them all."""
    grouped = sql.SQL(", ").join(key.expression for key in keys)
    value = measure.expression if measure else sql.SQL("NULL::numeric")
    statement = sql.SQL(
        """
        SELECT ARRAY[{grouped}]::text[] AS keys, count(*) AS count, sum(({value})::numeric) AS total,
               avg(({value})::numeric) AS average
          FROM {source}
         WHERE {where}
         {grouping}
         ORDER BY count(*) DESC, 1
         LIMIT {limit}
        """
    ).format(
        grouped=grouped,
        value=value,
        source=sql.SQL(listing.source),
        where=where_of(listing, kept),
        grouping=sql.SQL("GROUP BY {}").format(grouped) if keys else sql.SQL(""),
        limit=sql.Literal(limit),
    )
    return await tx.all(Group, statement)
