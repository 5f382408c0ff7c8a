"""Segments as forms: a tree of groups and conditions that is edited step by step, with or without a script."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import urlencode

from pydantic import JsonValue
from starlette.datastructures import FormData

from core import jsons
from core.db import Tx
from core.errors import Unprocessable
from core.filters import MAX_DEPTH, OPERATORS, Operator, ValueKind
from core.sql import Column, Listing, count_rows
from crm.records.lists import listing_of, read_filter
from crm.segments.models import Segment
from crm.segments.queries import count_segment
from events.ids import RecordKind, SegmentId
from web import values
from web.bulk_view import PATHS, TITLES
from web.i18n import Words
from web.links import Unclear, is_id, the_records
from web.phrases import N_
from web.refusals import refusal_text
from web.tables import COUNTED
from web.values import Names

ROOT = "n"
_SETS = (Operator.ANY_OF, Operator.NONE_OF, Operator.ALL_OF)
_NOTHING = (Operator.EMPTY, Operator.NOT_EMPTY)
_DAYS = (Operator.LAST_DAYS, Operator.NEXT_DAYS)


@dataclass(frozen=True)
class Row:
    """A condition as a form holds it: it may be half done. `found` are records that what was typed may mean."""

    field: str = ""
    op: str = ""
    given: tuple[str, ...] = ()
    error: str = ""
    found: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Group:
    """Parts that all, or any, have to hold; `is_not` turns that round."""

    joined: str = "all"
    is_not: bool = False
    parts: tuple["Group | Row", ...] = ()


@dataclass(frozen=True)
class Shown:
    """A condition with what can be chosen in it. `way` says how its value is asked for.

    `target` is the kind of record that a link leads to, `chosen` those that are asked for, by id and name.
    """

    path: str
    row: Row
    label: str
    operators: list[tuple[str, str]]
    options: list[tuple[str, str]]
    way: str
    input_type: str
    target: RecordKind | None = None
    chosen: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return False


@dataclass(frozen=True)
class Part:
    """A group with its parts as the page shows them."""

    path: str
    joined: str
    is_not: bool
    parts: list["Part | Shown"]
    is_deepest: bool

    @property
    def is_group(self) -> bool:
        return True


@dataclass(frozen=True)
class Editor:
    """The form of a segment: who would be in it now, or why that cannot be said."""

    kind: RecordKind
    root: Part
    fields: list[tuple[str, str]]
    count: str
    problem: str


@dataclass(frozen=True)
class Line:
    """A segment of the list with who is in it now, or why that cannot be said."""

    segment: Segment
    title: str
    count: str
    problem: str
    list_href: str


def read_form(form: FormData) -> Group:
    """The tree that a form holds, after what its button asks for. Raises: Unprocessable when it is too deep."""
    verb, _, place = str(form.get("act", "")).partition(" ")
    return _read_group(form, ROOT, verb, place)


def _read_group(form: FormData, path: str, verb: str, place: str) -> Group:
    if path.count(".") >= MAX_DEPTH:
        raise Unprocessable(
            f"A segment is nested deeper than {MAX_DEPTH} levels; make it flatter.", field="filter"
        )
    parts: list[Group | Row] = []
    for number in form.getlist(f"{path}.part"):
        child = f"{path}.{number}"
        if verb == "remove" and place == child:
            continue
        if f"{child}.joined" in form:
            parts.append(_read_group(form, child, verb, place))
        else:
            parts.append(_read_row(form, child))
    if place == path and verb == "add":
        parts.append(Row())
    if place == path and verb == "group":
        parts.append(Group("any", parts=(Row(),)))
    return Group("any" if form.get(f"{path}.joined") == "any" else "all", f"{path}.not" in form, tuple(parts))


def _read_row(form: FormData, path: str) -> Row:
    given = tuple(str(one) for one in form.getlist(f"{path}.value") if isinstance(one, str))
    was = str(form.get(f"{path}.was", ""))
    chosen = str(form.get(f"{path}.field", ""))
    # what was typed for another field means nothing for this one
    return Row(chosen, str(form.get(f"{path}.op", "")), given if was in ("", chosen) else ())


def tree_of(kept: JsonValue, listing: Listing) -> Group:
    """The form of a filter."""
    group = _group_of(kept, listing)
    return _group_of(kept, values.in_currency(listing, _currency_in(group)))


def _group_of(kept: JsonValue, listing: Listing) -> Group:
    part = _part_of(kept, listing)
    return part if isinstance(part, Group) else Group(parts=(part,))


def _currency_in(group: Group) -> str:
    """The currency that everything in a segment has; empty when that is any."""
    if group.is_not or group.joined != "all":
        return ""
    rows = [part for part in group.parts if isinstance(part, Row)]
    codes = [row.given[0] for row in rows if (row.field, row.op) == ("currency", "is") and row.given]
    return next((code.strip() for code in codes), "")


def _part_of(kept: JsonValue, listing: Listing) -> Group | Row:
    match kept:
        case {"all": list(parts)}:
            return Group("all", parts=tuple(_part_of(part, listing) for part in parts))
        case {"any": list(parts)}:
            return Group("any", parts=tuple(_part_of(part, listing) for part in parts))
        case {"not": inner}:
            part = _part_of(inner, listing)
            group = part if isinstance(part, Group) and not part.is_not else Group(parts=(part,))
            return replace(group, is_not=True)
        case {"field": str(name), "op": str(operator), **rest}:
            column = listing.columns.get(name)
            digits = column.digits if column is not None and column.kind is ValueKind.MONEY else 0
            return Row(name, operator, _texts(rest.get("value"), digits))  # type: ignore[arg-type]  # it is JSON
        case _:
            return Group()


def _texts(value: JsonValue, digits: int) -> tuple[str, ...]:
    """Values as they are typed; amounts with their decimals instead of in minor units."""
    match value:
        case None:
            return ()
        case list():
            return tuple(text for one in value for text in _texts(one, digits))
        case bool():
            return ("true" if value else "false",)
        case str() if "T" in value and value[:4].isdigit():
            return (value[:10],)
        case int() if digits:
            return (f"{Decimal(value).scaleb(-digits):f}",)
        case _:
            return (str(value),)


async def settle(tx: Tx, group: Group, names: Names, words: Words) -> Group:
    """The form with records in place of the names that were typed; where it is not clear which, the condition says so."""
    parts: list[Group | Row] = []
    for part in group.parts:
        if isinstance(part, Group):
            parts.append(await settle(tx, part, names, words))
        else:
            parts.append(await _settled(tx, part, names.target(part.field), words))
    return replace(group, parts=tuple(parts))


async def _settled(tx: Tx, row: Row, target: RecordKind | None, words: Words) -> Row:
    if target is None:
        return row
    try:
        return replace(row, given=tuple(await the_records(tx, target, row.given, row.field)))
    except Unclear as err:
        chosen = tuple(one for one in row.given if is_id(one))
        return replace(
            row,
            given=(*chosen, err.text),
            error=words.gettext(err.question),
            found=tuple(err.found),
        )


def unfinished(group: Group, listing: Listing) -> str:
    """The first field that still lacks its value; empty when there is none."""
    for part in group.parts:
        found = unfinished(part, listing) if isinstance(part, Group) else part.field
        if found and (isinstance(part, Group) or not _is_done(part, listing)):
            return found
    return ""


def _is_done(row: Row, listing: Listing) -> bool:
    column = listing.columns.get(row.field)
    if column is None or _operator(row, column) in _NOTHING:
        return True
    return not row.error and any(one.strip() for one in row.given)


def filter_of(group: Group, listing: Listing) -> dict[str, JsonValue]:
    """The filter of a form; conditions without a field or a value are not there yet.

    Raises: Unprocessable, naming the field whose value cannot be.
    """
    return _filter_of(group, values.in_currency(listing, _currency_in(group)))


def _filter_of(group: Group, listing: Listing) -> dict[str, JsonValue]:
    parts: list[JsonValue] = []
    for part in group.parts:
        if isinstance(part, Group):
            parts.append(_filter_of(part, listing))
        elif part.field and _is_done(part, listing):
            parts.append(_condition(part, listing))
    joined: dict[str, JsonValue] = {group.joined: parts}
    return {"not": joined} if group.is_not else joined


def _condition(row: Row, listing: Listing) -> JsonValue:
    column = listing.columns.get(row.field)
    if column is None:
        raise Unprocessable(
            f"There is no field {row.field!r} any more; take the condition out.", field=row.field
        )
    return values.condition_of(column, _operator(row, column), _typed(row, column))


def _typed(row: Row, column: Column) -> Sequence[str]:
    """Several texts are typed into one field, with commas between them."""
    if column.kind is ValueKind.TEXT and _operator(row, column) in _SETS:
        return [part.strip() for one in row.given for part in one.split(",") if part.strip()]
    return row.given


def _operator(row: Row, column: Column) -> Operator:
    possible = OPERATORS[column.kind]
    return Operator(row.op) if row.op in possible else possible[0]


async def load_editor(
    tx: Tx, kind: RecordKind, group: Group, words: Words, within: SegmentId | None = None
) -> Editor:
    """The form with who would be in the segment now."""
    listing = await listing_of(tx, kind)
    names = await values.load_names(tx, kind)
    count, problem, bad = "", "", ""
    try:
        read, kept = await read_filter(tx, kind, filter_of(group, listing), within=within)
        count = _count_words(await count_rows(tx, read, kept, limit=COUNTED + 1), words)
    except Unprocessable as err:
        problem, bad = refusal_text(err, words), str(err.fields.get("field", ""))
    asked = [name for name, column in listing.columns.items() if values.is_asked_for(column)]
    names = await values.naming_links(tx, names, _linked(group, names))
    if within is not None:
        names = replace(names, segments={id: name for id, name in names.segments.items() if id != within})
    root = _Drawing(listing, names, words, bad, problem).part(group, ROOT)
    fields = sorted(
        ((name, values.label(name, names, words)) for name in asked), key=lambda one: one[1].casefold()
    )
    return Editor(kind, root, fields, count, problem)


def _linked(group: Group, names: Names) -> list[dict[str, str]]:
    """The records that conditions of a form ask for, as values of their fields."""
    found: list[dict[str, str]] = []
    for part in group.parts:
        if isinstance(part, Group):
            found += _linked(part, names)
        elif names.target(part.field):
            found += [{names.fields[part.field].key: one} for one in part.given if is_id(one)]
    return found


def _count_words(count: int, words: Words) -> str:
    return words.number(min(count, COUNTED)) + ("+" if count > COUNTED else "")


@dataclass(frozen=True)
class _Drawing:
    listing: Listing
    names: Names
    words: Words
    bad: str
    problem: str

    def part(self, group: Group, path: str) -> Part:
        parts = [
            self.part(one, f"{path}.{at}") if isinstance(one, Group) else self.row(one, f"{path}.{at}")
            for at, one in enumerate(group.parts)
        ]
        return Part(path, group.joined, group.is_not, parts, path.count(".") >= MAX_DEPTH - 2)

    def row(self, row: Row, path: str) -> Shown:
        column = self.listing.columns.get(row.field)
        if column is None:
            return Shown(path, row, row.field, [], [], "none", "text")
        operator = _operator(row, column)
        operators = [
            (one.value, values.operator_words(one, column.kind, self.words)) for one in OPERATORS[column.kind]
        ]
        options = values.options(column, self.names, self.words)
        if column.name == "owner_id":
            options = [("me", self.words.gettext(N_("whoever looks"))), *options]
        error = row.error or (self.problem if self.bad == row.field else "")
        target = self.names.target(row.field)
        chosen = [
            (one, values.text_of(one, column, self.names, self.words)) for one in row.given if is_id(one)
        ]
        return Shown(
            path,
            replace(row, op=operator.value, error=error),
            values.label(row.field, self.names, self.words),
            operators,
            options,
            "records" if target and operator not in _NOTHING else _way(operator, bool(options)),
            "date" if column.kind in (ValueKind.DATE, ValueKind.MOMENT) and operator not in _DAYS else "text",
            target,
            chosen if target else [],
        )


def _way(operator: Operator, has_options: bool) -> str:
    if operator in _NOTHING:
        return "none"
    if has_options:
        return "many" if operator in _SETS else "one"
    return "two" if operator is Operator.BETWEEN else "text"


async def load_line(tx: Tx, segment: Segment, words: Words) -> Line:
    """A segment with who is in it now."""
    count, problem = "", ""
    try:
        count = _count_words(await count_segment(tx, segment, limit=COUNTED + 1), words)
    except Unprocessable as err:
        problem = refusal_text(err, words)
    return Line(segment, TITLES[segment.record_kind], count, problem, list_href(segment))


def list_href(segment: Segment) -> str:
    """The list of who is in a segment."""
    condition: dict[str, JsonValue] = {"field": "segment", "op": "is", "value": str(segment.id)}
    return f"{PATHS[segment.record_kind]}?{urlencode({'filter': jsons.dumps({'all': [condition]})})}"
