"""What a column of a table can become: the closed list of fields for each kind of record."""

from dataclasses import dataclass
from enum import StrEnum

from events.ids import RecordKind


class ValueKind(StrEnum):
    """How the cells of a column are read."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    TELEGRAM = "telegram"
    LINK = "link"
    DOMAIN = "domain"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    CURRENCY = "currency"
    DATE = "date"
    BOOLEAN = "boolean"
    OWNER = "owner"
    STAGE = "stage"
    TAGS = "tags"
    LANGUAGE = "language"
    CHOICE = "choice"
    CHOICES = "choices"
    RECORD = "record"


@dataclass(frozen=True)
class Target:
    """`many` columns may become it; `limit` counts characters."""

    key: str
    kind: ValueKind = ValueKind.TEXT
    many: bool = False
    limit: int = 200


_NAMES = (Target("name"), Target("first_name"), Target("last_name"), Target("middle_name"))
_COMMON = (
    Target("owner", ValueKind.OWNER),
    Target("tags", ValueKind.TAGS, many=True),
    Target("external_id"),
)
TARGETS: dict[RecordKind, tuple[Target, ...]] = {
    RecordKind.CONTACT: (
        *_NAMES,
        Target("email", ValueKind.EMAIL, many=True),
        Target("phone", ValueKind.PHONE, many=True),
        Target("telegram", ValueKind.TELEGRAM, many=True),
        Target("link", ValueKind.LINK, many=True),
        Target("title"),
        Target("company"),
        Target("company_domain", ValueKind.DOMAIN),
        Target("note", many=True, limit=8192),
        Target("language", ValueKind.LANGUAGE),
        Target("consent_email", ValueKind.BOOLEAN),
        Target("consent_sms", ValueKind.BOOLEAN),
        Target("consent_telegram", ValueKind.BOOLEAN),
        Target("consent_marketing", ValueKind.BOOLEAN),
        *_COMMON,
    ),
    RecordKind.COMPANY: (
        Target("name"),
        Target("domain", ValueKind.DOMAIN),
        Target("phone", ValueKind.PHONE),
        Target("city"),
        Target("country"),
        Target("industry"),
        Target("employees", ValueKind.INTEGER),
        Target("about", many=True, limit=8192),
        *_COMMON,
    ),
    RecordKind.LEAD: (
        *_NAMES,
        Target("contact_email", ValueKind.EMAIL, many=True),
        Target("contact_phone", ValueKind.PHONE, many=True),
        Target("contact_telegram", ValueKind.TELEGRAM, many=True),
        Target("title"),
        Target("company"),
        Target("company_domain", ValueKind.DOMAIN),
        Target("stage", ValueKind.STAGE),
        Target("source"),
        Target("next_step", limit=1000),
        Target("lost_reason", limit=1000),
        *_COMMON,
    ),
    RecordKind.DEAL: (
        Target("name"),
        Target("amount", ValueKind.MONEY),
        Target("currency", ValueKind.CURRENCY),
        Target("stage", ValueKind.STAGE),
        Target("close_date", ValueKind.DATE),
        Target("company"),
        Target("company_domain", ValueKind.DOMAIN),
        Target("contact_email", ValueKind.EMAIL),
        Target("contact_phone", ValueKind.PHONE),
        Target("next_step", limit=1000),
        *_COMMON,
    ),
}
# Kinds of custom fields that a column can be made into.
NEW_FIELDS = ("text", "number", "money", "date", "boolean")


def target_of(kind: RecordKind, key: str) -> Target | None:
    return next((target for target in TARGETS[kind] if target.key == key), None)
