"""The queue of what waits for a decision, drafts and tool calls alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock
from core.db import Tx
from crm.approvals.models import ApprovalKind, ApprovalStatus
from events.ids import ApprovalId, ConversationId, DraftId

QUEUES = ("waiting", "snoozed", "decided")
LIMIT = 100


@dataclass(frozen=True)
class QueueRow:
    """One line; `marks` counts what a person should look at first, `text` is the draft's."""

    id: ApprovalId
    kind: ApprovalKind
    status: ApprovalStatus
    created_at: datetime
    assignee_id: UUID | None
    assignee_name: str
    snoozed_until: datetime | None
    decided_at: datetime | None
    draft_id: DraftId | None
    conversation_id: ConversationId | None
    contact_id: UUID | None
    contact_name: str
    language: str
    bidi_name: str
    is_paused: bool
    text: str
    marks: int
    is_edited: bool
    tool: str
    records: list[dict[str, Any]]


async def list_queue(tx: Tx, queue: str, *, limit: int = LIMIT) -> list[QueueRow]:
    """What waits, the oldest first; what is put off; or what was decided, the latest first."""
    tx.principal.require("conversations:read")
    return await tx.all(
        QueueRow,
        """
        SELECT a.id, a.kind, a.status, a.created_at, a.assignee_id, coalesce(w.name, '') AS assignee_name,
               a.snoozed_until, a.decided_at, a.draft_id, v.id AS conversation_id,
               c.id AS contact_id, coalesce(c.name, '') AS contact_name,
               coalesce(d.language, c.language, 'en') AS language, coalesce(b.name, '') AS bidi_name,
               coalesce(b.is_paused, false) AS is_paused,
               coalesce(left(d.body, 200), '') AS text,
               CASE WHEN a.kind = 'draft' THEN CASE WHEN d.checked_by IS NULL THEN jsonb_array_length(d.flags) ELSE 0 END
                    ELSE (SELECT count(*)
                            FROM jsonb_array_elements(a.marks) AS mark
                           WHERE mark ->> 'kind' <> 'unsourced_value')
                END AS marks,
               d.edited_by IS NOT NULL AS is_edited, coalesce(t.tool, '') AS tool, a.records
          FROM approvals a
          LEFT JOIN drafts d ON (d.organization_id, d.id) = (a.organization_id, a.draft_id)
          LEFT JOIN tool_calls t ON (t.organization_id, t.id) = (a.organization_id, a.tool_call_id)
          LEFT JOIN runs r ON (r.organization_id, r.id) = (a.organization_id, a.run_id)
          LEFT JOIN conversations v
                 ON (v.organization_id, v.id) = (a.organization_id, coalesce(d.conversation_id, r.conversation_id))
          LEFT JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
          LEFT JOIN bidi b ON (b.organization_id, b.id) = (a.organization_id, coalesce(d.bidi_id, a.bidi_id))
          LEFT JOIN members w ON (w.organization_id, w.user_id) = (a.organization_id, a.assignee_id)
         WHERE CASE %(queue)s
                   WHEN 'waiting' THEN a.status = 'open' AND (a.snoozed_until IS NULL OR a.snoozed_until <= %(now)s)
                   WHEN 'snoozed' THEN a.status = 'open' AND a.snoozed_until > %(now)s
                   ELSE a.status IN ('approved', 'rejected', 'expired')
               END
         ORDER BY CASE WHEN %(queue)s = 'decided' THEN a.decided_at END DESC NULLS LAST, a.kind, a.id
         LIMIT %(limit)s
        """,
        queue=queue,
        now=clock.now(),
        limit=limit,
    )


@dataclass(frozen=True)
class QueueCounts:
    waiting: int
    snoozed: int


async def count_queue(tx: Tx) -> QueueCounts:
    """How much waits, and how much of it is put off."""
    return await tx.one(
        QueueCounts,
        """
        SELECT count(*) FILTER (WHERE snoozed_until IS NULL OR snoozed_until <= %(now)s) AS waiting,
               count(*) FILTER (WHERE snoozed_until > %(now)s) AS snoozed
          FROM approvals
         WHERE status = 'open'
        """,
        now=clock.now(),
    )
