"""What tags can be listed, filtered and sorted by."""

from core.filters import ValueKind
from core.sql import Listing, Sort, column

TAGS = Listing(
    select="""
SELECT t.id, t.name, t.tint, t.version,
       (SELECT count(*) FROM record_tags r
         WHERE r.organization_id = t.organization_id AND r.tag_id = t.id) AS records""",
    source="tags t",
    where="TRUE",
    id="t.id",
    columns={
        one.name: one
        for one in (
            column("id", ValueKind.RECORD, "t.id", is_nullable=False),
            column("name", ValueKind.TEXT, "t.name", is_nullable=False),
            column("plain_name", ValueKind.TEXT, "t.plain_name", is_nullable=False),
            column("tint", ValueKind.NUMBER, "t.tint", is_nullable=False),
            column(
                "records",
                ValueKind.NUMBER,
                """(SELECT count(*) FROM record_tags r
                     WHERE r.organization_id = t.organization_id AND r.tag_id = t.id)""",
                is_nullable=False,
            ),
            column("created_at", ValueKind.MOMENT, "t.created_at", is_nullable=False),
        )
    },
    default_sort=(Sort("plain_name"),),
)
