"""What custom fields can be listed, filtered and sorted by."""

from core.filters import ValueKind
from core.sql import Listing, Sort, column

FIELDS = Listing(
    select="""
SELECT f.id, f.record_kind, f.key, f.label, f.kind, f.choices, f.target_kind, f.currency, f.is_required, f.position,
       f.archived_at, f.version""",
    source="custom_fields f",
    where="TRUE",
    id="f.id",
    columns={
        one.name: one
        for one in (
            column("id", ValueKind.RECORD, "f.id", is_nullable=False),
            column("record_kind", ValueKind.CHOICE, "f.record_kind", is_nullable=False),
            column("key", ValueKind.TEXT, "f.key", is_nullable=False),
            column("label", ValueKind.TEXT, "f.label", is_nullable=False),
            column("kind", ValueKind.CHOICE, "f.kind", is_nullable=False),
            column("is_required", ValueKind.BOOLEAN, "f.is_required", is_nullable=False),
            column("is_archived", ValueKind.BOOLEAN, "(f.archived_at IS NOT NULL)", is_nullable=False),
            column("position", ValueKind.NUMBER, "f.position", is_nullable=False),
        )
    },
    default_sort=(Sort("record_kind"), Sort("position")),
)
