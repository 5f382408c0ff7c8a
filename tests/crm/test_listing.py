"""Lists: a filter means in SQL what it means in Python, pages meet without gaps, cursors belong to their list."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from core import clock
from core.db import Database, Tx
from core.errors import Unprocessable
from core.filters import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    OPERATORS,
    Operator,
    ValueKind,
    parse_filter,
)
from core.principal import Principal
from core.sql import Listing, ListQuery, Sort, count_rows, fetch_ids, parse_sort
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.companies.queries import list_companies
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from crm.records.lists import read_filter
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.tags.actions import ensure_tag, put_tag
from events.ids import RecordKind
from tests.support.filtering import Given, comparable, keeps
from tests.support.organizations import make_organization

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
COMPANIES = 60
WORDS = ("Acme", "ACME Nord", "Ромашка", "ромашка плюс", "Ёлки", "100%", "a_b", "O'Hara", "back\\slash", "")
CHOICES = (Choice("small", "Small"), Choice("big", "Большой"), Choice("huge", "Huge"))
FIELDS = (
    ("text", ValueKind.TEXT),
    ("number", ValueKind.NUMBER),
    ("money", ValueKind.MONEY),
    ("date", ValueKind.DATE),
    ("choice", ValueKind.CHOICE),
    ("choices", ValueKind.CHOICES),
    ("boolean", ValueKind.BOOLEAN),
    ("record", ValueKind.RECORD),
)


@dataclass(frozen=True)
class Records:
    """An organization with companies of every kind of value, and what a reader of each would see."""

    owner: Principal
    listing: Listing
    rows: dict[UUID, dict[str, Given]]
    tags: list[str]
    segments: list[str]


@pytest.fixture(scope="module")
async def records(database: Database) -> Records:
    owner = await make_organization(database)
    chance = random.Random(5)
    async with database.transaction(owner, "test") as tx:
        for key, kind in FIELDS:
            target = RecordKind.COMPANY if kind is ValueKind.RECORD else None
            choices = CHOICES if kind in (ValueKind.CHOICE, ValueKind.CHOICES) else ()
            await create_custom_field(
                tx,
                NewCustomField(RecordKind.COMPANY, key, kind, key=key, choices=choices, target_kind=target),
            )
        tags = [(await ensure_tag(tx, name)).id for name in ("vip", "склад", "later")]
        listing, segments = await _with_segments(tx)
        rows: dict[UUID, dict[str, Given]] = {}
        for number in range(COMPANIES):
            custom = _custom(chance, list(rows))
            company = await create_company(
                tx,
                NewCompany(
                    chance.choice(WORDS) or f"Company {number}",
                    domain=chance.choice([None, f"d{number}.example"]),
                    city=chance.choice(WORDS),
                    employees=chance.choice([None, 0, 7, 7, 300]),
                    custom=custom,
                ),
            )
            mine = chance.sample(tags, chance.randint(0, 3))
            for tag in mine:
                await put_tag(tx, RecordKind.COMPANY, company.id, tag)
            rows[company.id] = {
                "name": company.name,
                "domain": company.domain,
                "city": company.city,
                "employees": comparable(company.employees),
                "owner_id": None,
                "tags": frozenset(map(str, mine)),
                "created_at": company.created_at,
                **{f"custom.{key}": _seen(kind, company.custom.get(key)) for key, kind in FIELDS},
            }
    return Records(owner, listing, rows, [str(tag) for tag in tags], segments)


async def _with_segments(tx: Tx) -> tuple[Listing, list[str]]:
    """The list of companies with two segments, one of which is about the other."""
    flowers: dict[str, JsonValue] = {"field": "name", "op": "contains", "value": "ромашка"}
    first = await create_segment(tx, NewSegment(RecordKind.COMPANY, "Flowers", flowers))
    other: dict[str, JsonValue] = {
        "all": [
            {"field": "segment", "op": "is_not", "value": str(first.id)},
            {"field": "employees", "op": "gt", "value": 5},
        ]
    }
    second = await create_segment(tx, NewSegment(RecordKind.COMPANY, "Others", other))
    segments: list[JsonValue] = [str(first.id), str(second.id)]
    listing, _ = await read_filter(
        tx, RecordKind.COMPANY, {"field": "segment", "op": "any_of", "value": segments}
    )
    return listing, [str(first.id), str(second.id)]


def _custom(chance: random.Random, others: list[UUID]) -> dict[str, JsonValue]:
    whole: dict[str, JsonValue] = {
        "text": chance.choice(WORDS),
        "number": chance.choice([-1, 0, 2.5, 1000000]),
        "money": {"amount_minor": chance.choice([-5, 0, 816000]), "currency": "EUR"},
        "date": (NOW + timedelta(days=chance.randint(-5, 5))).date().isoformat(),
        "choice": chance.choice(CHOICES).key,
        "choices": [choice.key for choice in chance.sample(CHOICES, chance.randint(0, 3))],
        "boolean": chance.choice([True, False]),
        "record": str(chance.choice(others)) if others else None,
    }
    return {key: value for key, value in whole.items() if chance.random() < 0.7}


def _seen(kind: ValueKind, stored: Any) -> Given:
    match kind:
        case ValueKind.MONEY:
            return comparable(stored and stored["amount_minor"])
        case ValueKind.DATE:
            return date.fromisoformat(stored) if stored else None
        case ValueKind.CHOICES:
            return frozenset(stored or ())
        case ValueKind.RECORD:
            return UUID(stored) if stored else None
        case _:
            return comparable(stored)


def _values(kind: ValueKind, operator: Operator, records: Records) -> st.SearchStrategy[Any]:
    if operator in (Operator.LAST_DAYS, Operator.NEXT_DAYS):
        return st.integers(0, 7)
    match kind:
        case ValueKind.TEXT:
            return st.sampled_from([*WORDS, "a", "РОМ", "%", "_", "example"])
        case ValueKind.NUMBER:
            return st.sampled_from([-1, 0, 2.5, "7", 300, "1000000"])
        case ValueKind.MONEY:
            return st.sampled_from([-5, 0, 816000, 10**15])
        case ValueKind.DATE:
            return st.integers(-6, 6).map(lambda days: (NOW + timedelta(days=days)).date().isoformat())
        case ValueKind.MOMENT:
            return st.integers(-6, 6).map(lambda days: (clock.now() + timedelta(days=days)).isoformat())
        case ValueKind.CHOICE:
            return st.sampled_from([choice.key for choice in CHOICES])
        case ValueKind.CHOICES:
            return st.sampled_from([*(choice.key for choice in CHOICES), *records.tags])
        case ValueKind.BOOLEAN:
            return st.booleans()
        case ValueKind.RECORD:
            return st.sampled_from(list(map(str, records.rows))[:6])
        case ValueKind.SEGMENT:
            return st.sampled_from(records.segments)


def _condition(name: str, kind: ValueKind, records: Records) -> st.SearchStrategy[JsonValue]:
    def of(operator: Operator) -> st.SearchStrategy[JsonValue]:
        if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
            return st.just({"field": name, "op": operator.value})
        value = _values(kind, operator, records)
        match operator:
            case Operator.BETWEEN:
                value = st.tuples(value, value).map(list)
            case Operator.ANY_OF | Operator.NONE_OF | Operator.ALL_OF:
                value = st.lists(value, min_size=1, max_size=3)
        return value.map(lambda given: {"field": name, "op": operator.value, "value": given})

    return st.sampled_from(OPERATORS[kind]).flatmap(of)


def _trees(records: Records) -> st.SearchStrategy[JsonValue]:
    names = [*next(iter(records.rows.values())), "segment"]
    kinds = records.listing.kinds
    condition = st.sampled_from(names).flatmap(lambda name: _condition(name, kinds[name], records))
    return st.recursive(
        condition,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: {"all": parts}),
            st.lists(inner, max_size=3).map(lambda parts: {"any": parts}),
            inner.map(lambda part: {"not": part}),
        ),
        max_leaves=8,
    )


async def _explore(
    strategy: st.SearchStrategy[JsonValue], check: Callable[[JsonValue], Any], examples: int
) -> None:
    """Let hypothesis drive: it runs in a thread beside the loop that the database lives in."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(strategy)
    def explore(tree: JsonValue) -> None:
        asyncio.run_coroutine_threadsafe(check(tree), loop).result(30)

    await asyncio.to_thread(explore)


async def _agree(database: Database, records: Records, tree: JsonValue) -> None:
    kept = parse_filter(tree, records.listing.kinds)
    async with database.transaction(records.owner, "test") as tx:
        found = await fetch_ids(tx, records.listing, kept, limit=1000)
        count = await count_rows(tx, records.listing, kept)

    segments = records.listing.columns["segment"].segments
    meant = [id for id, row in records.rows.items() if keeps(kept, row, records.listing.kinds, segments)]
    assert found == sorted(meant)
    assert count == len(meant)


async def test_a_filter_means_in_sql_what_it_means_in_python(database: Database, records: Records) -> None:
    await _explore(_trees(records), lambda tree: _agree(database, records, tree), 300)


@pytest.mark.full
async def test_a_filter_means_in_sql_what_it_means_in_python_many_times(
    database: Database, records: Records
) -> None:
    await _explore(_trees(records), lambda tree: _agree(database, records, tree), 5000)


@pytest.mark.parametrize(
    "sort",
    [
        "name",
        "-name",
        "employees",
        "-employees",
        "-updated_at,name",
        "custom.date,-custom.number",
        "custom.boolean,city,-domain",
        "custom.record,-name",
        "-custom.record",
        "contacts",
    ],
)
async def test_the_pages_of_a_list_are_the_list(database: Database, records: Records, sort: str) -> None:
    order = parse_sort(sort, records.listing)
    seen: list[UUID] = []
    cursor = None
    async with database.transaction(records.owner, "test") as tx:
        whole = await list_companies(tx, ListQuery(sort=order, limit=100))
        while True:
            page = await list_companies(tx, ListQuery(sort=order, cursor=cursor, limit=7))
            seen += [company.id for company in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break

    assert seen == [company.id for company in whole.items]
    assert sorted(seen) == sorted(records.rows)


async def test_rows_without_a_value_come_last_in_either_direction(
    database: Database, records: Records
) -> None:
    for is_descending in (False, True):
        query = ListQuery(sort=(Sort("employees", is_descending),), limit=100)
        async with database.transaction(records.owner, "test") as tx:
            numbers = [company.employees for company in (await list_companies(tx, query)).items]

        known = [number for number in numbers if number is not None]
        assert known == sorted(known, reverse=is_descending)
        assert numbers == known + [None] * (len(numbers) - len(known))


async def test_a_link_is_in_the_order_of_what_it_leads_to(database: Database, records: Records) -> None:
    for is_descending in (False, True):
        query = ListQuery(sort=(Sort("custom.record", is_descending),), limit=100)
        async with database.transaction(records.owner, "test") as tx:
            page = await list_companies(tx, query)
            given = [company.custom.get("record") for company in page.items]
            names = [str(records.rows[UUID(str(id))]["name"]) for id in given if id]
            in_order = await tx.value("SELECT array_agg(n ORDER BY n) FROM unnest(%(n)s::text[]) n", n=names)

        assert names == (in_order[::-1] if is_descending else in_order)
        assert given[len(names) :] == [None] * (len(given) - len(names))


async def test_a_cursor_belongs_to_its_organization_and_order(
    database: Database, records: Records, organization: Principal
) -> None:
    async with database.transaction(records.owner, "test") as tx:
        page = await list_companies(tx, ListQuery(limit=5))
        with pytest.raises(Unprocessable, match="another list"):
            await list_companies(tx, ListQuery(sort=(Sort("city"),), cursor=page.next_cursor))
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable, match="another list"):
            await list_companies(tx, ListQuery(cursor=page.next_cursor))


@pytest.mark.parametrize("cursor", ["", "x", "WyJhIl0", "eyJhIjoxfQ", "W251bGxd"])
async def test_a_cursor_that_we_did_not_make_is_refused(
    database: Database, records: Records, cursor: str
) -> None:
    async with database.transaction(records.owner, "test") as tx:
        with pytest.raises(Unprocessable, match="cursor"):
            await list_companies(tx, ListQuery(cursor=cursor))


def _nested(depth: int) -> JsonValue:
    return {"not": _nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([], "A part of a filter"),
        ({"all": [], "any": []}, "A part of a filter"),
        ({"field": "nmae", "op": "is", "value": "x"}, "There is no field 'nmae'"),
        ({"field": "name", "op": "like", "value": "x"}, "cannot be compared by 'like'"),
        ({"field": "name", "op": "is", "value": 5}, "name needs a text"),
        ({"field": "name", "op": "is", "value": "a\x00b"}, "name needs a text"),
        ({"field": "name", "op": "empty", "value": "x"}, "takes no value"),
        ({"field": "employees", "op": "between", "value": [1]}, "two values"),
        ({"field": "employees", "op": "is", "value": True}, "employees needs a number"),
        ({"field": "employees", "op": "is", "value": "1e999999"}, "sensible size"),
        ({"field": "created_at", "op": "gt", "value": "2026-11-27"}, "with its offset"),
        ({"field": "owner_id", "op": "is", "value": "somebody"}, "the id of a record"),
        ({"field": "tags", "op": "any_of", "value": []}, "a list of 1 to"),
        (_nested(MAX_DEPTH), "nested deeper"),
        ({"any": [{"field": "name", "op": "empty"}] * (MAX_CONDITIONS + 1)}, "more than"),
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused_by_name(tree: JsonValue, words: str) -> None:
    kinds = {
        "name": ValueKind.TEXT,
        "employees": ValueKind.NUMBER,
        "created_at": ValueKind.MOMENT,
        "owner_id": ValueKind.RECORD,
        "tags": ValueKind.CHOICES,
    }
    with pytest.raises(Unprocessable, match=words):
        parse_filter(tree, kinds)


def test_me_is_whoever_asks() -> None:
    me = UUID(int=7)
    tree: dict[str, JsonValue] = {"field": "owner_id", "op": "is", "value": "me"}

    kept = parse_filter(tree, {"owner_id": ValueKind.RECORD}, me=me)

    assert kept == parse_filter({**tree, "value": str(me)}, {"owner_id": ValueKind.RECORD})


@pytest.mark.parametrize("sort", ["nothing", "tags", "about", "name,name", "name,city,domain,phone"])
async def test_an_order_that_is_not_there_is_refused(records: Records, sort: str) -> None:
    with pytest.raises(Unprocessable, match=r"(?i)sort"):
        parse_sort(sort, records.listing)
