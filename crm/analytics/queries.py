"""Counting and adding up records of every kind, by their own fields."""

from typing import assert_never

from core.db import Tx
from core.errors import Unprocessable
from core.filters import Filter, ValueKind, parse_filter
from core.sql import Column, Listing, count_rows
from core.summaries import MAX_KEYS, Group, Key, fetch_groups
from crm.analytics.models import Ask, Counted, Figures, Line
from crm.bidi.queries import find_own_member
from crm.identity.queries import get_organization, list_members
from crm.meetings.fields import MEETINGS
from crm.records.lists import read_filter
from crm.tasks.fields import TASKS
from events.ids import RecordKind

MAX_GROUPS = 50
# Names under which people are grouped; the columns hold their ids.
_PEOPLE = {"owner": "owner_id", "assignee": "assignee_id"}
_MONTH = "month:"


async def figures(tx: Tx, ask: Ask) -> Figures:
    """What a filter keeps, counted and added up. Sums of money never mix currencies.

    Raises: Unprocessable, naming what cannot be counted so and what can; Forbidden.
    """
    listing, kept = await listed(tx, ask.kind, ask.filter)
    measure = _measure(listing, ask.measure)
    names = list(ask.group_by)
    if measure is not None and measure.kind is ValueKind.MONEY and "currency" not in names:
        names.append("currency")
    if len(names) > MAX_KEYS or len(set(names)) < len(names):
        raise Unprocessable(f"Group by at most {MAX_KEYS} different fields.", field="group_by")
    zone = (await get_organization(tx)).time_zone
    keys = [_key(listing, name, zone) for name in names]
    groups = await fetch_groups(tx, listing, kept, keys=keys, measure=measure, limit=MAX_GROUPS + 1)
    count = await count_rows(tx, listing, kept)
    lines = await _named(tx, names, groups[:MAX_GROUPS])
    return Figures(lines, count, len(groups) > MAX_GROUPS)


async def listed(tx: Tx, kind: Counted, data: object) -> tuple[Listing, Filter]:
    """The list of a kind and a filter over it; "me" in it is whoever asks. Raises: Unprocessable, Forbidden."""
    match kind:
        case Counted.TASK:
            tx.principal.require("tasks:read")
            return TASKS, parse_filter(data, TASKS.kinds, me=await find_own_member(tx))  # type: ignore[arg-type]
        case Counted.MEETING:
            tx.principal.require("meetings:read")
            return MEETINGS, parse_filter(data, MEETINGS.kinds, me=await find_own_member(tx))  # type: ignore[arg-type]
        case Counted.CONTACT | Counted.COMPANY | Counted.LEAD | Counted.DEAL:
            return await read_filter(tx, RecordKind(kind.value), data)  # type: ignore[arg-type]
        case _:
            assert_never(kind)


def _measure(listing: Listing, name: str) -> Column | None:
    if not name:
        return None
    numbers = [
        column.name
        for column in listing.columns.values()
        if column.kind in (ValueKind.NUMBER, ValueKind.MONEY) and column.name != "stage_position"
    ]
    if name not in numbers:
        can = f"use one of {', '.join(numbers)}" if numbers else "count them instead"
        raise Unprocessable(f"{name!r} cannot be added up; {can}.", field="measure")
    return listing.columns[name]


def _key(listing: Listing, name: str, zone: str) -> Key:
    wanted = name.removeprefix(_MONTH)
    column = listing.columns.get(_PEOPLE.get(wanted, wanted))
    is_month = name.startswith(_MONTH)
    if column is None or (is_month and column.kind not in (ValueKind.DATE, ValueKind.MOMENT)):
        dates = [c.name for c in listing.columns.values() if c.kind in (ValueKind.DATE, ValueKind.MOMENT)]
        known = [c.name for c in listing.columns.values() if c.kind is ValueKind.CHOICE]
        raise Unprocessable(
            f"Nothing can be grouped by {name!r}; use owner, stage, company, {', '.join(known)}, or month: with one "
            f"of {', '.join(dates)}, as far as the records have them.",
            field="group_by",
        )
    return Key(column, zone if is_month else "")


async def _named(tx: Tx, names: list[str], groups: list[Group]) -> list[Line]:
    """The groups with people by their names."""
    people: dict[str, str] = {}
    if _PEOPLE.keys() & set(names):
        people = {str(member.id): member.name for member in await list_members(tx)}
    return [
        Line(
            {
                name: people.get(value or "", value or "") if name in _PEOPLE else value or ""
                for name, value in zip(names, group.keys, strict=True)
            },
            group.count,
            group.total,
            group.average,
        )
        for group in groups
    ]
