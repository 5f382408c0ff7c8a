"""What a table of records shows: its columns, rows, filters and where each click leads."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from pydantic import JsonValue

from core import jsons
from core.db import Tx
from core.errors import AppError, Unprocessable
from core.filters import (
    OPERATORS,
    Condition,
    Every,
    Filter,
    Operator,
    ValueKind,
    parse_filter,
)
from core.pagination import Page
from core.sql import Listing, ListQuery, Sort, count_rows, parse_sort
from crm.companies.actions import update_company
from crm.companies.models import CompanyEdit
from crm.companies.queries import list_companies
from crm.contacts.actions import update_contact
from crm.contacts.models import ContactEdit
from crm.contacts.queries import list_contacts
from crm.custom_fields.links import names_of
from crm.deals.actions import move_stage, update_deal
from crm.deals.queries import list_deals
from crm.leads.actions import move_lead, update_lead
from crm.leads.models import LeadEdit
from crm.leads.queries import list_leads
from crm.records.lists import read_filter, searching
from crm.tags.queries import RecordTag, list_tags_of
from events.ids import CompanyId, ContactId, DealId, LeadId, RecordKind
from web import values
from web.fields import deal_edit, given_of
from web.i18n import Words
from web.links import PATHS, Unclear, is_id, the_records
from web.phrases import N_, stage_text
from web.values import Names

ROWS = 50
# More are counted as "10,000+": an exact number of millions costs a second and tells nobody anything.
COUNTED = 10_000
# Words are looked for in names and addresses, which no index helps to count.
COUNTED_OF_WORDS = 1_000
MAX_COLUMNS = 20


class Lister(Protocol):
    async def __call__(
        self, tx: Tx, query: ListQuery, *, text: str = "", listing: Listing | None = None
    ) -> Page[Any]: ...


@dataclass(frozen=True)
class Table:
    """One kind of record as a table: where its rows come from, and which fields can be edited in place.

    The first of its columns is what a row is called; it leads to the record and is always shown.
    """

    kind: RecordKind
    path: str
    title: str
    new: str
    empty: str
    columns: tuple[str, ...]
    rows: Lister
    update: Callable[[Tx, UUID, Mapping[str, object], int], Awaitable[object]]
    editable: tuple[str, ...]

    @property
    def home(self) -> str:
        """Where the records themselves are, and the form for a new one."""
        return PATHS[self.kind]

    @property
    def title_column(self) -> str:
        return self.columns[0]


async def _update_contact(tx: Tx, id: UUID, new: Mapping[str, object], version: int) -> object:
    return await update_contact(tx, ContactId(id), ContactEdit(**new), version=version)  # type: ignore[arg-type]


async def _update_company(tx: Tx, id: UUID, new: Mapping[str, object], version: int) -> object:
    return await update_company(tx, CompanyId(id), CompanyEdit(**new), version=version)  # type: ignore[arg-type]


async def _update_lead(tx: Tx, id: UUID, new: Mapping[str, object], version: int) -> object:
    if "stage_id" in new:
        return await move_lead(tx, LeadId(id), UUID(str(new["stage_id"])), version=version)
    return await update_lead(tx, LeadId(id), LeadEdit(**new), version=version)  # type: ignore[arg-type]


async def _update_deal(tx: Tx, id: UUID, new: Mapping[str, object], version: int) -> object:
    if "stage_id" in new:
        return await move_stage(tx, DealId(id), UUID(str(new["stage_id"])), version=version)
    return await update_deal(tx, DealId(id), deal_edit(**new), version=version)


CONTACTS = Table(
    RecordKind.CONTACT,
    "/contacts",
    N_("Contacts"),
    N_("New contact"),
    N_("Nobody here yet. Import a file, connect a channel, or add somebody by hand."),
    ("name", "company", "title", "email", "last_message_at", "owner_id", "tags"),
    list_contacts,
    _update_contact,
    ("name", "title", "language", "time_zone", "note", "owner_id", "bidi_id"),
)
COMPANIES = Table(
    RecordKind.COMPANY,
    "/companies",
    N_("Companies"),
    N_("New company"),
    N_("No company here yet. Import a file, or add one by hand."),
    ("name", "domain", "industry", "city", "employees", "contacts", "owner_id", "tags"),
    list_companies,
    _update_company,
    ("name", "domain", "city", "country", "industry", "phone", "employees", "about", "owner_id"),
)
LEADS = Table(
    RecordKind.LEAD,
    "/leads",
    N_("Leads"),
    N_("New lead"),
    N_("No lead yet. Put somebody into a pipeline, or let an agent do it when they answer."),
    ("contact", "company", "stage_id", "source", "next_step", "stage_entered_at", "owner_id"),
    list_leads,
    _update_lead,
    ("stage_id", "source", "next_step", "lost_reason", "owner_id", "bidi_id"),
)
DEALS = Table(
    RecordKind.DEAL,
    "/deals/table",
    N_("Deals"),
    N_("New deal"),
    N_("No deal yet. Import a file, make one of a lead, or add one by hand."),
    ("name", "company", "stage_id", "amount", "close_date", "next_step", "owner_id"),
    list_deals,
    _update_deal,
    (
        "name",
        "stage_id",
        "amount",
        "close_date",
        "probability",
        "next_step",
        "lost_reason",
        "owner_id",
        "bidi_id",
    ),
)
TABLES = (CONTACTS, COMPANIES, LEADS, DEALS)
# A stage is sorted by its place in the pipeline.
_SORTED_BY = {"stage_id": "stage_position"}
# Fields that a form leaves empty rather than without a value.
_NEVER_NONE = (
    "title",
    "note",
    "city",
    "country",
    "industry",
    "phone",
    "about",
    "name",
    "language",
    "source",
    "next_step",
    "lost_reason",
)


@dataclass(frozen=True)
class State:
    """What the address of a table says; `view` is the saved view whose tab is open."""

    path: str
    q: str = ""
    filter: str = ""
    sort: str = ""
    columns: str = ""
    view: str = ""

    def href(self, **changes: str) -> str:
        """The same table with something else."""
        changed = {**self.__dict__, **changes}
        query = {name: value for name, value in changed.items() if value and name != "path"}
        return f"{self.path}?{urlencode(query)}" if query else self.path


@dataclass(frozen=True)
class Head:
    """A column's head: `sorted` is ascending, descending or empty."""

    name: str
    label: str
    is_number: bool
    sort_href: str
    sorted: str


@dataclass(frozen=True)
class Chip:
    text: str
    remove_href: str


@dataclass(frozen=True)
class Cell:
    name: str
    text: str
    href: str
    is_number: bool
    is_editable: bool


@dataclass(frozen=True)
class Line:
    """A row; `face` is whose avatar stands before its name, for machines and deals have none."""

    id: UUID
    version: int
    name: str
    face: UUID | None
    cells: list[Cell]
    tags: list[RecordTag]
    is_stopped: bool


@dataclass(frozen=True)
class Adding:
    """The second step of adding a condition: how, and with what, a field is compared.

    `target` is the kind of record that is chosen by its name, `chosen` are those that were, by id and name; `found` are
    those that what was typed may mean.
    """

    name: str
    label: str
    kind: str
    operators: list[tuple[str, str]]
    options: list[tuple[str, str]]
    target: RecordKind | None = None
    operator: str = ""
    chosen: list[tuple[str, str]] = field(default_factory=list)
    value: str = ""
    error: str = ""
    found: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    table: Table
    state: State
    heads: list[Head]
    lines: list[Line]
    chips: list[Chip]
    fields: list[tuple[str, str]]
    adding: Adding | None
    others: list[tuple[str, str, bool]]
    count: str
    next_href: str


@dataclass(frozen=True)
class Opened:
    """A table with what its address means."""

    table: Table
    state: State
    listing: Listing
    names: Names
    filter: Filter
    sort: tuple[Sort, ...]
    columns: tuple[str, ...]
    words: Words


async def open_table(tx: Tx, table: Table, state: State, words: Words) -> Opened:
    """Raises: Unprocessable when the address names what is not there."""
    listing, kept = await read_filter(tx, table.kind, _tree(state.filter))
    listing = values.in_currency(listing, _currency_in(kept))
    names = await values.naming_filter(tx, await values.load_names(tx, table.kind), kept)
    shown = {name for name, column in listing.columns.items() if column.is_shown}
    wanted = tuple(dict.fromkeys(name for name in state.columns.split(",") if name in shown))
    first = table.title_column
    columns = (first, *(name for name in (wanted or table.columns) if name != first))[:MAX_COLUMNS]
    return Opened(table, state, listing, names, kept, parse_sort(state.sort, listing), columns, words)


def _currency_in(kept: Filter) -> str:
    """The currency that every row has which a filter keeps; empty when that is any."""
    for part in kept.parts if isinstance(kept, Every) else (kept,):
        if isinstance(part, Condition) and (part.field, part.operator) == ("currency", Operator.IS):
            return str(part.values[0])
    return ""


def _tree(text: str) -> JsonValue:
    try:
        tree: JsonValue = jsons.loads(text) if text else {}
    except ValueError as err:
        raise Unprocessable("The filter in the address is cut off; set it again.", field="filter") from err
    return tree


async def load_lines(tx: Tx, opened: Opened, cursor: str | None, limit: int = ROWS) -> tuple[list[Line], str]:
    """One page of rows and where the next one is."""
    query = ListQuery(opened.filter, opened.sort, cursor, limit)
    page = await opened.table.rows(tx, query, text=opened.state.q, listing=opened.listing)
    return await _lines(tx, opened, page.items), page.next_cursor or ""


def as_seen(opened: Opened, line: Line) -> dict[str, str]:
    """A row as its table shows it, under what the columns are called."""
    tags = ", ".join(tag.name for tag in line.tags)
    labels = column_labels(opened)
    texts = [tags if cell.name == "tags" else cell.text for cell in line.cells]
    return dict(zip(labels, texts, strict=True))


def column_labels(opened: Opened) -> list[str]:
    """What the columns are called; one that is called like another is told apart by its field."""
    called = [values.label(name, opened.names, opened.words) for name in opened.columns]
    return [
        label if called.count(label) == 1 else f"{label} ({name})"
        for label, name in zip(called, opened.columns, strict=True)
    ]


async def load_line(tx: Tx, opened: Opened, id: UUID) -> Line | None:
    """One row as it is now, or None when no list shows it any more."""
    query = ListQuery(Condition("id", Operator.IS, (id,)), limit=1)
    page = await opened.table.rows(tx, query, listing=opened.listing)
    lines = await _lines(tx, opened, page.items)
    return lines[0] if lines else None


async def _lines(tx: Tx, opened: Opened, rows: Sequence[Any]) -> list[Line]:
    if any(opened.names.target(name) for name in opened.columns):
        names = await values.naming_links(tx, opened.names, [row.custom for row in rows])
        opened = replace(opened, names=names)
    tags: dict[UUID, list[RecordTag]] = {}
    for tag in await list_tags_of(tx, opened.table.kind, [row.id for row in rows]):
        tags.setdefault(tag.record_id, []).append(tag)
    return [
        Line(
            row.id,
            row.version,
            row.name,
            _face(opened.table, row),
            [_cell(opened, row, name) for name in opened.columns],
            tags.get(row.id, []),
            bool(getattr(row, "suppressed_at", None)),
        )
        for row in rows
    ]


def _face(table: Table, row: Any) -> UUID | None:
    match table.kind:
        case RecordKind.DEAL:
            return None
        case RecordKind.LEAD:
            return UUID(str(row.contact_id))
        case _:
            return UUID(str(row.id))


def _cell(opened: Opened, row: Any, name: str) -> Cell:
    column, table, target = opened.listing.columns[name], opened.table, opened.names.target(name)
    value, href = values.value_of(row, name), ""
    match name:
        case table.title_column:
            value, href = row.name, f"{table.home}/{row.id}"
        case "company":
            value = row.company_name
            href = f"/companies/{row.company_id}" if row.company_id else ""
        case "contact":
            value = row.contact_name
            href = f"/contacts/{row.contact_id}" if row.contact_id else ""
        case "is_suppressed":
            value = row.suppressed_at is not None
        case "is_converted":
            value = row.converted_at is not None
        case "probability":
            value = row.likelihood
        case "pipeline_id":
            value = row.pipeline
        case _ if target and value and UUID(value) in opened.names.records:
            href = f"{PATHS[target]}/{value}"
    text = values.text_of(value, column, opened.names, opened.words)
    if name == "stage_id":
        text = stage_text(row.stage, opened.words)
    is_open = is_editable(opened, name) and name != table.title_column
    return Cell(name, text, href, _is_number(column.kind), is_open)


def is_editable(opened: Opened, name: str) -> bool:
    """Whether a field can be changed in its cell."""
    if name.startswith("custom."):
        return opened.listing.columns[name].kind is not ValueKind.CHOICES
    return name in opened.table.editable


def _is_number(kind: ValueKind) -> bool:
    return kind in (ValueKind.NUMBER, ValueKind.MONEY)


async def load_view(tx: Tx, opened: Opened, cursor: str | None, adding: str) -> View:
    """Everything the page shows."""
    lines, following = await load_lines(tx, opened, cursor)
    listing, names, words, state = opened.listing, opened.names, opened.words, opened.state
    asked = [name for name, column in listing.columns.items() if values.is_asked_for(column)]
    return View(
        opened.table,
        state,
        [_head(opened, name) for name in opened.columns],
        lines,
        _chips(opened),
        [(name, values.label(name, names, words)) for name in asked],
        _adding(opened, adding) if adding in asked else None,
        [
            (name, values.label(name, names, words), name in opened.columns)
            for name in asked
            if name not in (opened.table.title_column, "handles") and listing.columns[name].is_shown
        ],
        await _count(tx, opened, len(lines), has_more=bool(following or cursor)),
        state.href(cursor=following) if following else "",
    )


async def _count(tx: Tx, opened: Opened, shown: int, *, has_more: bool) -> str:
    most = COUNTED_OF_WORDS if opened.state.q else COUNTED
    kept = Every((opened.filter, searching(opened.table.kind, opened.state.q)))
    count = await count_rows(tx, opened.listing, kept, limit=most + 1) if has_more else shown
    return opened.words.number(min(count, most)) + ("+" if count > most else "")


def _head(opened: Opened, name: str) -> Head:
    column = opened.listing.columns[name]
    (first,) = (opened.sort or opened.listing.default_sort)[:1]
    by = _SORTED_BY.get(name, name)
    is_sorted = first.column == by
    turned = f"-{by}" if is_sorted and not first.is_descending else by
    direction = ("descending" if first.is_descending else "ascending") if is_sorted else ""
    label = values.label(name, opened.names, opened.words)
    href = opened.state.href(sort=turned) if opened.listing.columns[by].is_sortable else ""
    return Head(name, label, _is_number(column.kind), href, direction)


def _chips(opened: Opened) -> list[Chip]:
    """The parts of the filter that all have to hold, each with the way to take it off."""
    kept = opened.filter if isinstance(opened.filter, Every) else Every((opened.filter,))
    trees = _parts(opened.state.filter)
    chips = []
    for at, part in enumerate(kept.parts):
        if isinstance(part, Condition):
            text = values.condition_words(
                part, opened.listing.columns[part.field], opened.names, opened.words
            )
        else:
            text = opened.words.gettext("several conditions")
        chips.append(Chip(text, opened.state.href(filter=_text([*trees[:at], *trees[at + 1 :]]))))
    return chips


async def with_condition(tx: Tx, opened: Opened, field: str, operator: str, given: Sequence[str]) -> str:
    """The address of the table with one more condition.

    Raises: Unprocessable when it cannot be; Unclear when a name may mean several records, or none.
    """
    column, target = opened.listing.columns.get(field), opened.names.target(field)
    if column is None:
        raise Unprocessable(f"There is no field {field!r} to filter by.", field="field")
    if target is not None:
        given = await the_records(tx, target, given, field)
    parts = [*_parts(opened.state.filter), values.condition_of(column, operator, given)]
    parse_filter({"all": parts}, opened.listing.kinds)
    return opened.state.href(filter=_text(parts))


def _parts(text: str) -> list[JsonValue]:
    tree = _tree(text)
    match tree:
        case {"all": list(parts)}:
            return parts
        case _:
            return [tree] if tree else []


def _text(parts: list[JsonValue]) -> str:
    return jsons.dumps({"all": parts}) if parts else ""


def _adding(opened: Opened, name: str) -> Adding:
    column = opened.listing.columns[name]
    operators = [
        (operator.value, values.operator_words(operator, column.kind, opened.words))
        for operator in OPERATORS[column.kind]
    ]
    choices = values.options(column, opened.names, opened.words)
    label, target = values.label(name, opened.names, opened.words), opened.names.target(name)
    return Adding(name, label, column.kind.value, operators, choices, target)


async def unclear(
    tx: Tx, view: View, opened: Opened, operator: str, given: Sequence[str], err: Unclear
) -> View:
    """The view that asks again for a condition, for it is not clear which record is meant."""
    adding = view.adding
    if adding is None or adding.target is None:
        return view
    names = await names_of(tx, adding.target, [UUID(one) for one in given if is_id(one)])
    asked = replace(
        adding,
        operator=operator,
        chosen=[(str(id), name) for id, name in names.items()],
        value=err.text,
        error=opened.words.gettext(err.question),
        found=err.found,
    )
    return replace(view, adding=asked)


@dataclass(frozen=True)
class Editor:
    """A cell while it is edited; `mend` leads to where a refused move can be filled in.

    `target` is the kind of record that is chosen by its name; `found` are those that what was typed may mean.
    """

    table: Table
    id: UUID
    version: int
    name: str
    label: str
    kind: str
    value: str
    options: list[tuple[str, str]]
    currency: str = ""
    error: str = ""
    mend: str = ""
    target: RecordKind | None = None
    found: list[tuple[str, str]] = field(default_factory=list)


async def load_editor(tx: Tx, opened: Opened, id: UUID, name: str) -> Editor:
    """Raises: Unprocessable when the field cannot be edited in place, or the record is gone."""
    query = ListQuery(Condition("id", Operator.IS, (id,)), limit=1)
    page = await opened.table.rows(tx, query, listing=opened.listing)
    if not page.items or name not in opened.listing.columns or not is_editable(opened, name):
        raise Unprocessable("This cannot be changed here; open the record.", field=name)
    row = page.items[0]
    column = opened.listing.columns[name]
    shown, *more = given_of(values.value_of(row, name)) or ("",)
    choices = values.options(column, opened.names, opened.words)
    if name == "stage_id":
        own = [one for one in opened.names.stages.values() if one.pipeline_id == row.pipeline_id]
        choices = values.stage_options(own, opened.names, opened.words)
    label, target = values.label(name, opened.names, opened.words), opened.names.target(name)
    if target and shown:
        names = await values.naming_links(tx, opened.names, [row.custom])
        shown = names.records.get(UUID(shown), "")
    currency = (more or ["EUR"])[0] if column.kind is ValueKind.MONEY else ""
    return Editor(
        opened.table, id, row.version, name, label, column.kind.value, shown, choices, currency, target=target
    )


async def read_cell(
    tx: Tx, opened: Opened, editor: Editor, given: Sequence[str], currency: str
) -> dict[str, object]:
    """What was typed into a cell, as an update takes it.

    Raises: Unprocessable; Unclear when a name may mean several records, or none.
    """
    column, text = opened.listing.columns[editor.name], given[0] if given else ""
    if editor.target is not None:
        if text and list(given) == [editor.value]:
            return {}
        ids = await the_records(tx, editor.target, given, editor.name)
        return {"custom": {column.name.removeprefix("custom."): ids[0] if ids else None}}
    if column.kind is ValueKind.MONEY:
        value = values.given_money(text, currency)
    else:
        value = values.given_value(text, column)
    if column.name.startswith("custom."):
        return {"custom": {column.name.removeprefix("custom."): value}}
    if value is None and column.name in _NEVER_NONE:
        return {column.name: ""}
    return {column.name: values.built_in(value, column)}


def failed(
    editor: Editor, text: str, error: str, err: AppError, *, currency: str = "", mend: str = ""
) -> Editor:
    """The editor with what was typed and why it was not kept."""
    found = err.found if isinstance(err, Unclear) else []
    return replace(
        editor, value=text, currency=currency or editor.currency, error=error, mend=mend, found=found
    )
