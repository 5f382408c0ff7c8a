"""What tasks can be listed, filtered and counted by."""

from core.filters import ValueKind
from core.sql import Listing, Sort, column

_COLUMNS = (
    column("id", ValueKind.RECORD, "t.id", is_nullable=False),
    column("title", ValueKind.TEXT, "t.title", is_nullable=False),
    column(
        "status",
        ValueKind.CHOICE,
        "CASE WHEN t.done_at IS NULL THEN 'open' ELSE 'done' END",
        is_nullable=False,
    ),
    column("priority", ValueKind.CHOICE, "t.priority", is_nullable=False),
    column("assignee_id", ValueKind.RECORD, "t.assignee_id"),
    column("record_kind", ValueKind.CHOICE, "t.record_kind"),
    column("record_id", ValueKind.RECORD, "t.record_id"),
    column("due_at", ValueKind.MOMENT, "t.due_at"),
    column("done_at", ValueKind.MOMENT, "t.done_at"),
    column("created_at", ValueKind.MOMENT, "t.created_at", is_nullable=False),
)
TASKS = Listing(
    select="""
SELECT t.id, t.title, t.description, t.record_kind, t.record_id, t.assignee_id, t.priority, t.due_at, t.remind_at,
       t.done_at, t.created_by_kind, t.created_by_id, t.run_id, t.created_at, t.removed_at, t.version""",
    source="tasks t",
    where="t.removed_at IS NULL",
    id="t.id",
    columns={column.name: column for column in _COLUMNS},
    default_sort=(Sort("due_at"),),
)
