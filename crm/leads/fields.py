"""What leads can be listed, filtered and sorted by."""

from core.db import Tx
from core.filters import ValueKind
from core.sql import SEGMENT, Listing, Sort, column

_COLUMNS = (
    column("id", ValueKind.RECORD, "l.id", is_nullable=False),
    column("contact", ValueKind.TEXT, "c.name", is_nullable=False),
    column("contact_id", ValueKind.RECORD, "l.contact_id", is_nullable=False),
    column("company", ValueKind.TEXT, "o.name"),
    column("company_id", ValueKind.RECORD, "c.company_id"),
    column("pipeline_id", ValueKind.RECORD, "l.pipeline_id", is_nullable=False),
    column("stage_id", ValueKind.RECORD, "l.stage_id", is_nullable=False),
    column("stage", ValueKind.TEXT, "s.name", is_nullable=False),
    column("stage_position", ValueKind.NUMBER, "s.position"),
    column("outcome", ValueKind.CHOICE, "s.outcome", is_nullable=False),
    column("stage_entered_at", ValueKind.MOMENT, "l.stage_entered_at", is_nullable=False),
    column("owner_id", ValueKind.RECORD, "l.owner_id"),
    column(
        "owner_team",
        ValueKind.CHOICES,
        """ARRAY(SELECT t.team_id::text FROM team_members t
                  WHERE t.organization_id = l.organization_id AND t.member_id = l.owner_id)""",
        only_asked=True,
    ),
    column("bidi_id", ValueKind.RECORD, "l.bidi_id"),
    column("source", ValueKind.TEXT, "l.source", is_nullable=False),
    column("next_step", ValueKind.TEXT, "l.next_step", is_nullable=False),
    column("lost_reason", ValueKind.TEXT, "l.lost_reason", is_nullable=False),
    column("is_converted", ValueKind.BOOLEAN, "(l.converted_at IS NOT NULL)", is_nullable=False),
    column(
        "tags",
        ValueKind.CHOICES,
        """ARRAY(SELECT r.tag_id::text FROM record_tags r
                  WHERE r.organization_id = l.organization_id AND r.record_kind = 'lead' AND r.record_id = l.id)""",
    ),
    column("closed_at", ValueKind.MOMENT, "l.closed_at"),
    column("created_at", ValueKind.MOMENT, "l.created_at", is_nullable=False),
    column("updated_at", ValueKind.MOMENT, "l.updated_at", is_nullable=False),
    SEGMENT,
)
# What a reader looks through who types a word over the list.
SEARCHED = ("contact", "company", "source", "next_step")
LEADS = Listing(
    select="""
SELECT l.id, l.contact_id, c.name AS contact, l.pipeline_id, l.stage_id, s.name AS stage, s.outcome,
       l.stage_entered_at, l.owner_id, l.bidi_id, l.source, l.next_step, l.lost_reason, l.converted_at, l.closed_at,
       l.created_at, l.updated_at, l.deleted_at, l.version, c.title, c.company_id, o.name AS company_name,
       m.name AS owner_name, b.name AS bidi_name, p.name AS pipeline""",
    source="""leads l
  JOIN contacts c ON c.organization_id = l.organization_id AND c.id = l.contact_id
  JOIN stages s ON s.organization_id = l.organization_id AND s.id = l.stage_id
  JOIN pipelines p ON p.organization_id = l.organization_id AND p.id = l.pipeline_id
  LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
  LEFT JOIN members m ON m.organization_id = l.organization_id AND m.id = l.owner_id
  LEFT JOIN bidi b ON b.organization_id = l.organization_id AND b.id = l.bidi_id""",
    where="l.deleted_at IS NULL",
    id="l.id",
    columns={column.name: column for column in _COLUMNS},
    default_sort=(Sort("updated_at", is_descending=True),),
)


async def lead_listing(tx: Tx) -> Listing:
    """As other nouns have theirs; leads have no fields of the organization's own."""
    return LEADS
