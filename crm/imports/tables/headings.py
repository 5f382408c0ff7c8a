"""Guesses what a table holds: its source and kind by its headers, each column by its header and its cells."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.tables.models import Row
from crm.custom_fields.models import CustomField
from crm.imports.tables import sniffing
from crm.imports.tables.models import IMPORTABLE, Mapping, Source
from crm.imports.tables.targets import TARGETS, Target, ValueKind
from events.ids import RecordKind

_PLACE = Path(__file__).with_name("headings.toml")
_SPACE = re.compile(r"[^\w]+|_+")
_COUNTED = re.compile(r" \(\d+\)$")
# What a column becomes by its cells alone, when no header said it of another one.
_BY_CELLS = {
    RecordKind.CONTACT: {ValueKind.EMAIL: "email", ValueKind.PHONE: "phone"},
    RecordKind.COMPANY: {ValueKind.DOMAIN: "domain", ValueKind.PHONE: "phone"},
    RecordKind.LEAD: {ValueKind.EMAIL: "contact_email", ValueKind.PHONE: "contact_phone"},
    RecordKind.DEAL: {
        ValueKind.EMAIL: "contact_email",
        ValueKind.PHONE: "contact_phone",
        ValueKind.MONEY: "amount",
        ValueKind.DATE: "close_date",
    },
}


@dataclass(frozen=True)
class Signature:
    """By which headers an export of another system is known."""

    source: Source
    kind: RecordKind
    needs: frozenset[str]
    signs: frozenset[str]


@dataclass(frozen=True)
class _Headings:
    of_kind: dict[RecordKind, dict[str, str]]  # plain header -> target
    signatures: tuple[Signature, ...]


def plain(header: str) -> str:
    """A header without its case, punctuation and number: `E-Mail (2)` is `e mail`."""
    text = _COUNTED.sub("", header).casefold().replace("ё", "е")
    return " ".join(_SPACE.sub(" ", text).split())


def recognise(columns: Sequence[str]) -> tuple[Source, RecordKind]:
    """Which system exported a table, and what its rows are; when nothing says it, contacts of anywhere."""
    headers = {plain(column) for column in columns}
    found = [
        (len(one.needs) + len(one.signs & headers), one)
        for one in _headings().signatures
        if one.needs <= headers and one.signs & headers
    ]
    if found:
        best = max(found, key=lambda pair: pair[0])[1]
        return best.source, best.kind
    return Source.GENERIC, _likeliest(headers)


def _likeliest(headers: set[str]) -> RecordKind:
    """Deals have sums and stages, leads a source and a stage, companies have domains and employees; everything else
    is people."""
    if len(headers & _names(RecordKind.DEAL, "amount", "stage", "close_date")) >= 2:
        return RecordKind.DEAL
    if headers & _names(RecordKind.LEAD, "source") and headers & _names(RecordKind.LEAD, "stage"):
        return RecordKind.LEAD
    is_about_people = headers & _names(
        RecordKind.CONTACT, "first_name", "last_name", "email", "title", "telegram"
    )
    is_about_companies = headers & _names(RecordKind.COMPANY, "domain", "employees", "industry")
    return RecordKind.COMPANY if is_about_companies and not is_about_people else RecordKind.CONTACT


def _names(kind: RecordKind, *targets: str) -> set[str]:
    return {header for header, target in _headings().of_kind[kind].items() if target in targets}


def guess(
    source: Source,
    kind: RecordKind,
    columns: Sequence[str],
    sample: Sequence[Row],
    fields: Sequence[CustomField] = (),
) -> Mapping:
    """What each column becomes: by its header first, also as a custom field of that label, then by its cells."""
    chosen = ["" for _ in columns]
    labels = _labels(fields, {plain(column) for column in columns})
    for column, header in enumerate(columns):
        target = _by_header(kind, header)
        # an id says nothing when it is not known whose it is: two tables of anywhere both count from 1
        if target is not None and target.key == "external_id" and source is Source.GENERIC:
            continue
        if target is not None and (target.many or target.key not in chosen):
            chosen[column] = target.key
        elif (custom := labels.get(plain(header), "")) not in chosen:
            chosen[column] = custom
    for column in range(len(columns)):
        if not chosen[column]:
            cells = cells_of(sample, column)
            target_key = _BY_CELLS[kind].get(sniffing.kind_of_cells(cells), "")
            if target_key and target_key not in chosen:
                chosen[column] = target_key
    return Mapping(source, tuple(chosen))


def _labels(fields: Sequence[CustomField], headers: set[str]) -> dict[str, str]:
    """The custom fields by what their columns are called; a link is taken by id where the table has names and ids."""
    labels = {plain(field.label): f"custom:{field.key}" for field in fields}
    for field in fields:
        by_id = plain(field.id_label)
        if field.target_kind is not None and by_id in headers:
            labels.pop(plain(field.label), None)
            labels[by_id] = f"custom:{field.key}"
    return labels


def cells_of(sample: Sequence[Row], column: int) -> list[str]:
    """The cells of one column; short rows have none there."""
    return [cells[column] for _, cells in sample if column < len(cells)]


def _by_header(kind: RecordKind, header: str) -> Target | None:
    key = _headings().of_kind[kind].get(plain(header))
    return next((target for target in TARGETS[kind] if target.key == key), None)


@cache
def _headings() -> _Headings:
    said = tomllib.loads(_PLACE.read_text("utf-8"))
    signatures = tuple(
        Signature(
            Source(one["source"]), RecordKind(one["kind"]), frozenset(one["needs"]), frozenset(one["signs"])
        )
        for one in said["sources"]
    )
    of_kind = {
        kind: {plain(header): target for target, headers in said[kind.value].items() for header in headers}
        for kind in IMPORTABLE
    }
    return _Headings(of_kind, signatures)
