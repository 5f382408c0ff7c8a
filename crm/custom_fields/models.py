"""A custom field is a typed value that an organization adds to one kind of record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import JsonValue

from core.edits import KEEP, Keep
from core.errors import Unprocessable
from core.filters import ValueKind, parse_value
from core.languages import in_latin
from events.ids import CustomFieldId, RecordKind

MAX_FIELDS = 100
_CURRENCY = re.compile(r"[A-Z]{3}")
MAX_CHOICES = 200
# Kinds of records that take custom fields.
EXTENSIBLE = (RecordKind.CONTACT, RecordKind.COMPANY, RecordKind.DEAL)
# Kinds of values; a moment is for the product's own times only, and a segment is no value.
FIELD_KINDS = tuple(kind for kind in ValueKind if kind not in (ValueKind.MOMENT, ValueKind.SEGMENT))


@dataclass(frozen=True)
class Choice:
    """`key` is what records hold, `label` what people read."""

    key: str
    label: str


@dataclass(frozen=True)
class CustomField:
    """`key` names the value in a record's `custom`; `target_kind` is what a field of kind record leads to."""

    id: CustomFieldId
    record_kind: RecordKind
    key: str
    label: str
    kind: ValueKind
    choices: list[dict[str, str]]
    target_kind: RecordKind | None
    position: int
    archived_at: datetime | None
    version: int

    @property
    def options(self) -> tuple[Choice, ...]:
        return tuple(Choice(**choice) for choice in self.choices)

    @property
    def column_name(self) -> str:
        """How filters, sorts, imports and exports spell it."""
        return f"custom.{self.key}"


@dataclass(frozen=True)
class NewCustomField:
    """Without a key one is made of the label."""

    record_kind: RecordKind
    label: str
    kind: ValueKind
    key: str = ""
    choices: tuple[Choice, ...] = ()
    target_kind: RecordKind | None = None


@dataclass(frozen=True)
class CustomFieldEdit:
    """The kind of a field never changes, for records hold values of it."""

    label: str | Keep = KEEP
    choices: tuple[Choice, ...] | Keep = KEEP
    position: int | Keep = KEEP


@dataclass(frozen=True)
class CustomFields:
    """The fields of one kind of record that are in use, by key."""

    by_key: Mapping[str, CustomField] = field(default_factory=dict)

    def check(self, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The values as they are stored; None empties a field.

        Raises: Unprocessable, naming the field and the form that is wanted.
        """
        return {key: self._check_one(key, value) for key, value in given.items()}

    def _check_one(self, key: str, value: JsonValue) -> JsonValue:
        custom = self.by_key.get(key)
        if custom is None:
            known = ", ".join(self.by_key) or "none yet"
            raise Unprocessable(
                f"There is no custom field {key!r}; there are: {known}.", field=f"custom.{key}"
            )
        return None if value in (None, "", []) else stored_value(custom, value)


def merged(custom: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A record's values with some of them changed; None takes one away."""
    return {key: value for key, value in {**custom, **new}.items() if value is not None}


def stored_value(custom: CustomField, value: JsonValue) -> JsonValue:
    """A value in the form in which records hold it.

    Numbers are JSON numbers, money is `{"amount_minor", "currency"}`, dates are ISO 8601, choices are keys, links ids.

    Raises: Unprocessable, naming the field and the form that is wanted.
    """
    name = custom.column_name
    match custom.kind:
        case ValueKind.NUMBER:
            number = parse_value(custom.kind, value, name)
            return float(number) if number != int(number) else int(number)  # type: ignore[arg-type]
        case ValueKind.MONEY:
            return _money(value, name)
        case ValueKind.CHOICE:
            return _choice(custom, value)
        case ValueKind.CHOICES:
            wanted = value if isinstance(value, list) else [value]
            return list(dict.fromkeys(_choice(custom, one) for one in wanted))
        case ValueKind.BOOLEAN:
            return bool(parse_value(custom.kind, value, name))
        case _:
            parsed = parse_value(custom.kind, value, name)
            return str(parsed) if isinstance(parsed, UUID | str | Decimal) else parsed.isoformat()  # type: ignore[union-attr]


def _money(value: JsonValue, name: str) -> JsonValue:
    match value:
        case {"amount_minor": int(amount), "currency": str(currency), **rest} if not rest:
            if _CURRENCY.fullmatch(currency) and not isinstance(amount, bool) and abs(amount) < 2**63:
                return {"amount_minor": amount, "currency": currency}
    raise Unprocessable(
        f'{name} needs money such as {{"amount_minor": 816000, "currency": "EUR"}}.', field=name
    )


def _choice(custom: CustomField, value: JsonValue) -> str:
    """The key of a choice, given by key or by label."""
    for choice in custom.options:
        if value == choice.key or (isinstance(value, str) and value.strip().lower() == choice.label.lower()):
            return choice.key
    labels = ", ".join(choice.label for choice in custom.options)
    raise Unprocessable(
        f"{custom.label} has no choice {value!r}; choose from: {labels}.", field=custom.column_name
    )


def key_of(label: str) -> str:
    """A key made of a label: `Годовой оборот` is `godovoy_oborot`."""
    key = re.sub(r"[^a-z0-9]+", "_", in_latin(label.lower())).strip("_")
    return (key if key[:1].isalpha() else f"field_{key}".rstrip("_"))[:60]
