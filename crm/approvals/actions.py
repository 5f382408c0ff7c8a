"""Asking people and taking their decision."""

from datetime import datetime

from core import clock
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.approvals.models import Approval, ApprovalStatus
from events.ids import ApprovalId, DraftId
from events.outbox import emit
from events.types import ApprovalDecided, ApprovalRequested


async def request_approval(tx: Tx, draft_id: DraftId, *, content_hash: str, why: list[str]) -> ApprovalId:
    """Ask people to decide about exactly this content; `why` lists the reasons as codes."""
    approval_id = ApprovalId(uuid7())
    await tx.execute(
        """
        INSERT INTO approvals (organization_id, id, draft_id, content_hash, why)
        VALUES (%(organization_id)s, %(id)s, %(draft_id)s, %(content_hash)s, %(why)s)
        """,
        organization_id=tx.organization_id,
        id=approval_id,
        draft_id=draft_id,
        content_hash=content_hash,
        why=why,
    )
    await emit(tx, ApprovalRequested(approval_id))
    return approval_id


def require_approver(tx: Tx) -> None:
    """Raises: Forbidden when the principal may not decide."""
    tx.principal.require("drafts:approve")


async def rebind(tx: Tx, approval: Approval, content_hash: str) -> None:
    """The content was edited by an approver; the question is now about the new content."""
    await tx.execute(
        "UPDATE approvals SET content_hash = %(content_hash)s WHERE id = %(approval_id)s",
        content_hash=content_hash,
        approval_id=approval.id,
    )


async def decide(tx: Tx, approval: Approval, status: ApprovalStatus, *, reason: str = "") -> None:
    """Close an open approval. Raises: Conflict when somebody decided before."""
    decided = await tx.execute(
        """
        UPDATE approvals
           SET status = %(status)s, decided_by = %(decided_by)s, decided_at = %(now)s, reason = %(reason)s,
               snoozed_until = NULL
         WHERE id = %(approval_id)s
           AND status = 'open'
        """,
        status=status,
        decided_by=tx.principal.id,
        now=clock.now(),
        reason=reason,
        approval_id=approval.id,
    )
    if not decided:
        raise Conflict("Somebody else has decided about this draft already; reload to see how.")
    await emit(tx, ApprovalDecided(approval.id))


async def reopen(tx: Tx, approval: Approval) -> None:
    """A scheduled send was cancelled: the question is open again."""
    await tx.execute(
        """
        UPDATE approvals
           SET status = 'open', decided_by = NULL, decided_at = NULL
         WHERE id = %(approval_id)s
           AND status = 'approved'
        """,
        approval_id=approval.id,
    )


async def snooze(tx: Tx, approval: Approval, until: datetime | None) -> None:
    """Hide an open approval until a time; None brings it back."""
    await tx.execute(
        "UPDATE approvals SET snoozed_until = %(until)s WHERE id = %(approval_id)s",
        until=until,
        approval_id=approval.id,
    )
