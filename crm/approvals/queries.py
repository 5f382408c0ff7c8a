"""Reading approvals."""

from core.db import Tx
from crm.approvals.models import Approval
from events.ids import ApprovalId, DraftId


async def get_approval(tx: Tx, approval_id: ApprovalId) -> Approval:
    """Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, draft_id, status, content_hash, why, assignee_id, snoozed_until, due_at
          FROM approvals
         WHERE id = %(approval_id)s
        """,
        approval_id=approval_id,
    )


async def get_approval_of(tx: Tx, draft_id: DraftId) -> Approval:
    """The approval of a draft, under a row lock. Raises: NotFound."""
    return await tx.one(
        Approval,
        """
        SELECT id, draft_id, status, content_hash, why, assignee_id, snoozed_until, due_at
          FROM approvals
         WHERE draft_id = %(draft_id)s
           FOR UPDATE
        """,
        draft_id=draft_id,
    )
