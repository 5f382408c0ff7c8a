"""A contact is a person; a handle is one address that leads to that person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.errors import Unprocessable
from events.ids import CompanyId, ContactId


class HandleKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    TELEGRAM_ID = "telegram_id"
    TELEGRAM_USERNAME = "telegram_username"


@dataclass(frozen=True)
class Handle:
    """One address of a contact; (kind, value) belongs to at most one contact of an organization."""

    id: UUID
    contact_id: ContactId
    kind: HandleKind
    value: str


@dataclass(frozen=True)
class Contact:
    id: ContactId
    name: str
    title: str
    company_id: CompanyId | None
    language: str
    time_zone: str | None
    note: str
    suppressed_at: datetime | None
    suppressed_reason: str | None
    telegram_consent: bool
    version: int

    @property
    def is_suppressed(self) -> bool:
        return self.suppressed_at is not None


@dataclass(frozen=True)
class NewContact:
    """What a person or an import knows about somebody new; handles are (kind, value) pairs."""

    name: str
    title: str = ""
    company_id: CompanyId | None = None
    language: str = "en"
    time_zone: str | None = None
    note: str = ""
    handles: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ContactEdit:
    """New values for some fields; None leaves a field as it is."""

    name: str | None = None
    title: str | None = None
    company_id: CompanyId | None = None
    language: str | None = None
    time_zone: str | None = None
    note: str | None = None


def normalize_handle(kind: str, value: str) -> tuple[HandleKind, str]:
    """The one spelling under which a handle is stored and looked up.

    Raises:
        Unprocessable: an unknown kind, or nothing left of the value.
    """
    try:
        known = HandleKind(kind)
    except ValueError as err:
        raise Unprocessable(f"{kind!r} is no kind of handle; use one of {', '.join(HandleKind)}.") from err
    text = value.strip()
    match known:
        case HandleKind.EMAIL:
            text = text.lower()
        case HandleKind.TELEGRAM_USERNAME:
            text = text.removeprefix("@").lower()
        case HandleKind.PHONE:
            digits = "".join(filter(str.isdigit, text))
            text = f"+{digits}" if digits else ""
        case HandleKind.TELEGRAM_ID:
            pass
    if not text:
        raise Unprocessable(f"The {known} handle is empty.")
    return known, text
