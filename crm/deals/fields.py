"""What deals can be listed, filtered and sorted by."""

from core.db import Tx
from core.filters import ValueKind
from core.sql import SEGMENT, Listing, Sort, column
from crm.custom_fields.queries import custom_columns
from events.ids import RecordKind

_COLUMNS = (
    column("id", ValueKind.RECORD, "d.id", is_nullable=False),
    column("name", ValueKind.TEXT, "d.name", is_nullable=False),
    column("company", ValueKind.TEXT, "o.name"),
    column("company_id", ValueKind.RECORD, "d.company_id"),
    column("contact", ValueKind.TEXT, "c.name"),
    column("contact_id", ValueKind.RECORD, "d.contact_id"),
    column("lead_id", ValueKind.RECORD, "d.lead_id"),
    column("pipeline_id", ValueKind.RECORD, "d.pipeline_id", is_nullable=False),
    column("stage_id", ValueKind.RECORD, "d.stage_id", is_nullable=False),
    column("stage", ValueKind.TEXT, "s.name", is_nullable=False),
    column("stage_position", ValueKind.NUMBER, "s.position"),
    column("outcome", ValueKind.CHOICE, "s.outcome", is_nullable=False),
    column("stage_entered_at", ValueKind.MOMENT, "d.stage_entered_at", is_nullable=False),
    column("amount", ValueKind.MONEY, "d.amount_minor", is_nullable=False),
    column("currency", ValueKind.CHOICE, "d.currency::text", is_nullable=False),
    column("probability", ValueKind.NUMBER, "coalesce(d.probability, s.probability)", is_nullable=False),
    column("close_date", ValueKind.DATE, "d.close_date"),
    column("next_step", ValueKind.TEXT, "d.next_step", is_nullable=False),
    column("lost_reason", ValueKind.TEXT, "d.lost_reason", is_nullable=False),
    column("owner_id", ValueKind.RECORD, "d.owner_id"),
    column(
        "owner_team",
        ValueKind.CHOICES,
        """ARRAY(SELECT t.team_id::text FROM team_members t
                  WHERE t.organization_id = d.organization_id AND t.member_id = d.owner_id)""",
        only_asked=True,
    ),
    column("bidi_id", ValueKind.RECORD, "d.bidi_id"),
    column(
        "stakeholder_id",
        ValueKind.CHOICES,
        """ARRAY(SELECT k.contact_id::text FROM deal_stakeholders k
                  WHERE k.organization_id = d.organization_id AND k.deal_id = d.id)""",
    ),
    column(
        "tags",
        ValueKind.CHOICES,
        """ARRAY(SELECT r.tag_id::text FROM record_tags r
                  WHERE r.organization_id = d.organization_id AND r.record_kind = 'deal' AND r.record_id = d.id)""",
    ),
    column("closed_at", ValueKind.MOMENT, "d.closed_at"),
    column("created_at", ValueKind.MOMENT, "d.created_at", is_nullable=False),
    column("updated_at", ValueKind.MOMENT, "d.updated_at", is_nullable=False),
    SEGMENT,
)
# What a reader looks through who types a word over the list.
SEARCHED = ("name", "company", "contact", "next_step")
DEALS = Listing(
    select="""
SELECT d.id, d.name, d.company_id, d.contact_id, d.lead_id, d.stage_id, d.pipeline_id, s.name AS stage, s.outcome,
       d.stage_entered_at, d.amount_minor, d.currency, d.probability, s.probability AS stage_probability,
       d.close_date, d.next_step, d.lost_reason, d.owner_id, d.bidi_id, d.custom, d.closed_at, d.created_at,
       d.updated_at, d.deleted_at, d.version, o.name AS company_name, c.name AS contact_name, m.name AS owner_name,
       b.name AS bidi_name, p.name AS pipeline""",
    source="""deals d
  JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
  JOIN pipelines p ON p.organization_id = d.organization_id AND p.id = d.pipeline_id
  LEFT JOIN companies o ON o.organization_id = d.organization_id AND o.id = d.company_id
  LEFT JOIN contacts c ON c.organization_id = d.organization_id AND c.id = d.contact_id
  LEFT JOIN members m ON m.organization_id = d.organization_id AND m.id = d.owner_id
  LEFT JOIN bidi b ON b.organization_id = d.organization_id AND b.id = d.bidi_id""",
    where="d.deleted_at IS NULL",
    id="d.id",
    columns={column.name: column for column in _COLUMNS},
    default_sort=(Sort("updated_at", is_descending=True),),
)


async def deal_listing(tx: Tx) -> Listing:
    """Deals with the organization's own fields."""
    return DEALS.with_columns(await custom_columns(tx, RecordKind.DEAL, "d.custom"))
