"""Turns a row of text into a record to be, without asking the database anything."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.tables.headers import letter
from core.tables.models import Row
from crm.imports.tables import values
from crm.imports.tables.models import HARMLESS, Link, Options, Prepared, Reason, Why
from crm.imports.tables.models import Mapping as ColumnMapping
from crm.imports.tables.targets import Target, ValueKind, target_of
from crm.imports.tables.values import Wrong
from events.ids import RecordKind

_LONGEST_VALUE = 120
_LONGEST_TEXT = 8192
_LONGEST_NAME = 1000


@dataclass(frozen=True)
class FieldSpec:
    """A custom field as a column is read into it.

    `options` are its choices, label or key to key; `target` is the kind of record that a link leads to.
    """

    key: str
    kind: ValueKind
    options: Mapping[str, str] = field(default_factory=dict)
    target: RecordKind | None = None


@dataclass(frozen=True)
class Directory:
    """What cells may name: members by name and email, stages by name, custom fields by key."""

    owners: Mapping[str, UUID] = field(default_factory=dict)
    stages: Mapping[str, UUID] = field(default_factory=dict)
    first_stage: UUID | None = None
    fields: Mapping[str, FieldSpec] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """How the rows of one table are read."""

    kind: RecordKind
    columns: Sequence[str]
    mapping: ColumnMapping
    options: Options
    directory: Directory


Put = Callable[[Prepared, str], None]


class Preparer:
    """Reads row after row; what each column does was decided once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._columns = [
            (column, put)
            # the currency first: an amount is read in it
            for column, target in sorted(
                enumerate(reading.mapping.targets), key=lambda pair: pair[1] != "currency"
            )
            if target and (put := self._putter(target, column)) is not None
        ]
        self._width = len(reading.columns)

    def prepare(self, row: Row) -> Prepared:
        """The record to be; a cell that cannot be read is a reason, and refuses the row unless it may stay out."""
        number, cells = row
        prepared = Prepared(number)
        for column, put in self._columns:
            cell = values.plain_cell(cells[column]) if column < len(cells) else ""
            if not cell:
                continue
            try:
                put(prepared, cell)
            except Wrong as err:
                self._note(prepared, err.why, column, cell)
        if len(cells) > self._width and any(cells[self._width :]):
            extra = next(cell for cell in cells[self._width :] if cell)
            self._note(prepared, Why.TOO_MANY_CELLS, self._width, extra, always=True)
        self._complete(prepared)
        return prepared

    def _note(self, prepared: Prepared, why: Why, column: int, cell: str, *, always: bool = False) -> None:
        name = self._reading.columns[column] if column < self._width else letter(column)
        prepared.reasons.append(Reason(why, name, cell[:_LONGEST_VALUE]))
        if always or not (self._reading.options.is_lenient or why in HARMLESS):
            prepared.is_refused = True

    def _putter(self, target: str, column: int) -> Put | None:
        spec = self._reading.directory.fields.get(target.removeprefix("custom:"))
        if target.startswith(("custom:", "new:")):
            if spec and spec.target:
                return self._link(spec.key, spec.target, self._reading.columns[column])
            return self._custom(spec) if spec else None
        known = target_of(self._reading.kind, target)
        return self._built_in(known) if known else None

    def _link(self, key: str, target: RecordKind, column: str) -> Put:
        """Which record is meant is asked when the row is taken over."""

        def put(prepared: Prepared, cell: str) -> None:
            prepared.links.append(Link(key, target, column, _limited(cell, _LONGEST_NAME)))

        return put

    def _custom(self, spec: FieldSpec) -> Put:
        read = self._reader_of(spec)

        def put(prepared: Prepared, cell: str) -> None:
            prepared.custom[spec.key] = read(cell)

        return put

    def _reader_of(self, spec: FieldSpec) -> Callable[[str], Any]:
        options = self._reading.options
        match spec.kind:
            case ValueKind.NUMBER | ValueKind.INTEGER:
                return _json_number
            case ValueKind.MONEY:
                return lambda cell: _json_money(cell, options.currency)
            case ValueKind.DATE:
                return lambda cell: values.day(cell, options.dates).isoformat()
            case ValueKind.BOOLEAN:
                return values.boolean
            case ValueKind.CHOICE:
                return lambda cell: values.choice(cell, spec.options)
            case ValueKind.CHOICES:
                return lambda cell: [values.choice(one, spec.options) for one in values.tags(cell)]
            case _:
                return lambda cell: _limited(cell, _LONGEST_TEXT)

    def _built_in(self, target: Target) -> Put:  # one line for each kind of value
        options, directory = self._reading.options, self._reading.directory
        key = target.key

        def put(prepared: Prepared, cell: str) -> None:
            match target.kind:
                case ValueKind.EMAIL:
                    _handles(prepared, key).extend(("email", one) for one in values.emails(cell))
                case ValueKind.PHONE:
                    numbers = values.phones(cell, options.region)
                    if self._reading.kind is RecordKind.COMPANY:
                        prepared.values["phone"] = numbers[0]
                    else:
                        _handles(prepared, key).extend(("phone", one) for one in numbers)
                case ValueKind.TELEGRAM:
                    found = (values.telegram(one) for one in re.split(r"[;,\s]+", cell) if one)
                    _handles(prepared, key).extend(found)
                case ValueKind.LINK:
                    links = [one for one in re.split(r"[;\s]+", cell) if one]
                    prepared.handles.extend(("link", _limited(one, target.limit)) for one in links)
                case ValueKind.DOMAIN if key == "company_domain":
                    prepared.company_domain = values.domain(cell)
                case ValueKind.DOMAIN:
                    prepared.values[key] = values.domain(cell)
                case ValueKind.INTEGER:
                    prepared.values[key] = values.integer(cell)
                case ValueKind.MONEY:
                    minor, unit = values.money(cell, prepared.values.get("currency", options.currency))
                    prepared.values |= {"amount_minor": minor, "currency": unit}
                case ValueKind.CURRENCY:
                    prepared.values[key] = values.currency(cell)
                case ValueKind.DATE:
                    prepared.values[key] = values.day(cell, options.dates).isoformat()
                case ValueKind.BOOLEAN:
                    prepared.consents[key.removeprefix("consent_")] = values.boolean(cell)
                case ValueKind.OWNER:
                    prepared.values["owner_id"] = _named(directory.owners, cell, Why.UNKNOWN_OWNER)
                case ValueKind.STAGE:
                    prepared.values["stage_id"] = _named(directory.stages, cell, Why.UNKNOWN_STAGE)
                case ValueKind.TAGS:
                    prepared.tags.extend(tag for tag in values.tags(cell) if tag not in prepared.tags)
                case ValueKind.LANGUAGE:
                    if code := values.language(cell):
                        prepared.values[key] = code
                case _:
                    _text(prepared, target, cell)

        return put

    def _complete(self, prepared: Prepared) -> None:
        """What makes a row a record: a name, or what can stand for one."""
        found = prepared.values
        if self._reading.kind in (RecordKind.CONTACT, RecordKind.LEAD):
            handles = prepared.handles or prepared.person
            parts = (found.pop("first_name", ""), found.pop("middle_name", ""), found.pop("last_name", ""))
            name = found.get("name") or " ".join(filter(None, parts)) or (handles[0][1] if handles else "")
            if name:
                found["name"] = name
                found.setdefault("language", values.language_of_name(name))
        if self._reading.kind is RecordKind.COMPANY and not found.get("name"):
            found["name"] = found.get("domain", "")
        if self._reading.kind in (RecordKind.LEAD, RecordKind.DEAL) and "stage_id" not in found:
            found["stage_id"] = self._reading.directory.first_stage
            if found["stage_id"] is None:
                prepared.reasons.append(Reason(Why.UNKNOWN_STAGE))
                prepared.is_refused = True
        if not found.get("name"):
            prepared.reasons.append(Reason(Why.NO_NAME))
            prepared.is_refused = True


def _handles(prepared: Prepared, key: str) -> list[tuple[str, str]]:
    return prepared.person if key.startswith("contact_") else prepared.handles


def _text(prepared: Prepared, target: Target, cell: str) -> None:
    text = _limited(cell, target.limit)
    match target.key:
        case "company":
            prepared.company_name = " ".join(text.split())
        case "external_id":
            prepared.external_id = text
        case key if target.many and key in prepared.values:
            prepared.values[key] = f"{prepared.values[key]}\n{text}"
        case key:
            prepared.values[key] = text


def _limited(cell: str, limit: int) -> str:
    if len(cell) > limit:
        raise Wrong(Why.TOO_LONG)
    return cell


def _named(known: Mapping[str, UUID], cell: str, why: Why) -> UUID:
    found = known.get(" ".join(cell.split()).casefold())
    if found is None:
        raise Wrong(why)
    return found


def _json_number(cell: str) -> int | float:
    number = values.number(cell)
    return int(number) if number == number.to_integral_value() else float(number)


def _json_money(cell: str, fallback: str) -> dict[str, Any]:
    minor, code = values.money(cell, fallback)
    return {"amount_minor": minor, "currency": code}
