"""What companies can be listed, filtered and sorted by."""

from core.db import Tx
from core.filters import ValueKind
from core.sql import SEGMENT, Listing, Sort, column
from crm.custom_fields.queries import custom_columns
from events.ids import RecordKind

_COLUMNS = (
    column("id", ValueKind.RECORD, "c.id", is_nullable=False),
    column("name", ValueKind.TEXT, "c.name", is_nullable=False),
    column("domain", ValueKind.TEXT, "c.domain"),
    column("city", ValueKind.TEXT, "c.city", is_nullable=False),
    column("country", ValueKind.TEXT, "c.country", is_nullable=False),
    column("industry", ValueKind.TEXT, "c.industry", is_nullable=False),
    column("phone", ValueKind.TEXT, "c.phone", is_nullable=False),
    column("employees", ValueKind.NUMBER, "c.employees"),
    column("about", ValueKind.TEXT, "c.about", is_sortable=False),
    column("owner_id", ValueKind.RECORD, "c.owner_id"),
    column(
        "owner_team",
        ValueKind.CHOICES,
        """ARRAY(SELECT t.team_id::text FROM team_members t
                  WHERE t.organization_id = c.organization_id AND t.member_id = c.owner_id)""",
        only_asked=True,
    ),
    column(
        "tags",
        ValueKind.CHOICES,
        """ARRAY(SELECT r.tag_id::text FROM record_tags r
                  WHERE r.organization_id = c.organization_id AND r.record_kind = 'company' AND r.record_id = c.id)""",
    ),
    column(
        "contacts",
        ValueKind.NUMBER,
        """(SELECT count(*) FROM contacts p
             WHERE p.organization_id = c.organization_id AND p.company_id = c.id AND p.deleted_at IS NULL)""",
        is_nullable=False,
    ),
    column("created_at", ValueKind.MOMENT, "c.created_at", is_nullable=False),
    column("updated_at", ValueKind.MOMENT, "c.updated_at", is_nullable=False),
    SEGMENT,
)
# What a reader looks through who types a word over the list.
SEARCHED = ("name", "domain", "city")
COMPANIES = Listing(
    select="""
SELECT c.id, c.name, c.domain, c.city, c.country, c.industry, c.phone, c.employees, c.about, c.owner_id, c.custom,
       c.created_at, c.updated_at, c.deleted_at, c.merged_into_id, c.version, m.name AS owner_name,
       (SELECT count(*) FROM contacts p
         WHERE p.organization_id = c.organization_id AND p.company_id = c.id AND p.deleted_at IS NULL) AS contacts""",
    source="""companies c
  LEFT JOIN members m ON m.organization_id = c.organization_id AND m.id = c.owner_id""",
    where="c.deleted_at IS NULL",
    id="c.id",
    columns={column.name: column for column in _COLUMNS},
    default_sort=(Sort("name"),),
)


async def company_listing(tx: Tx) -> Listing:
    """Companies with the organization's own fields."""
    return COMPANIES.with_columns(await custom_columns(tx, RecordKind.COMPANY, "c.custom"))
