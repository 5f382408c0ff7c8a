"""How a value of each kind is named, shown and asked for: in tables, on record pages, in filters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from core.errors import Unprocessable
from core.filters import OPERATORS, Condition, Filter, Operator, ValueKind, conditions_of
from core.money import CURRENCIES, digits_of, known_currency, parse_amount
from core.sql import Column, Listing
from crm.bidi.queries import list_bidi
from crm.custom_fields.links import linked_names
from crm.custom_fields.models import CustomField
from crm.custom_fields.queries import list_custom_fields
from crm.identity.queries import list_members
from crm.identity.teams import list_teams
from crm.pipelines.models import Outcome, Stage
from crm.pipelines.queries import list_all_stages, list_pipelines
from crm.segments.queries import segment_names
from crm.tags.models import Tag
from crm.tags.queries import list_tags
from events.ids import RecordKind
from web.i18n import Words
from web.phrases import N_, stage_text

LABELS = {
    "name": N_("Name"),
    "title": N_("Role"),
    "company": N_("Company"),
    "email": N_("Email"),
    "phone": N_("Phone"),
    "telegram": N_("Telegram"),
    "handles": N_("Any address or number"),
    "language": N_("Language"),
    "time_zone": N_("Time zone"),
    "note": N_("Note"),
    "owner_id": N_("Owner"),
    "owner_team": N_("Team of the owner"),
    "bidi_id": N_("Handled by"),
    "tags": N_("Tags"),
    "segment": N_("Segment"),
    "is_suppressed": N_("Asked to stop"),
    "last_message_at": N_("Last message"),
    "created_at": N_("Added"),
    "updated_at": N_("Changed"),
    "company_city": N_("City of the company"),
    "company_country": N_("Country of the company"),
    "company_industry": N_("Industry"),
    "company_employees": N_("Employees of the company"),
    "domain": N_("Web domain"),
    "city": N_("City"),
    "country": N_("Country"),
    "industry": N_("Industry"),
    "employees": N_("Employees"),
    "about": N_("About the company"),
    "contacts": N_("People"),
    "contact": N_("Person"),
    "contact_id": N_("Person"),
    "company_id": N_("Company"),
    "pipeline_id": N_("Pipeline"),
    "stage_id": N_("Stage"),
    "outcome": N_("Open, won or lost"),
    "stage_entered_at": N_("In this stage since"),
    "amount": N_("Amount"),
    "currency": N_("Currency"),
    "probability": N_("Probability, %"),
    "close_date": N_("Close date"),
    "next_step": N_("Next step"),
    "lost_reason": N_("Why it is lost"),
    "source": N_("Source"),
    "is_converted": N_("Became a deal"),
    "closed_at": N_("Closed"),
}
_OUTCOMES = {Outcome.OPEN: N_("open"), Outcome.WON: N_("won"), Outcome.LOST: N_("lost")}
_OPERATORS = {
    Operator.IS: N_("is"),
    Operator.IS_NOT: N_("is not"),
    Operator.CONTAINS: N_("contains"),
    Operator.NOT_CONTAINS: N_("does not contain"),
    Operator.STARTS_WITH: N_("starts with"),
    Operator.LESS: N_("less than"),
    Operator.AT_MOST: N_("at most"),
    Operator.MORE: N_("more than"),
    Operator.AT_LEAST: N_("at least"),
    Operator.BETWEEN: N_("between"),
    Operator.LAST_DAYS: N_("in the last days"),
    Operator.NEXT_DAYS: N_("in the next days"),
    Operator.ANY_OF: N_("is one of"),
    Operator.NONE_OF: N_("is none of"),
    Operator.ALL_OF: N_("has all of"),
    Operator.EMPTY: N_("is empty"),
    Operator.NOT_EMPTY: N_("is not empty"),
}
_OF_TIME = {
    Operator.LESS: N_("before"),
    Operator.AT_MOST: N_("until"),
    Operator.MORE: N_("after"),
    Operator.AT_LEAST: N_("from"),
}
_OF_SEVERAL = {Operator.IS.value: Operator.ANY_OF.value, Operator.IS_NOT.value: Operator.NONE_OF.value}
_TIMES = (ValueKind.DATE, ValueKind.MOMENT)
LANGUAGES = ("en", "ru")
# Fields of kind record that are chosen from a short list.
_PEOPLE = ("owner_id", "bidi_id")
_CHOSEN = (*_PEOPLE, "stage_id", "pipeline_id")
# What is filtered, sorted or shown by another column: a stage by itself, not by its name or place.
_BEHIND = ("stage", "stage_position", "stakeholder_id")
_WHOLE = {"employees": 2**31 - 1, "probability": 100}


@dataclass(frozen=True)
class Names:
    """What ids in values of a kind of record stand for."""

    kind: RecordKind = RecordKind.CONTACT
    members: Mapping[UUID, str] = field(default_factory=dict)
    seats: Mapping[UUID, str] = field(default_factory=dict)
    tags: Mapping[str, Tag] = field(default_factory=dict)
    segments: Mapping[UUID, str] = field(default_factory=dict)
    fields: Mapping[str, CustomField] = field(default_factory=dict)
    pipelines: Mapping[UUID, str] = field(default_factory=dict)
    stages: Mapping[UUID, Stage] = field(default_factory=dict)
    teams: Mapping[UUID, str] = field(default_factory=dict)
    records: Mapping[UUID, str] = field(default_factory=dict)

    def target(self, name: str) -> RecordKind | None:
        """The kind of record that a field of the organization's own leads to."""
        return self.fields[name].target_kind if name in self.fields else None


async def load_names(tx: Tx, kind: RecordKind) -> Names:
    """The people, teams, seats, tags, segments, stages and custom fields of one kind of record."""
    has_stages = kind in (RecordKind.LEAD, RecordKind.DEAL)
    return Names(
        kind,
        {member.id: member.name for member in await list_members(tx)},
        {seat.id: seat.name for seat in await list_bidi(tx)},
        {str(tag.id): tag for tag in await list_tags(tx)},
        await segment_names(tx, kind),
        {each.column_name: each for each in await list_custom_fields(tx, kind)},
        {one.id: one.name for one in await list_pipelines(tx)} if has_stages else {},
        {one.id: one for one in await list_all_stages(tx)} if has_stages else {},
        {one.id: one.name for one in await list_teams(tx)},
    )


async def naming_links(tx: Tx, names: Names, held: Iterable[Mapping[str, Any]]) -> Names:
    """The names with those of the records that links in these custom values lead to."""
    return replace(names, records={**names.records, **await linked_names(tx, names.fields.values(), held)})


async def naming_filter(tx: Tx, names: Names, kept: Filter) -> Names:
    """The names with those of the records that a filter asks for by links."""
    asked = [
        {names.fields[one.field].key: str(value)}
        for one in conditions_of(kept)
        if names.target(one.field)
        for value in one.values
    ]
    return await naming_links(tx, names, asked)


def label(name: str, names: Names, words: Words) -> str:
    """What readers call a field."""
    if name == "name" and names.kind is not RecordKind.CONTACT:
        return words.pgettext("of a thing", "Name")
    return names.fields[name].label if name in names.fields else words.gettext(LABELS.get(name, name))


def operator_words(operator: Operator, kind: ValueKind, words: Words) -> str:
    of_time = _OF_TIME.get(operator) if kind in _TIMES else None
    return words.gettext(of_time or _OPERATORS[operator])


def options(column: Column, names: Names, words: Words) -> list[tuple[str, str]]:
    """What can be chosen for a field, as (value, words); empty for a field that is typed."""
    if column.name in _PEOPLE:
        people = names.members if column.name == "owner_id" else names.seats
        return [(str(id), name) for id, name in people.items()]
    if column.name == "stage_id":
        return stage_options(list(names.stages.values()), names, words)
    if column.name == "pipeline_id":
        return [(str(id), name) for id, name in names.pipelines.items()]
    if column.name == "outcome":
        return [(outcome.value, words.gettext(text)) for outcome, text in _OUTCOMES.items()]
    if column.name == "owner_team":
        return [(str(id), name) for id, name in names.teams.items()]
    if column.name == "tags":
        return [(id, tag.name) for id, tag in names.tags.items()]
    if column.kind is ValueKind.SEGMENT:
        return [(str(id), name) for id, name in names.segments.items()]
    if column.name == "language":
        return [(code, words.language(code)) for code in LANGUAGES]
    if column.kind is ValueKind.BOOLEAN:
        return [("true", words.gettext("yes")), ("false", words.gettext("no"))]
    if column.name in names.fields:
        return [(choice.key, choice.label) for choice in names.fields[column.name].options]
    return []


def stage_options(stages: Sequence[Stage], names: Names, words: Words) -> list[tuple[str, str]]:
    """Stages to choose from, with their pipeline's name when they are of several."""
    several = len({stage.pipeline_id for stage in stages}) > 1
    prefix = {id: f"{name}: " if several else "" for id, name in names.pipelines.items()}
    return [(str(one.id), prefix.get(one.pipeline_id, "") + stage_text(one.name, words)) for one in stages]


def is_asked_for(column: Column) -> bool:
    """Whether a form can ask for a value of it; built-in links are asked for by the name of what they lead to."""
    is_chosen = column.name in _CHOSEN or column.name.startswith("custom.")
    return column.name not in _BEHIND and (column.kind is not ValueKind.RECORD or is_chosen)


def in_currency(listing: Listing, code: str) -> Listing:
    """The list with its amounts typed and shown as a currency writes them; without one, as nearly all are written."""
    amount = listing.columns.get("amount")
    if amount is None or code not in CURRENCIES:
        return listing
    return listing.with_columns([replace(amount, digits=digits_of(code))])


def value_of(row: object, column: str) -> Any:
    """What a record holds in a field, built in or of the organization's own."""
    if column == "amount":
        return {"amount_minor": getattr(row, "amount_minor"), "currency": getattr(row, "currency")}  # noqa: B009
    if column.startswith("custom."):
        return getattr(row, "custom").get(column.removeprefix("custom."))  # noqa: B009
    return getattr(row, column, None)


def text_of(value: Any, column: Column, names: Names, words: Words) -> str:
    """A value in the reader's words; empty for none."""
    if value is None or value == "":
        return ""
    chosen = dict(options(column, names, words))
    match column.kind:
        case ValueKind.BOOLEAN:
            return chosen["true" if value in (True, "true") else "false"]
        case ValueKind.MONEY if isinstance(value, Mapping):
            return words.money(int(value["amount_minor"]), str(value["currency"]))
        case ValueKind.MONEY:
            return words.number(Decimal(value).scaleb(-column.digits))
        case ValueKind.DATE | ValueKind.MOMENT:
            return _time_words(value, words)
        case ValueKind.CHOICES:
            return ", ".join(chosen.get(str(one), str(one)) for one in value)
        case ValueKind.NUMBER:
            return words.number(value)
        case ValueKind.RECORD if names.target(column.name):
            return names.records.get(UUID(str(value))) or words.gettext(N_("a record that is gone"))
        case _:
            return chosen.get(str(value), str(value))


def _time_words(value: str | date | datetime, words: Words) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    return words.moment(value) if isinstance(value, datetime) else words.short_date(value)


def condition_words(condition: Condition, column: Column, names: Names, words: Words) -> str:
    """A condition as a chip says it: `Role contains director`."""
    if condition.operator in (Operator.LAST_DAYS, Operator.NEXT_DAYS):
        values = [str(value) for value in condition.values]
    else:
        values = [_in_words(value, column, names, words) for value in condition.values]
    operator = operator_words(condition.operator, column.kind, words)
    return " ".join([label(column.name, names, words), operator, " – ".join(values)]).strip()


def _in_words(value: object, column: Column, names: Names, words: Words) -> str:
    if column.kind is ValueKind.CHOICES:
        return text_of([value], column, names, words)
    return text_of(value, column, names, words)


def given_value(text: str, column: Column) -> JsonValue:
    """What was typed into a form, as JSON; an empty text is no value. Raises: Unprocessable."""
    text = text.strip()
    if not text:
        return None
    match column.kind:
        case ValueKind.BOOLEAN:
            return text == "true"
        case ValueKind.NUMBER:
            return _number(text, column)
        case ValueKind.MONEY:
            return _minor_units(text, column)
        case ValueKind.MOMENT:
            return text if "T" in text else f"{text}T00:00:00+00:00"
        case _:
            return text


def condition_of(column: Column, operator: str, given: Sequence[str]) -> JsonValue:
    """A condition as filters keep it, of what was typed or chosen in a form; to be several is to be one of them.

    Raises: Unprocessable.
    """
    one_by_one = [given_value(text, column) for text in given if text.strip()]
    if len(one_by_one) > 1 and Operator.ANY_OF in OPERATORS[column.kind]:
        operator = _OF_SEVERAL.get(operator, operator)
    condition: dict[str, JsonValue] = {"field": column.name, "op": operator}
    if operator in (Operator.LAST_DAYS, Operator.NEXT_DAYS):
        condition["value"] = int(given[0]) if given and given[0].isdigit() else None
    elif operator in (Operator.ANY_OF, Operator.NONE_OF, Operator.ALL_OF, Operator.BETWEEN):
        condition["value"] = list(one_by_one)
    elif operator not in (Operator.EMPTY, Operator.NOT_EMPTY):
        condition["value"] = one_by_one[0] if one_by_one else None
    return condition


def _number(text: str, column: Column) -> JsonValue:
    """Numbers as people write them: with spaces between thousands, and a comma."""
    plain = "".join(text.split()).replace(",", ".")
    try:
        return int(plain) if plain.lstrip("-").isdigit() else float(plain)
    except ValueError as err:
        raise Unprocessable(f"{text} is no number.", field=column.name) from err


def _minor_units(text: str, column: Column) -> int:
    """An amount to compare with, in the minor units of the column's currency."""
    number = Decimal(str(_number(text, column))).scaleb(column.digits)
    if number != number.to_integral_value():
        raise Unprocessable(f"{text} is no amount.", field=column.name)
    return int(number)


def given_money(amount: str, currency: str) -> JsonValue:
    """What was typed as an amount and its currency; without an amount it is no value. Raises: Unprocessable."""
    if not amount.strip():
        return None
    code, sign = known_currency(currency), -1 if amount.strip().startswith(("-", "\N{MINUS SIGN}")) else 1
    minor = parse_amount(amount.strip().removeprefix("-").removeprefix("\N{MINUS SIGN}"), code)
    return {"amount_minor": sign * minor, "currency": code}


def built_in(value: JsonValue, column: Column) -> object:
    """A value of a built-in field as actions take it: days and ids instead of their text. Raises: Unprocessable."""
    most = _WHOLE.get(column.name)
    if most is not None and value is not None and not (isinstance(value, int) and 0 <= value <= most):
        raise Unprocessable(f"{value} is no whole number of at most {most}.", field=column.name)
    if not isinstance(value, str):
        return value
    try:
        match column.kind:
            case ValueKind.DATE:
                return date.fromisoformat(value)
            case ValueKind.RECORD:
                return UUID(value)
            case _:
                return value
    except ValueError as err:
        raise Unprocessable(f"{value} cannot be a {column.name}.", field=column.name) from err
