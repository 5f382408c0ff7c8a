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
from core.money import CURRENCIES, MOST_MINOR
from events.ids import CustomFieldId, RecordKind

MAX_FIELDS = 100
MAX_LABEL = 100
_KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
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
    """`key` names the value in a record's `custom`; `target_kind` is what a field of kind record leads to.

    `currency` is what the amounts of a money field are in; None takes any. `is_required` is asked of whoever makes or
    changes a record by hand, by the API or as an agent; records that come from a channel or a file may lack it.
    """

    id: CustomFieldId
    record_kind: RecordKind
    key: str
    label: str
    kind: ValueKind
    choices: list[dict[str, str]]
    target_kind: RecordKind | None
    currency: str | None
    is_required: bool
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

    @property
    def id_label(self) -> str:
        """What the ids of a link are called in a table that has them beside the names."""
        return f"{self.label} id"


@dataclass(frozen=True)
class NewCustomField:
    """Without a key one is made of the label."""

    record_kind: RecordKind
    label: str
    kind: ValueKind
    key: str = ""
    choices: tuple[Choice, ...] = ()
    target_kind: RecordKind | None = None
    currency: str | None = None
    is_required: bool = False


@dataclass(frozen=True)
class CustomFieldEdit:
    """The kind of a field never changes, for records hold values of it."""

    label: str | Keep = KEEP
    choices: tuple[Choice, ...] | Keep = KEEP
    currency: str | Keep | None = KEEP
    is_required: bool | Keep = KEEP
    position: int | Keep = KEEP


def is_key(text: str) -> bool:
    """Whether a text can be the key of a field."""
    return _KEY.fullmatch(text) is not None


@dataclass(frozen=True)
class CustomFields:
    """The fields of one kind of record that are in use, by key."""

    by_key: Mapping[str, CustomField] = field(default_factory=dict)

    def check(self, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The values as they are stored; None empties a field.

        Raises: Unprocessable, naming the field and the form that is wanted, or one that may not be empty.
        """
        checked = {key: self._check_one(key, value) for key, value in given.items()}
        for key, value in checked.items():
            if value is None and self.by_key[key].is_required:
                raise _lacking(self.by_key[key])
        return checked

    def check_new(self, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The same for a record that is being made: required fields may not be left out."""
        checked = self.check(given)
        for key, custom in self.by_key.items():
            if custom.is_required and key not in checked:
                raise _lacking(custom)
        return checked

    def _check_one(self, key: str, value: JsonValue) -> JsonValue:
        custom = self.by_key.get(key)
        if custom is None:
            known = ", ".join(self.by_key) or "none yet"
            raise Unprocessable(
                f"There is no custom field {key!r}; there are: {known}.", field=f"custom.{key}"
            )
        return None if value in (None, "", []) else stored_value(custom, value)


def _lacking(custom: CustomField) -> Unprocessable:
    return Unprocessable(f"{custom.label} may not be empty.", field=custom.column_name)


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
            return _money(custom, value)
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


def _money(custom: CustomField, value: JsonValue) -> JsonValue:
    match value:
        case {"amount_minor": int(amount), "currency": str(code), **rest} if not rest:
            if code in CURRENCIES and not isinstance(amount, bool) and abs(amount) <= MOST_MINOR:
                if custom.currency not in (None, code):
                    raise Unprocessable(
                        f"{custom.label} is kept in {custom.currency}; give the amount in it.",
                        field=custom.column_name,
                    )
                return {"amount_minor": amount, "currency": code}
    name, code = custom.column_name, custom.currency or "EUR"
    raise Unprocessable(
        f'{name} needs money such as {{"amount_minor": 816000, "currency": "{code}"}}.', field=name
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
