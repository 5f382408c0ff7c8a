"""What a filter means, in plain Python: what its SQL is compared with."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from core import clock
from core.filters import Condition, Every, Filter, Nope, Operator, Some, Value, ValueKind

Given = Value | frozenset[str] | int | None


def keeps(
    kept: Filter,
    row: Mapping[str, Given],
    kinds: Mapping[str, ValueKind],
    segments: Mapping[UUID, Filter],
) -> bool:
    """Whether a filter keeps a row: None stands for no value, a set of texts for choices."""
    match kept:
        case Every(parts):
            return all(keeps(part, row, kinds, segments) for part in parts)
        case Some(parts):
            return any(keeps(part, row, kinds, segments) for part in parts)
        case Nope(part):
            return not keeps(part, row, kinds, segments)
        case Condition() if kinds[kept.field] is ValueKind.SEGMENT:
            inside = any(
                keeps(segments[id], row, kinds, segments) for id in kept.values if isinstance(id, UUID)
            )
            return inside == (kept.operator in (Operator.IS, Operator.ANY_OF))
        case Condition():
            return _holds(kept, row[kept.field], kinds[kept.field])
        case _:
            assert_never(kept)


def _holds(condition: Condition, given: Given, kind: ValueKind) -> bool:
    operator, values = condition.operator, condition.values
    is_empty = given in (None, "", frozenset())
    if operator is Operator.EMPTY:
        return is_empty
    if operator is Operator.NOT_EMPTY:
        return not is_empty
    if kind is ValueKind.TEXT:
        return _holds_text(operator, str(given or "").lower(), [str(value).lower() for value in values])
    if isinstance(given, frozenset):
        return _holds_choices(operator, given, {str(value) for value in values})
    if operator in (Operator.IS_NOT, Operator.NONE_OF):
        return given not in values
    if given is None:
        return False
    if operator in (Operator.IS, Operator.ANY_OF):
        return given in values
    return _holds_order(operator, given, values)


def _holds_text(operator: Operator, given: str, values: list[str]) -> bool:
    match operator:
        case Operator.CONTAINS:
            return values[0] in given
        case Operator.NOT_CONTAINS:
            return values[0] not in given
        case Operator.STARTS_WITH:
            return given.startswith(values[0])
        case Operator.IS | Operator.ANY_OF:
            return given in values
        case _:
            return given not in values


def _holds_choices(operator: Operator, given: frozenset[str], values: set[str]) -> bool:
    match operator:
        case Operator.ANY_OF:
            return bool(given & values)
        case Operator.ALL_OF:
            return values <= given
        case _:
            return not given & values


def _holds_order(operator: Operator, given: Given, values: tuple[Value, ...]) -> bool:
    first = values[0]
    if operator in (Operator.LAST_DAYS, Operator.NEXT_DAYS):
        low, high = _reach(operator, int(first), isinstance(given, datetime))  # type: ignore[arg-type]
        return low <= given <= high  # type: ignore[operator]
    match operator:
        case Operator.LESS:
            return given < first  # type: ignore[operator]
        case Operator.AT_MOST:
            return given <= first  # type: ignore[operator]
        case Operator.MORE:
            return given > first  # type: ignore[operator]
        case Operator.AT_LEAST:
            return given >= first  # type: ignore[operator]
        case _:
            return first <= given <= values[1]  # type: ignore[operator]


def _reach(operator: Operator, days: int, is_moment: bool) -> tuple[date, date]:
    now = clock.now()
    then = now - timedelta(days=days) if operator is Operator.LAST_DAYS else now + timedelta(days=days)
    low, high = sorted((now, then))
    return (low, high) if is_moment else (low.date(), high.date())


def comparable(value: object) -> Given:
    """A stored value as filters compare it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    return value  # type: ignore[return-value]
