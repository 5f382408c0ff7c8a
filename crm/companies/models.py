"""A company is an organization that contacts work at and deals are made with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from core.edits import KEEP, Keep
from events.ids import CompanyId, MemberId


@dataclass(frozen=True)
class Company:
    """`domain` is its web domain, unique in the organization, in lower case."""

    id: CompanyId
    name: str
    domain: str | None
    city: str
    country: str
    industry: str
    phone: str
    employees: int | None
    about: str
    owner_id: MemberId | None
    custom: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    merged_into_id: CompanyId | None
    version: int


@dataclass(frozen=True)
class CompanyLine(Company):
    """A company as a line of a list; `contacts` counts the people we know there."""

    owner_name: str | None
    contacts: int


@dataclass(frozen=True)
class NewCompany:
    name: str
    domain: str | None = None
    city: str = ""
    country: str = ""
    industry: str = ""
    phone: str = ""
    employees: int | None = None
    about: str = ""
    owner_id: MemberId | None = None
    custom: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class CompanyEdit:
    """New values for some fields; None empties one that may be empty. `custom` is changed key by key."""

    name: str | Keep = KEEP
    domain: str | Keep | None = KEEP
    city: str | Keep = KEEP
    country: str | Keep = KEEP
    industry: str | Keep = KEEP
    phone: str | Keep = KEEP
    employees: int | Keep | None = KEEP
    about: str | Keep = KEEP
    owner_id: MemberId | Keep | None = KEEP
    custom: Mapping[str, JsonValue] | Keep = KEEP


def normalize_domain(domain: str | None) -> str | None:
    """`https://WWW.Example.com/about` and `example.com` are one company; an empty text is no domain."""
    if domain is None:
        return None
    host = domain.strip().lower().split("://")[-1].split("/")[0].split("?")[0]
    return host.removeprefix("www.") or None
