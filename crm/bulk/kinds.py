"""What can be changed in many records of each kind at once, and by which action of its noun."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from core.db import Tx
from core.errors import Unprocessable
from core.filters import ValueKind, parse_value
from crm.companies import actions as companies
from crm.companies.models import CompanyEdit
from crm.companies.queries import get_company
from crm.contacts import actions as contacts
from crm.contacts.models import ContactEdit
from crm.contacts.queries import get_contact
from crm.deals import actions as deals
from crm.deals.models import DealEdit
from crm.deals.queries import get_deal
from crm.leads import actions as leads
from crm.leads.models import LeadEdit
from crm.leads.queries import get_lead
from events.ids import RecordKind

# Text columns that may have no value at all; the others are empty texts then.
_NULLABLE_TEXTS = ("time_zone",)
_TEXT, _LINK = ValueKind.TEXT, ValueKind.RECORD


@dataclass(frozen=True)
class Kind:
    """One kind of record. Names and domains are left out, for they belong to one record; stages move one by one."""

    noun: str
    fields: Mapping[str, ValueKind]
    edit: Callable[..., Any]
    get: Callable[..., Awaitable[Any]]
    update: Callable[..., Awaitable[Any]]
    delete: Callable[..., Awaitable[Any]]
    restore: Callable[[Tx, Any], Awaitable[Any]]

    @property
    def scopes(self) -> frozenset[str]:
        """What one needs to edit such records, and no more."""
        links = {"contacts:read", "companies:read", "deals:read"}
        return frozenset({f"{self.noun}:read", f"{self.noun}:write", *links})


KINDS: Mapping[RecordKind, Kind] = {
    RecordKind.CONTACT: Kind(
        "contacts",
        {
            "title": _TEXT, "company_id": _LINK, "owner_id": _LINK, "bidi_id": _LINK, "language": _TEXT,
            "time_zone": _TEXT, "note": _TEXT,
        },
        ContactEdit, get_contact, contacts.update_contact, contacts.delete_contact, contacts.restore_contact,
    ),
    RecordKind.COMPANY: Kind(
        "companies",
        {
            "owner_id": _LINK, "industry": _TEXT, "employees": ValueKind.NUMBER, "phone": _TEXT, "city": _TEXT,
            "country": _TEXT, "about": _TEXT,
        },
        CompanyEdit, get_company, companies.update_company, companies.delete_company, companies.restore_company,
    ),
    RecordKind.LEAD: Kind(
        "leads",
        {"owner_id": _LINK, "bidi_id": _LINK, "source": _TEXT, "next_step": _TEXT, "lost_reason": _TEXT},
        LeadEdit, get_lead, leads.update_lead, leads.delete_lead, leads.restore_lead,
    ),
    RecordKind.DEAL: Kind(
        "deals",
        {
            "company_id": _LINK, "owner_id": _LINK, "bidi_id": _LINK, "close_date": ValueKind.DATE,
            "probability": ValueKind.NUMBER, "next_step": _TEXT, "lost_reason": _TEXT,
        },
        DealEdit, get_deal, deals.update_deal, deals.delete_deal, deals.restore_deal,
    ),
}  # fmt: skip


def typed(kind: Kind, name: str, value: JsonValue) -> object:
    """A value of a built-in field as its noun takes it. Raises: Unprocessable, naming what is wanted."""
    if name not in kind.fields:
        known = ", ".join(kind.fields)
        raise Unprocessable(
            f"{name} cannot be changed in many records at once; choose from: {known}.", field=name
        )
    wanted = kind.fields[name]
    if value is None or value == "":
        return _nothing(name, wanted)
    given = parse_value(wanted, value, name)
    if wanted is ValueKind.NUMBER:
        if given != int(given) or not -(2**31) <= int(given) < 2**31:  # type: ignore[arg-type]  # a Decimal
            raise Unprocessable(f"{name} needs a whole number.", field=name)
        return int(given)  # type: ignore[arg-type]
    return given


def _nothing(name: str, wanted: ValueKind) -> object:
    if name == "language":
        raise Unprocessable("language needs a value such as en; it cannot be empty.", field=name)
    return "" if wanted is ValueKind.TEXT and name not in _NULLABLE_TEXTS else None


def edit_of(kind: Kind, values: Mapping[str, JsonValue]) -> object:
    """The edit of one record that gives its fields these values; those of the organization are `custom.KEY`."""
    custom = {
        name.removeprefix("custom."): value for name, value in values.items() if name.startswith("custom.")
    }
    built_in = {
        name: typed(kind, name, value) for name, value in values.items() if not name.startswith("custom.")
    }
    return kind.edit(**built_in, **({"custom": custom} if custom else {}))


def value_in(record: Any, name: str) -> object:
    """What a record holds in a field."""
    if name.startswith("custom."):
        return record.custom.get(name.removeprefix("custom."))
    return getattr(record, name)


def label_of(record: Any) -> str:
    """What people call a record: a lead by its contact's name."""
    return str(getattr(record, "name", None) or getattr(record, "contact", ""))
