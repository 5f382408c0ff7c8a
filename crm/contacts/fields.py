"""What contacts can be listed, filtered and sorted by."""

from typing import LiteralString

from core.db import Tx
from core.filters import ValueKind
from core.sql import SEGMENT, Listing, Sort, column
from crm.custom_fields.queries import custom_columns
from events.ids import RecordKind

# The handle of a kind to use first: the primary one, else the oldest.
_EMAIL: LiteralString = """(SELECT h.value FROM contact_handles h
         WHERE h.organization_id = c.organization_id AND h.contact_id = c.id AND h.kind = 'email'
         ORDER BY h.is_primary DESC, h.created_at, h.id LIMIT 1)"""
_PHONE: LiteralString = """(SELECT h.value FROM contact_handles h
         WHERE h.organization_id = c.organization_id AND h.contact_id = c.id AND h.kind = 'phone'
         ORDER BY h.is_primary DESC, h.created_at, h.id LIMIT 1)"""
_TELEGRAM: LiteralString = """(SELECT h.value FROM contact_handles h
         WHERE h.organization_id = c.organization_id AND h.contact_id = c.id AND h.kind = 'telegram_username'
         ORDER BY h.is_primary DESC, h.created_at, h.id LIMIT 1)"""
_COLUMNS = (
    column("id", ValueKind.RECORD, "c.id", is_nullable=False),
    column("name", ValueKind.TEXT, "c.name", is_nullable=False),
    column("title", ValueKind.TEXT, "c.title", is_nullable=False),
    column("company", ValueKind.TEXT, "o.name"),
    column("company_id", ValueKind.RECORD, "c.company_id"),
    column("email", ValueKind.TEXT, _EMAIL),
    column("phone", ValueKind.TEXT, _PHONE),
    column("telegram", ValueKind.TEXT, _TELEGRAM),
    column(
        "handles",
        ValueKind.TEXT,
        """(SELECT string_agg(h.value, ' ') FROM contact_handles h
             WHERE h.organization_id = c.organization_id AND h.contact_id = c.id)""",
        is_sortable=False,
    ),
    column("language", ValueKind.CHOICE, "c.language", is_nullable=False),
    column("time_zone", ValueKind.TEXT, "c.time_zone"),
    column("note", ValueKind.TEXT, "c.note", is_sortable=False),
    column("owner_id", ValueKind.RECORD, "c.owner_id"),
    column(
        "owner_team",
        ValueKind.CHOICES,
        """ARRAY(SELECT t.team_id::text FROM team_members t
                  WHERE t.organization_id = c.organization_id AND t.member_id = c.owner_id)""",
        only_asked=True,
    ),
    column("bidi_id", ValueKind.RECORD, "c.bidi_id"),
    column(
        "tags",
        ValueKind.CHOICES,
        """ARRAY(SELECT r.tag_id::text FROM record_tags r
                  WHERE r.organization_id = c.organization_id AND r.record_kind = 'contact' AND r.record_id = c.id)""",
    ),
    column("is_suppressed", ValueKind.BOOLEAN, "(c.suppressed_at IS NOT NULL)", is_nullable=False),
    column("last_message_at", ValueKind.MOMENT, "c.last_message_at"),
    column("created_at", ValueKind.MOMENT, "c.created_at", is_nullable=False),
    column("updated_at", ValueKind.MOMENT, "c.updated_at", is_nullable=False),
    column("company_city", ValueKind.TEXT, "o.city"),
    column("company_country", ValueKind.TEXT, "o.country"),
    column("company_industry", ValueKind.TEXT, "o.industry"),
    column("company_employees", ValueKind.NUMBER, "o.employees"),
    SEGMENT,
)
# What a reader looks through who types a word over the list.
SEARCHED = ("name", "title", "company", "handles")
CONTACTS = Listing(
    select="""
SELECT c.id, c.name, c.title, c.company_id, c.language, c.time_zone, c.note, c.suppressed_at, c.suppressed_reason,
       c.telegram_consent, c.owner_id, c.bidi_id, c.custom, c.created_at, c.updated_at, c.deleted_at,
       c.merged_into_id, c.version, c.last_message_at, o.name AS company_name, m.name AS owner_name, b.name AS bidi_name,
       """
    + _EMAIL
    + """ AS email,
       """
    + _PHONE
    + """ AS phone,
       """
    + _TELEGRAM
    + """ AS telegram""",
    source="""contacts c
  LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
  LEFT JOIN members m ON m.organization_id = c.organization_id AND m.id = c.owner_id
  LEFT JOIN bidi b ON b.organization_id = c.organization_id AND b.id = c.bidi_id""",
    where="c.deleted_at IS NULL",
    id="c.id",
    columns={column.name: column for column in _COLUMNS},
    default_sort=(Sort("name"),),
)


async def contact_listing(tx: Tx) -> Listing:
    """Contacts with the organization's own fields."""
    return CONTACTS.with_columns(await custom_columns(tx, RecordKind.CONTACT, "c.custom"))
