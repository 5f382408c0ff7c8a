"""A contact is a person; a handle is one address that leads to that person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from core.edits import KEEP, Keep
from core.errors import Unprocessable
from core.principal import PrincipalKind
from crm.matching.keys import phone_key
from events.ids import BidiId, CompanyId, ContactId, MemberId


class HandleKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    TELEGRAM_ID = "telegram_id"
    TELEGRAM_USERNAME = "telegram_username"
    LINK = "link"


@dataclass(frozen=True)
class Handle:
    """One address of a contact; (kind, value) belongs to at most one contact of an organization."""

    id: UUID
    contact_id: ContactId
    kind: HandleKind
    value: str
    label: str = ""
    is_primary: bool = False


class ConsentChannel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    TELEGRAM = "telegram"
    MARKETING = "marketing"


@dataclass(frozen=True)
class Consent:
    """What holds now for one channel, who says so, and since when."""

    channel: ConsentChannel
    is_given: bool
    source: str
    given_at: datetime


@dataclass(frozen=True)
class Statement(Consent):
    """One statement of the history: what held before, None where nobody had said anything, and who wrote it down."""

    was_given: bool | None
    recorded_by_kind: PrincipalKind
    recorded_by_id: UUID
    recorded_by_name: str | None


@dataclass(frozen=True)
class Contact:
    """`owner_id` is the person responsible, `bidi_id` the seat that works it, `custom` its values by field key."""

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
    owner_id: MemberId | None
    bidi_id: BidiId | None
    custom: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    merged_into_id: ContactId | None
    version: int

    @property
    def is_suppressed(self) -> bool:
        return self.suppressed_at is not None


@dataclass(frozen=True)
class ContactLine(Contact):
    """A contact as a line of a list, with what a reader wants to see beside it."""

    company_name: str | None
    owner_name: str | None
    bidi_name: str | None
    email: str | None
    phone: str | None
    telegram: str | None
    last_message_at: datetime | None


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
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    custom: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class ContactEdit:
    """New values for some fields; None empties one that may be empty. `custom` is changed key by key."""

    name: str | Keep = KEEP
    title: str | Keep = KEEP
    company_id: CompanyId | Keep | None = KEEP
    language: str | Keep = KEEP
    time_zone: str | Keep | None = KEEP
    note: str | Keep = KEEP
    owner_id: MemberId | Keep | None = KEEP
    bidi_id: BidiId | Keep | None = KEEP
    custom: Mapping[str, JsonValue] | Keep = KEEP


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
            text = _phone(text)
        case HandleKind.TELEGRAM_ID | HandleKind.LINK:
            pass
    if not text:
        raise Unprocessable(f"The {known} handle is empty.")
    return known, text


_TRUNK_OF_RUSSIA = "8"


def _phone(text: str) -> str:
    """E.164 where the number can be read: `+7 (912) ...`, `00 44 ...`, and `8 912 ...` as Russia writes its own.

    What cannot be read is kept by its digits, so that nothing that somebody typed is lost.
    """
    digits = "".join(letter for letter in text if letter in "0123456789")
    if digits.startswith("00"):
        text = f"+{digits.removeprefix('00')}"
    if len(digits) == 11 and digits.startswith(_TRUNK_OF_RUSSIA) and not text.startswith("+"):
        return phone_key(text, "RU") or f"+{digits}"
    return phone_key(text if text.startswith("+") else f"+{digits}") or (f"+{digits}" if digits else "")
