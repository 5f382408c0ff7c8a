"""The fields of one record: what its page shows, what a form asks for, and what was typed as a value."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import JsonValue
from starlette.datastructures import FormData

from core.db import Tx
from core.errors import NotFound, Unprocessable
from core.filters import ValueKind
from core.money import format_amount
from core.sql import Column, Listing
from crm.companies import actions as companies
from crm.companies.fields import company_listing
from crm.companies.models import Company, CompanyEdit, NewCompany
from crm.companies.queries import get_company
from crm.contacts import actions as contacts
from crm.contacts.fields import contact_listing
from crm.contacts.models import Contact, ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.custom_fields.models import stored_value
from crm.deals import actions as deals
from crm.deals.fields import deal_listing
from crm.deals.models import Deal, DealEdit, NewDeal
from crm.deals.queries import get_deal
from crm.leads import actions as leads
from crm.leads.fields import lead_listing
from crm.leads.models import Lead, LeadEdit, NewLead
from crm.leads.queries import get_lead
from crm.pipelines.models import Stage
from events.ids import RecordKind
from web import values
from web.i18n import Words
from web.links import PATHS, Unclear, name_of, the_record
from web.phrases import N_
from web.values import Names

Record = Contact | Company | Deal | Lead
_LONG = ("note", "about")
_LONGEST = 8000
_NULLABLE = (
    "company_id",
    "contact_id",
    "owner_id",
    "bidi_id",
    "time_zone",
    "employees",
    "domain",
    "amount",
    "close_date",
    "probability",
)
_REQUIRED = ("name", "stage_id")
_LINKS = {"company_id": RecordKind.COMPANY, "contact_id": RecordKind.CONTACT}
WANTED = {
    ValueKind.TEXT: N_("Write a shorter text."),
    ValueKind.NUMBER: N_("Write a number such as 12.5."),
    ValueKind.MONEY: N_("Write an amount such as 1200.50 and a currency such as EUR."),
    ValueKind.DATE: N_("Write a date such as 2026-12-01."),
    ValueKind.MOMENT: N_("Write a date such as 2026-12-01."),
    ValueKind.CHOICE: N_("Choose one of the list."),
    ValueKind.CHOICES: N_("Choose from the list."),
    ValueKind.BOOLEAN: N_("Choose one of the list."),
    ValueKind.RECORD: N_("Choose one of the list."),
}


@dataclass(frozen=True)
class Sheet:
    """What is known about the pages of one kind of record; `names` are its built-in fields in their order.

    `asked` are those of a form for a new record, where they are others; `move` is there for what has stages.
    """

    kind: RecordKind
    names: tuple[str, ...]
    listing: Callable[[Tx], Awaitable[Listing]]
    get: Callable[..., Awaitable[Any]]
    create: Callable[[Tx, Any], Awaitable[Any]]
    update: Callable[..., Awaitable[Any]]
    delete: Callable[..., Awaitable[Any]]
    restore: Callable[[Tx, Any], Awaitable[Any]]
    new: Callable[..., Any]
    edit: Callable[..., Any]
    asked: tuple[str, ...] = ()
    move: Callable[..., Awaitable[Any]] | None = None

    @property
    def path(self) -> str:
        return PATHS[self.kind]


CONTACTS = Sheet(
    RecordKind.CONTACT,
    ("name", "title", "company_id", "owner_id", "bidi_id", "language", "time_zone", "note"),
    contact_listing,
    get_contact,
    contacts.create_contact,
    contacts.update_contact,
    contacts.delete_contact,
    contacts.restore_contact,
    NewContact,
    ContactEdit,
)
COMPANIES = Sheet(
    RecordKind.COMPANY,
    ("name", "domain", "owner_id", "industry", "employees", "phone", "city", "country", "about"),
    company_listing,
    get_company,
    companies.create_company,
    companies.update_company,
    companies.delete_company,
    companies.restore_company,
    NewCompany,
    CompanyEdit,
)


def deal_edit(**new: Any) -> DealEdit:
    """The edit of a deal whose amount comes with its currency; no amount is an amount of nothing."""
    if "amount" not in new:
        return DealEdit(**new)
    amount = new.pop("amount") or {"amount_minor": 0}
    return DealEdit(**new, **amount)


def _new_deal(**given: Any) -> NewDeal:
    amount = given.pop("amount", None) or {}
    return NewDeal(**given, **amount)


async def _create_deal(tx: Tx, new: NewDeal) -> Deal:
    """A deal with a person, and with that person's company where none was named."""
    if new.contact_id is not None and new.company_id is None:
        person = await get_contact(tx, new.contact_id)
        new = replace(new, company_id=person.company_id)
    return await deals.create_deal(tx, new)


def _new_lead(**given: Any) -> NewLead:
    """Leads have no fields of the organization's own."""
    return NewLead(**{name: value for name, value in given.items() if name != "custom"})


DEALS = Sheet(
    RecordKind.DEAL,
    (
        "name",
        "amount",
        "close_date",
        "probability",
        "company_id",
        "contact_id",
        "owner_id",
        "bidi_id",
        "next_step",
        "lost_reason",
    ),
    deal_listing,
    get_deal,
    _create_deal,
    deals.update_deal,
    deals.delete_deal,
    deals.restore_deal,
    _new_deal,
    deal_edit,
    ("name", "stage_id", "amount", "close_date", "company_id", "contact_id", "owner_id", "next_step"),
    deals.move_stage,
)
LEADS = Sheet(
    RecordKind.LEAD,
    ("owner_id", "bidi_id", "source", "next_step", "lost_reason"),
    lead_listing,
    get_lead,
    leads.create_lead,
    leads.update_lead,
    leads.delete_lead,
    leads.restore_lead,
    _new_lead,
    LeadEdit,
    ("contact_id", "stage_id", "owner_id", "source", "next_step"),
    leads.move_lead,
)


@dataclass(frozen=True)
class Typed:
    """What was typed for a field: its value, or why it cannot be one and which records may be meant."""

    given: tuple[str, ...] = ()
    value: object = None
    error: str = ""
    found: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Field:
    """A field of a record; `text` is what readers see, `given` what its inputs hold.

    `currency` is the only one that a money field takes, if there is one; `target` is the kind that a link leads to.
    """

    name: str
    label: str
    kind: str
    text: str
    given: tuple[str, ...]
    options: list[tuple[str, str]]
    href: str = ""
    target: RecordKind | None = None
    is_long: bool = False
    is_required: bool = False
    currency: str = ""
    error: str = ""
    found: list[tuple[str, str]] = field(default_factory=list)
    prefix: str = ""

    @property
    def id(self) -> str:
        return self.prefix + self.name.replace(".", "-")


@dataclass(frozen=True)
class Opened:
    """A sheet with the organization's own fields and names, for one reader."""

    sheet: Sheet
    columns: Mapping[str, Column]
    names: Names
    words: Words

    @property
    def all_names(self) -> list[str]:
        return [*self.sheet.names, *self.names.fields]

    @property
    def asked_names(self) -> list[str]:
        """What a form for a new record asks for."""
        return [*(self.sheet.asked or self.sheet.names), *self.names.fields]

    def first_stages(self, pipeline_id: UUID | None) -> list[Stage]:
        """The open stages of a pipeline, or of the oldest one, in their order."""
        stages = [stage for stage in self.names.stages.values() if stage.is_open]
        chosen = pipeline_id or next((stage.pipeline_id for stage in stages), None)
        return [stage for stage in stages if stage.pipeline_id == chosen]

    def target(self, name: str) -> RecordKind | None:
        """The kind of record that a field leads to."""
        if name in _LINKS:
            return _LINKS[name]
        return self.names.target(name)


async def open_sheet(tx: Tx, sheet: Sheet, words: Words) -> Opened:
    listing = await sheet.listing(tx)
    return Opened(sheet, listing.columns, await values.load_names(tx, sheet.kind), words)


async def load_fields(tx: Tx, opened: Opened, record: Record | None) -> list[Field]:
    """Every field of a record, or those that a form asks for to make one."""
    names = opened.asked_names if record is None else opened.all_names
    return [await load_field(tx, opened, record, name) for name in names]


async def load_field(tx: Tx, opened: Opened, record: Record | None, name: str) -> Field:
    """Raises: NotFound for a field that such records do not have."""
    if name not in opened.all_names and (record is not None or name not in opened.asked_names):
        raise NotFound(f"A {opened.sheet.kind} has no field {name!r}.")
    column, words = opened.columns[name], opened.words
    value = values.value_of(record, name) if record else None
    target, own = opened.target(name), opened.names.fields.get(name)
    shown = Field(
        name,
        values.label(name, opened.names, words),
        column.kind.value,
        values.text_of(value, column, opened.names, words),
        given_of(value),
        _options(opened, column, value),
        target=target,
        is_long=name in _LONG,
        is_required=name in _REQUIRED
        or (name == "contact_id" and opened.sheet.kind is RecordKind.LEAD)
        or (own is not None and own.is_required),
        currency=(own.currency if own else None) or "",
    )
    if target is None or value is None:
        return shown
    called = await name_of(tx, target, UUID(str(value)))
    if not called:  # what the field says of it stays
        return replace(shown, given=())
    return replace(shown, text=called, given=(called,), href=f"{PATHS[target]}/{value}")


def given_of(value: object) -> tuple[str, ...]:
    """A value as its inputs hold it."""
    match value:
        case None:
            return ()
        case bool():
            return ("true" if value else "false",)
        case list():
            return tuple(str(one) for one in value)
        case {"amount_minor": int(amount), "currency": str(currency)}:
            return (format_amount(amount, currency), currency)
        case _:
            return (str(value),)


def _options(opened: Opened, column: Column, value: object) -> list[tuple[str, str]]:
    if column.name == "time_zone":
        return [(zone, zone) for zone in _time_zones()]
    options = values.options(column, opened.names, opened.words)
    known = {key for key, _ in options}
    if column.kind in (
        ValueKind.CHOICE,
        ValueKind.CHOICES,
    ):  # what was taken off the list stays until it is changed
        options += [(one, one) for one in given_of(value) if one not in known]
    return options


@lru_cache
def _time_zones() -> tuple[str, ...]:
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"))


async def read_typed(tx: Tx, opened: Opened, shown: Field, form: FormData, record: Record | None) -> Typed:
    """What a form gives for a field."""
    given = tuple(str(one) for one in form.getlist(shown.name) if isinstance(one, str))
    say = opened.words.gettext
    if any("\x00" in one or len(one) > _LONGEST for one in given):
        return Typed((), error=say(WANTED[ValueKind.TEXT]))
    typed = given[:1] if shown.kind == ValueKind.MONEY else given
    if shown.is_required and shown.name.startswith("custom.") and not "".join(typed).strip():
        return Typed(given, error=say(N_("Fill this in.")))
    target = opened.target(shown.name)
    if target is not None:
        kept = values.value_of(record, shown.name) if record is not None and given == shown.given else None
        return await read_link(tx, opened, target, shown, given, kept)
    column = opened.columns[shown.name]
    try:
        return Typed(given, _checked(opened, column, _json(column, given)))
    except Unprocessable:
        is_missing = shown.is_required and not "".join(given).strip()
        missing = N_("Write a name.") if shown.name == "name" else WANTED[column.kind]
        return Typed(given, error=say(missing if is_missing else WANTED[column.kind]))


async def read_link(
    tx: Tx, opened: Opened, target: RecordKind, shown: Field, given: tuple[str, ...], kept: object = None
) -> Typed:
    """Another record, by its name or chosen from those that were found; `kept` is the one that was left as it was."""
    text = next((one.strip() for one in reversed(given) if one.strip()), "")
    is_custom = shown.name.startswith("custom.")
    if not text:
        return Typed(given, error=opened.words.gettext(N_("Say who it is.")) if shown.is_required else "")
    if kept is not None:
        return Typed(given, kept)
    try:
        id = await the_record(tx, target, text, shown.name)
    except Unclear as err:
        return Typed((given[0],), error=opened.words.gettext(err.question), found=err.found)
    return Typed(given, str(id) if is_custom else id)


def _json(column: Column, given: tuple[str, ...]) -> JsonValue:
    """Raises: Unprocessable."""
    text = given[0].strip() if given else ""
    if column.kind is ValueKind.CHOICES:
        return [one for one in given if one]
    if column.kind is ValueKind.MONEY:
        return values.given_money(text, given[1] if len(given) > 1 else "")
    return values.given_value(text, column)


def _checked(opened: Opened, column: Column, value: JsonValue) -> object:
    """A value as the record keeps it. Raises: Unprocessable."""
    name = column.name
    if name in opened.names.fields:
        return stored_value(opened.names.fields[name], value) if value not in (None, "", []) else None
    if value is None or value == "":
        if name in _REQUIRED:
            raise Unprocessable("A record needs a name.", field=name)
        return None if name in _NULLABLE else ("en" if name == "language" else "")
    options = {key for key, _ in _options(opened, column, None)}
    if options and value not in options:
        raise Unprocessable(f"{value} is not on the list.", field=name)
    return values.built_in(value, column)


def refused(shown: Field, typed: Typed) -> Field:
    """The field with what was typed and why it was not taken."""
    return replace(shown, given=typed.given, error=typed.error, found=typed.found)


def filled(shown: Field, text: str) -> Field:
    """The field with a text in its input."""
    return replace(shown, given=(text,) if text else ())


def edit_of(opened: Opened, name: str, value: object) -> object:
    """The edit that changes one field."""
    return edit_all(opened, {name: value})


def edit_all(opened: Opened, new: Mapping[str, object]) -> object:
    """The edit that changes several fields."""
    built_in = {name: value for name, value in new.items() if name not in opened.names.fields}
    custom = {own.key: new[name] for name, own in opened.names.fields.items() if name in new}
    return opened.sheet.edit(**built_in, **({"custom": custom} if custom else {}))


def new_of(opened: Opened, typed: Mapping[str, Typed], **more: object) -> object:
    """The record that a form describes."""
    built_in = {name: one.value for name, one in typed.items() if name not in opened.names.fields}
    custom = {
        own.key: typed[name].value
        for name, own in opened.names.fields.items()
        if name in typed and typed[name].value is not None
    }
    return opened.sheet.new(**built_in, custom=custom, **more)
