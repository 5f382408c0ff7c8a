"""The one composer of filters, order and cursors: SQL over a closed list of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import LiteralString, TypeVar, assert_never
from uuid import UUID

from psycopg import sql

from core import clock
from core.db import Literal, Tx
from core.errors import Unprocessable
from core.filters import (
    EVERYTHING,
    Condition,
    Every,
    Filter,
    Nope,
    Operator,
    Some,
    Value,
    ValueKind,
    parse_value,
)
from core.pagination import Page, decode_cursor, encode_cursor, page_size

Row = TypeVar("Row")
MAX_SORTS = 3
_NULL = "-"  # a sort key in a cursor that has no value; others begin with "="
_TYPES: Mapping[ValueKind, LiteralString] = {
    ValueKind.TEXT: "text",
    ValueKind.NUMBER: "numeric",
    ValueKind.MONEY: "bigint",
    ValueKind.DATE: "date",
    ValueKind.MOMENT: "timestamptz",
    ValueKind.CHOICE: "text",
    ValueKind.CHOICES: "text[]",
    ValueKind.BOOLEAN: "boolean",
    ValueKind.RECORD: "uuid",
    ValueKind.SEGMENT: "uuid",
}
_COMPARISONS: Mapping[Operator, LiteralString] = {
    Operator.LESS: "<",
    Operator.AT_MOST: "<=",
    Operator.MORE: ">",
    Operator.AT_LEAST: ">=",
}


@dataclass(frozen=True)
class Column:
    """Something that a list can be filtered and sorted by.

    `expression` is SQL over the aliases of the listing; choices give text[], an empty array when there are none.
    A column that is never null can be scrolled by an index. That of segments has no value, so that nothing shows or
    sorts it; its `segments` are the filters that a condition on it may name. Amounts are written with so many `digits`
    as the currency of the column has, or as nearly every currency has. What is `only_asked` is no part of a row. `called` is the text that a record is called
    by: rows are in the order of it, not of ids.
    """

    name: str
    kind: ValueKind
    expression: sql.Composable
    is_nullable: bool = True
    is_sortable: bool = True
    segments: Mapping[UUID, Filter] = field(default_factory=dict)
    digits: int = 2
    called: sql.Composable | None = None
    only_asked: bool = False

    @property
    def is_shown(self) -> bool:
        """Whether a row has a value of it that can be read."""
        return self.kind is not ValueKind.SEGMENT and not self.only_asked


def column(
    name: str,
    kind: ValueKind,
    expression: LiteralString,
    *,
    is_nullable: bool = True,
    is_sortable: bool = True,
    only_asked: bool = False,
) -> Column:
    """A column whose expression is written in the code."""
    is_sortable = is_sortable and kind is not ValueKind.CHOICES
    return Column(name, kind, sql.SQL(expression), is_nullable, is_sortable, only_asked=only_asked)


# In the list of every kind of record that segments are kept of; `crm.records.lists.read_filter` fills it.
SEGMENT = Column("segment", ValueKind.SEGMENT, sql.SQL("NULL"), is_sortable=False)


@dataclass(frozen=True)
class Sort:
    column: str
    is_descending: bool = False

    def __str__(self) -> str:
        return f"-{self.column}" if self.is_descending else self.column


@dataclass(frozen=True)
class Listing:
    """What can be listed: a SELECT with its FROM, what holds for every row, the id column and the columns by name."""

    select: LiteralString
    source: LiteralString
    where: LiteralString
    id: LiteralString
    columns: Mapping[str, Column]
    default_sort: tuple[Sort, ...]

    @property
    def kinds(self) -> Mapping[str, ValueKind]:
        """What `core.filters.parse_filter` asks for."""
        return {name: column.kind for name, column in self.columns.items()}

    def with_columns(self, more: Sequence[Column]) -> "Listing":
        return replace(self, columns={**self.columns, **{column.name: column for column in more}})


@dataclass(frozen=True)
class ListQuery:
    """One page of a list: which rows, in which order, after which cursor."""

    filter: Filter = EVERYTHING
    sort: tuple[Sort, ...] = ()
    cursor: str | None = None
    limit: int = 25


FIRST_PAGE = ListQuery()


@dataclass(frozen=True)
class _Key:
    """One part of an order."""

    expression: sql.Composable
    kind: ValueKind
    is_nullable: bool
    is_descending: bool


@dataclass(frozen=True)
class _Order:
    keys: tuple[_Key, ...] = field(default=())

    @property
    def is_one_index(self) -> bool:
        """Whether a row comparison says it, which an index can begin at."""
        return (
            not any(key.is_nullable for key in self.keys)
            and len({key.is_descending for key in self.keys}) == 1
        )


def parse_sort(text: str, listing: Listing) -> tuple[Sort, ...]:
    """`-updated_at,name` as an order. Raises: Unprocessable for a column that is not there or has no order."""
    sorts = tuple(Sort(part.removeprefix("-"), part.startswith("-")) for part in text.split(",") if part)
    possible = [name for name, column in listing.columns.items() if column.is_sortable]
    for sort in sorts:
        if sort.column not in possible:
            raise Unprocessable(
                f"Nothing can be sorted by {sort.column!r}; use one of {', '.join(possible)}.", field="sort"
            )
    if len(sorts) > MAX_SORTS or len({sort.column for sort in sorts}) < len(sorts):
        raise Unprocessable(f"Sort by at most {MAX_SORTS} different fields.", field="sort")
    return sorts


async def fetch_page(tx: Tx, row: type[Row], listing: Listing, query: ListQuery) -> Page[Row]:
    """One page of a listing, filtered and in order.

    Raises: Unprocessable for a cursor of another list, order or organization.
    """
    sorts = query.sort or listing.default_sort
    order = _order(listing, sorts)
    size = page_size(query.limit)
    statement = sql.SQL(
        "{select}, ARRAY[{keys}] AS position\n  FROM {source}\n WHERE {where}\n ORDER BY {order}\n LIMIT {limit}"
    ).format(
        select=sql.SQL(listing.select),
        keys=sql.SQL(", ").join(sql.SQL("({})::text").format(key.expression) for key in order.keys),
        source=sql.SQL(listing.source),
        where=where_of(listing, query.filter, _after(tx, order, sorts, query.cursor)),
        order=_order_by(order),
        limit=sql.Literal(size + 1),
    )
    rows = await tx.all_with_last(row, statement)
    page = rows[:size]
    more = len(rows) > size
    return Page([found for found, _ in page], _cursor(tx, sorts, page[-1][1]) if more else None)


async def count_rows(tx: Tx, listing: Listing, kept: Filter = EVERYTHING, *, limit: int | None = None) -> int:
    """How many rows a filter keeps; with `limit` it stops counting there."""
    inner = sql.SQL("SELECT FROM {source} WHERE {where}").format(
        source=sql.SQL(listing.source), where=where_of(listing, kept)
    )
    if limit is not None:
        inner = sql.SQL("{} LIMIT {}").format(inner, sql.Literal(limit))
    return int(await tx.value(sql.SQL("SELECT count(*) FROM ({}) AS kept").format(inner)))


async def keeps_row(tx: Tx, listing: Listing, kept: Filter, id: UUID) -> bool:
    """Whether one row is among those that a filter keeps."""
    this = sql.SQL("{} = {}").format(sql.SQL(listing.id), sql.Literal(id))
    statement = sql.SQL("SELECT EXISTS (SELECT FROM {source} WHERE {where})").format(
        source=sql.SQL(listing.source), where=where_of(listing, kept, this)
    )
    return bool(await tx.value(statement))


async def fetch_ids(tx: Tx, listing: Listing, kept: Filter, *, limit: int) -> list[UUID]:
    """The ids of the rows that a filter keeps, in the order of ids."""
    statement = sql.SQL("SELECT {id} AS id FROM {source} WHERE {where} ORDER BY {id} LIMIT {limit}").format(
        id=sql.SQL(listing.id),
        source=sql.SQL(listing.source),
        where=where_of(listing, kept),
        limit=sql.Literal(limit),
    )
    return [found.id for found in await tx.all(_Id, statement)]


@dataclass(frozen=True)
class _Id:
    id: UUID


def compose_filter(kept: Filter, columns: Mapping[str, Column]) -> sql.Composable:
    """A condition in SQL. NULL counts as false in it, and `not` turns that into true."""
    match kept:
        case Every(parts):
            return _joined(" AND ", parts, columns, sql.SQL("TRUE"))
        case Some(parts):
            return _joined(" OR ", parts, columns, sql.SQL("FALSE"))
        case Nope(part):
            return sql.SQL("({}) IS NOT TRUE").format(compose_filter(part, columns))
        case Condition():
            column = columns[kept.field]
            if column.kind is ValueKind.SEGMENT:
                return compose_filter(_within(column, kept), columns)
            return _condition(column, kept)
        case _:
            assert_never(kept)


def _within(column: Column, condition: Condition) -> Filter:
    """The filters of the segments that a condition names, in its place."""
    inside = Some(tuple(column.segments[id] for id in condition.values if isinstance(id, UUID)))
    return inside if condition.operator in (Operator.IS, Operator.ANY_OF) else Nope(inside)


def _joined(
    word: LiteralString, parts: Sequence[Filter], columns: Mapping[str, Column], nothing: sql.SQL
) -> sql.Composable:
    if not parts:
        return nothing
    return sql.SQL("({})").format(sql.SQL(word).join(compose_filter(part, columns) for part in parts))


def _condition(column: Column, condition: Condition) -> sql.Composable:
    if condition.operator in (Operator.EMPTY, Operator.NOT_EMPTY):
        return _presence(column, is_empty=condition.operator is Operator.EMPTY)
    match column.kind:
        case ValueKind.TEXT:
            return _text_condition(column, condition)
        case ValueKind.CHOICES:
            return _choices_condition(column, condition)
        case _:
            return _plain_condition(column, condition)


def _presence(column: Column, *, is_empty: bool) -> sql.Composable:
    match column.kind:
        case ValueKind.TEXT | ValueKind.CHOICE:
            empty = sql.SQL("coalesce({}, '') = ''")
        case ValueKind.CHOICES:
            empty = sql.SQL("cardinality({}) = 0")
        case _:
            empty = sql.SQL("{} IS NULL")
    condition = sql.SQL("({})").format(empty.format(column.expression))
    return condition if is_empty else sql.SQL("NOT {}").format(condition)


def _text_condition(column: Column, condition: Condition) -> sql.Composable:
    """Letters count the same in upper and lower case."""
    text = sql.SQL("lower(coalesce({}, ''))").format(column.expression)
    words = [sql.SQL("lower({})").format(_literal(column.kind, value)) for value in condition.values]
    match condition.operator:
        case Operator.CONTAINS:
            return sql.SQL("strpos({}, {}) > 0").format(text, words[0])
        case Operator.NOT_CONTAINS:
            return sql.SQL("strpos({}, {}) = 0").format(text, words[0])
        case Operator.STARTS_WITH:
            return sql.SQL("starts_with({}, {})").format(text, words[0])
        case Operator.IS | Operator.ANY_OF:
            return sql.SQL("{} IN ({})").format(text, sql.SQL(", ").join(words))
        case _:
            return sql.SQL("{} NOT IN ({})").format(text, sql.SQL(", ").join(words))


def _choices_condition(column: Column, condition: Condition) -> sql.Composable:
    wanted = sql.SQL("ARRAY[{}]").format(
        sql.SQL(", ").join(_literal(ValueKind.TEXT, value) for value in condition.values)
    )
    match condition.operator:
        case Operator.ANY_OF:
            return sql.SQL("{} && {}").format(column.expression, wanted)
        case Operator.ALL_OF:
            return sql.SQL("{} @> {}").format(column.expression, wanted)
        case _:
            return sql.SQL("NOT ({} && {})").format(column.expression, wanted)


def _plain_condition(column: Column, condition: Condition) -> sql.Composable:
    values = condition.values
    match condition.operator:
        case Operator.IS:
            return sql.SQL("{} = {}").format(column.expression, _literal(column.kind, values[0]))
        case Operator.IS_NOT:
            return sql.SQL("{} IS DISTINCT FROM {}").format(
                column.expression, _literal(column.kind, values[0])
            )
        case Operator.BETWEEN:
            low, high = (_literal(column.kind, value) for value in values)
            return sql.SQL("{} BETWEEN {} AND {}").format(column.expression, low, high)
        case Operator.ANY_OF:
            return sql.SQL("{} IN ({})").format(column.expression, _literals(column.kind, values))
        case Operator.NONE_OF:
            return sql.SQL("({} IN ({})) IS NOT TRUE").format(
                column.expression, _literals(column.kind, values)
            )
        case Operator.LAST_DAYS | Operator.NEXT_DAYS:
            return _days(column, condition)
        case _:
            comparison = sql.SQL(_COMPARISONS[condition.operator])
            return sql.SQL("{} {} {}").format(column.expression, comparison, _literal(column.kind, values[0]))


def _days(column: Column, condition: Condition) -> sql.Composable:
    """From so many days ago until now, or from now until so many days ahead; dates count whole days in UTC."""
    (days,) = condition.values
    span = timedelta(days=int(days)) if isinstance(days, Decimal) else timedelta()
    now = clock.now()
    low, high = (now - span, now) if condition.operator is Operator.LAST_DAYS else (now, now + span)
    if column.kind is ValueKind.DATE:
        low, high = low.date(), high.date()  # type: ignore[assignment]  # a date compares with dates
    return sql.SQL("{} BETWEEN {} AND {}").format(
        column.expression, _literal(column.kind, low), _literal(column.kind, high)
    )


def _literals(kind: ValueKind, values: Sequence[Value]) -> sql.Composable:
    return sql.SQL(", ").join(_literal(kind, value) for value in values)


def _literal(kind: ValueKind, value: Value | str) -> sql.Composable:
    given = value.isoformat() if isinstance(value, date) else str(value)
    return sql.SQL("{}::{}").format(Literal(given), sql.SQL(_TYPES[kind]))


def where_of(listing: Listing, kept: Filter, after: sql.Composable | None = None) -> sql.Composable:
    """What holds for every row of a listing that a filter keeps."""
    conditions = [sql.SQL(listing.where), compose_filter(kept, listing.columns)]
    if after is not None:
        conditions.append(after)
    return sql.SQL("\n   AND ").join(conditions)


def _order(listing: Listing, sorts: tuple[Sort, ...]) -> _Order:
    keys = [_key(listing.columns[sort.column], sort) for sort in sorts]
    is_descending = bool(sorts) and sorts[-1].is_descending
    return _Order((*keys, _Key(sql.SQL(listing.id), ValueKind.RECORD, False, is_descending)))


def _key(column: Column, sort: Sort) -> _Key:
    if column.called is not None:
        return _Key(column.called, ValueKind.TEXT, column.is_nullable, sort.is_descending)
    return _Key(column.expression, column.kind, column.is_nullable, sort.is_descending)


def _order_by(order: _Order) -> sql.Composable:
    parts = []
    for key in order.keys:
        direction = "DESC" if key.is_descending else "ASC"
        nulls = " NULLS LAST" if key.is_nullable else ""
        parts.append(sql.SQL("{} {}{}").format(key.expression, sql.SQL(direction), sql.SQL(nulls)))
    return sql.SQL(", ").join(parts)


def _cursor(tx: Tx, sorts: tuple[Sort, ...], position: Sequence[str | None]) -> str:
    keys = [_NULL if part is None else f"={part}" for part in position[:-1]]
    return encode_cursor(_list_name(tx, sorts), *keys, position[-1])


def _list_name(tx: Tx, sorts: tuple[Sort, ...]) -> str:
    return f"{tx.organization_id}:{','.join(map(str, sorts))}"


def _after(tx: Tx, order: _Order, sorts: tuple[Sort, ...], cursor: str | None) -> sql.Composable | None:
    """The rows behind the one that a cursor names."""
    if cursor is None:
        return None
    name, *given = decode_cursor(cursor, len(order.keys) + 1)
    if name != _list_name(tx, sorts):
        raise Unprocessable(
            "This page cursor is of another list or order; start from the first page.", field="cursor"
        )
    values = [
        _position(key, text) for key, text in zip(order.keys, [*given[:-1], f"={given[-1]}"], strict=True)
    ]
    if order.is_one_index and None not in values:
        sign = sql.SQL("<" if order.keys[0].is_descending else ">")
        expressions = sql.SQL(", ").join(key.expression for key in order.keys)
        return sql.SQL("({}) {} ({})").format(expressions, sign, sql.SQL(", ").join(filter(None, values)))
    return _behind(list(zip(order.keys, values, strict=True)))


def _position(key: _Key, text: str) -> sql.Composable | None:
    """A sort key out of a cursor, checked, for whoever sends it may have changed it."""
    if text == _NULL and key.is_nullable:
        return None
    if not text.startswith("="):
        raise Unprocessable("This page cursor is not valid; start from the first page.", field="cursor")
    value = text[1:]
    if key.kind is ValueKind.BOOLEAN:
        return _literal(key.kind, value == "true")
    return _literal(key.kind, value if key.kind is ValueKind.TEXT else parse_value(key.kind, value, "cursor"))


def _behind(parts: list[tuple[_Key, sql.Composable | None]]) -> sql.Composable:
    """Later in the first key, or equal there and later in the others; rows without a value come last."""
    (key, value), *rest = parts
    if value is None:
        equal = sql.SQL("{} IS NULL").format(key.expression)
        return sql.SQL("({} AND {})").format(equal, _behind(rest))
    sign = sql.SQL("<" if key.is_descending else ">")
    later = sql.SQL("{} {} {}").format(key.expression, sign, value)
    if key.is_nullable:
        later = sql.SQL("{} OR {} IS NULL").format(later, key.expression)
    if not rest:
        return sql.SQL("({})").format(later)
    return sql.SQL("({} OR ({} = {} AND {}))").format(later, key.expression, value, _behind(rest))
