"""Reading approvals."""

from core import clock
from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.approvals.models import Approval, ApprovalStatus
from events.ids import ApprovalId, DraftId


async def get_approval(tx: Tx, approval_id: ApprovalId) -> Approval:
    """Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, draft_id, status, content_hash, why, assignee_id, snoozed_until, due_at, decided_by, decided_at,
               reason
          FROM approvals
         WHERE id = %(approval_id)s
        """,
        approval_id=approval_id,
    )


async def list_approvals(
    tx: Tx,
    *,
    status: ApprovalStatus | None = None,
    is_snoozed: bool | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Approval]:
    """Approvals, the newest first; `is_snoozed` keeps those that are put off, or those that are not."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        Approval,
        """
        SELECT id, draft_id, status, content_hash, why, assignee_id, snoozed_until, due_at, decided_by, decided_at,
               reason
          FROM approvals
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(is_snoozed)s::bool IS NULL OR coalesce(snoozed_until > %(now)s, false) = %(is_snoozed)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        status=status,
        is_snoozed=is_snoozed,
        now=clock.now(),
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda approval: encode_cursor(approval.id))


async def get_approval_of(tx: Tx, draft_id: DraftId) -> Approval:
    """The approval of a draft, under a row lock. Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, draft_id, status, content_hash, why, assignee_id, snoozed_until, due_at, decided_by, decided_at,
               reason
          FROM approvals
         WHERE draft_id = %(draft_id)s
           FOR UPDATE
        """,
        draft_id=draft_id,
    )
