"""What meetings can be listed, filtered and counted by."""

from core.filters import ValueKind
from core.sql import Listing, Sort, column

_COLUMNS = (
    column("id", ValueKind.RECORD, "g.id", is_nullable=False),
    column("title", ValueKind.TEXT, "g.title", is_nullable=False),
    column("status", ValueKind.CHOICE, "g.status", is_nullable=False),
    column("starts_at", ValueKind.MOMENT, "g.starts_at", is_nullable=False),
    column(
        "minutes", ValueKind.NUMBER, "extract(epoch FROM g.ends_at - g.starts_at) / 60", is_nullable=False
    ),
    column("record_kind", ValueKind.CHOICE, "g.record_kind"),
    column("record_id", ValueKind.RECORD, "g.record_id"),
    column(
        "member_id",
        ValueKind.CHOICES,
        """ARRAY(SELECT a.member_id::text FROM meeting_members a
                  WHERE a.organization_id = g.organization_id AND a.meeting_id = g.id)""",
    ),
    column(
        "contact_id",
        ValueKind.CHOICES,
        """ARRAY(SELECT a.contact_id::text FROM meeting_contacts a
                  WHERE a.organization_id = g.organization_id AND a.meeting_id = g.id)""",
    ),
    column("created_at", ValueKind.MOMENT, "g.created_at", is_nullable=False),
)
MEETINGS = Listing(
    select="SELECT g.id",
    source="meetings g",
    where="g.removed_at IS NULL",
    id="g.id",
    columns={column.name: column for column in _COLUMNS},
    default_sort=(Sort("starts_at"),),
)
