"""What a list or a segment keeps: a tree of conditions over typed columns, stored as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from pydantic import JsonValue

from core.errors import Unprocessable

MAX_DEPTH = 8
MAX_CONDITIONS = 100
MAX_VALUES = 200
MAX_TEXT = 1000
MAX_DAYS = 36500
ME = "me"
_FORMS = 'A part of a filter is {"all": [...]}, {"any": [...]}, {"not": {...}} or {"field", "op", "value"}.'


class ValueKind(StrEnum):
    """What a column holds. Money is an amount in minor units; a record is the id of another one.

    A segment is no value: whether a row is in it is asked of the filter that is kept under its id.
    """

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    DATE = "date"
    MOMENT = "moment"
    CHOICE = "choice"
    CHOICES = "choices"
    BOOLEAN = "boolean"
    RECORD = "record"
    SEGMENT = "segment"


class Operator(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    LESS = "lt"
    AT_MOST = "le"
    MORE = "gt"
    AT_LEAST = "ge"
    BETWEEN = "between"
    LAST_DAYS = "last_days"
    NEXT_DAYS = "next_days"
    ANY_OF = "any_of"
    NONE_OF = "none_of"
    ALL_OF = "all_of"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"


_PRESENCE = (Operator.EMPTY, Operator.NOT_EMPTY)
_ORDER = (Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST, Operator.BETWEEN)
_SAME = (Operator.IS, Operator.IS_NOT)
_SETS = (Operator.ANY_OF, Operator.NONE_OF)
_DAYS = (Operator.LAST_DAYS, Operator.NEXT_DAYS)
OPERATORS: Mapping[ValueKind, tuple[Operator, ...]] = {
    ValueKind.TEXT: (
        Operator.CONTAINS,
        Operator.NOT_CONTAINS,
        *_SAME,
        Operator.STARTS_WITH,
        *_SETS,
        *_PRESENCE,
    ),
    ValueKind.NUMBER: (*_SAME, *_ORDER, *_PRESENCE),
    ValueKind.MONEY: (*_SAME, *_ORDER, *_PRESENCE),
    ValueKind.DATE: (*_SAME, *_ORDER, *_DAYS, *_PRESENCE),
    ValueKind.MOMENT: (*_ORDER, *_DAYS, *_PRESENCE),
    ValueKind.CHOICE: (*_SAME, *_SETS, *_PRESENCE),
    ValueKind.CHOICES: (Operator.ANY_OF, Operator.ALL_OF, Operator.NONE_OF, *_PRESENCE),
    ValueKind.BOOLEAN: (Operator.IS, *_PRESENCE),
    ValueKind.RECORD: (*_SAME, *_SETS, *_PRESENCE),
    ValueKind.SEGMENT: (*_SAME, *_SETS),
}
Value = str | bool | Decimal | date | datetime | UUID


@dataclass(frozen=True)
class Condition:
    """`values` has none for empty and not_empty, two for between, any number for the sets, else one."""

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Every:
    """All of these hold; true when there is none."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Some:
    """At least one of these holds; false when there is none."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Nope:
    """This does not hold."""

    part: "Filter"


Filter = Condition | Every | Some | Nope
EVERYTHING = Every(())


def parse_filter(data: JsonValue, kinds: Mapping[str, ValueKind], *, me: UUID | None = None) -> Filter:
    """The filter that JSON describes, over columns of these kinds; `me` is who "me" means in record columns.

    `{"all": [...]}`, `{"any": [...]}`, `{"not": {...}}` or `{"field": ..., "op": ..., "value": ...}`; `value` is a
    list for between and the sets, absent for empty and not_empty. `{}` keeps everything.

    Raises: Unprocessable, naming the part that cannot be understood and what is possible there.
    """
    parser = _Parser(kinds, me)
    return parser.parse(data, 1)


class _Parser:
    def __init__(self, kinds: Mapping[str, ValueKind], me: UUID | None) -> None:
        self._kinds = kinds
        self._me = me
        self._conditions = 0

    def parse(self, data: JsonValue, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise _refusal(f"The filter is nested deeper than {MAX_DEPTH} levels; make it flatter.")
        if not isinstance(data, dict):
            raise _refusal(_FORMS)
        match data:
            case {**whole} if not whole:
                return EVERYTHING
            case {"all": list(parts), **rest} if not rest:
                return Every(tuple(self.parse(part, depth + 1) for part in parts))
            case {"any": list(parts), **rest} if not rest:
                return Some(tuple(self.parse(part, depth + 1) for part in parts))
            case {"not": part, **rest} if not rest:
                return Nope(self.parse(part, depth + 1))
            case {"field": str(field), "op": str(operator), **rest} if rest.keys() <= {"value"}:
                return self._condition(field, operator, data.get("value"))
        raise _refusal(_FORMS)

    def _condition(self, field: str, operator: str, value: JsonValue) -> Condition:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise _refusal(f"The filter has more than {MAX_CONDITIONS} conditions; split it.")
        kind = self._kinds.get(field)
        if kind is None:
            raise _refusal(
                f"There is no field {field!r} to filter by; use one of {', '.join(self._kinds)}.", field
            )
        if operator not in OPERATORS[kind]:
            raise _refusal(
                f"{field} cannot be compared by {operator!r}; use one of {', '.join(OPERATORS[kind])}.", field
            )
        known = Operator(operator)
        values = tuple(self._value(field, kind, known, one) for one in _listed(field, known, value))
        return Condition(field, known, values)

    def _value(self, field: str, kind: ValueKind, operator: Operator, value: JsonValue) -> Value:
        if operator in _DAYS:
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_DAYS:
                return Decimal(value)
            raise _refusal(f"{field} needs a number of days from 0 to {MAX_DAYS}.", field)
        if value == ME and kind is ValueKind.RECORD and self._me is not None:
            return self._me
        return parse_value(kind, value, field)


def _listed(field: str, operator: Operator, value: JsonValue) -> list[JsonValue]:
    if operator in _PRESENCE:
        if value is not None:
            raise _refusal(f"{field} {operator} takes no value.", field)
        return []
    if operator in (*_SETS, Operator.ALL_OF):
        if isinstance(value, list) and 0 < len(value) <= MAX_VALUES:
            return value
        raise _refusal(f"{field} {operator} needs a list of 1 to {MAX_VALUES} values.", field)
    if operator is Operator.BETWEEN:
        if isinstance(value, list) and len(value) == 2:
            return value
        raise _refusal(f"{field} between needs a list of two values: the lowest and the highest.", field)
    return [value]


def parse_value(kind: ValueKind, value: JsonValue, field: str) -> Value:
    """One value of a column as Python has it. Raises: Unprocessable, naming the field and the form that is wanted."""
    match kind, value:
        case (ValueKind.BOOLEAN, bool()):
            return value
        case (ValueKind.TEXT | ValueKind.CHOICE | ValueKind.CHOICES, str()):
            if "\x00" not in value and len(value) <= MAX_TEXT:
                return value
        case (ValueKind.NUMBER, int() | float() | str()) if not isinstance(value, bool):
            return _number(str(value), field)
        case (ValueKind.MONEY, int() | str()) if not isinstance(value, bool):
            return _minor_units(value, field)
        case (ValueKind.DATE, str()):
            return _date(value, field)
        case (ValueKind.MOMENT, str()):
            return _moment(value, field)
        case (ValueKind.RECORD | ValueKind.SEGMENT, str()):
            return _id(value, field)
    raise _refusal(f"{field} needs {_WANTED[kind]}.", field)


_WANTED = {
    ValueKind.TEXT: f"a text of at most {MAX_TEXT} characters",
    ValueKind.NUMBER: "a number such as 12.5",
    ValueKind.MONEY: "an amount in minor units, a whole number",
    ValueKind.DATE: "a date such as 2026-12-01",
    ValueKind.MOMENT: "a time with its offset such as 2026-12-01T09:00:00+01:00",
    ValueKind.CHOICE: "one of its choices",
    ValueKind.CHOICES: "one of its choices",
    ValueKind.BOOLEAN: "true or false",
    ValueKind.RECORD: "the id of a record",
    ValueKind.SEGMENT: "the id of a segment",
}


def _number(value: str, field: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation as err:
        raise _refusal(f"{field} needs {_WANTED[ValueKind.NUMBER]}.", field) from err
    # numeric of PostgreSQL would take more; nobody counts that far.
    if not number.is_finite() or abs(number.adjusted()) > 100 or len(number.as_tuple().digits) > 100:
        raise _refusal(f"{field} needs {_WANTED[ValueKind.NUMBER]} of a sensible size.", field)
    return number


def _minor_units(value: str | int, field: str) -> Decimal:
    number = _number(str(value), field)
    if number != number.to_integral_value() or abs(number) >= 2**63:
        raise _refusal(f"{field} needs {_WANTED[ValueKind.MONEY]}.", field)
    return number


def _date(value: str, field: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as err:
        raise _refusal(f"{field} needs {_WANTED[ValueKind.DATE]}.", field) from err


def _moment(value: str, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None and moment.utcoffset() is not None and 1 < moment.year < 9999:
            return moment
    except ValueError:
        pass
    raise _refusal(f"{field} needs {_WANTED[ValueKind.MOMENT]}.", field)


def _id(value: str, field: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as err:
        raise _refusal(f"{field} needs {_WANTED[ValueKind.RECORD]}.", field) from err


def _refusal(detail: str, field: str = "filter") -> Unprocessable:
    return Unprocessable(detail, field=field)


def conditions_of(kept: Filter) -> Iterator[Condition]:
    """Every condition in a filter, wherever it stands."""
    match kept:
        case Every(parts) | Some(parts):
            for part in parts:
                yield from conditions_of(part)
        case Nope(part):
            yield from conditions_of(part)
        case Condition():
            yield kept
        case _:
            assert_never(kept)


def containing(text: str, fields: tuple[str, ...]) -> Filter:
    """Rows with a text in one of these text columns; an empty text keeps everything."""
    if not text:
        return EVERYTHING
    return Some(tuple(Condition(field, Operator.CONTAINS, (text,)) for field in fields))
