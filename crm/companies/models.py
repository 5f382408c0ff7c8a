"""A company is an organization that contacts work at and deals are made with."""

from dataclasses import dataclass

from events.ids import CompanyId


@dataclass(frozen=True)
class Company:
    """`domain` is its web domain, unique in the organization, in lower case."""

    id: CompanyId
    name: str
    domain: str | None
    city: str
    employees: int | None
    about: str
    version: int


@dataclass(frozen=True)
class NewCompany:
    name: str
    domain: str | None = None
    city: str = ""
    employees: int | None = None
    about: str = ""


@dataclass(frozen=True)
class CompanyEdit:
    """New values for some fields; None leaves a field as it is."""

    name: str | None = None
    domain: str | None = None
    city: str | None = None
    employees: int | None = None
    about: str | None = None


def normalize_domain(domain: str | None) -> str | None:
    """`https://WWW.Example.com/about` and `example.com` are one company; an empty text is no domain."""
    if domain is None:
        return None
    host = domain.strip().lower().split("://")[-1].split("/")[0].split("?")[0]
    return host.removeprefix("www.") or None
