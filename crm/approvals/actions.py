"""Asking people and taking their decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import clock, jsons
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.approvals.models import Approval, ApprovalStatus
from events import due
from events.ids import ApprovalId, BidiId, DraftId, RunId
from events.outbox import emit
from events.types import ApprovalDecided, ApprovalRequested

EXPIRE = "approval.expire"
ESCALATE = "approval.escalate"
# How long before a question expires those who answer for it hear of that.
LEFT = timedelta(days=1)
# How long a reply waits for a person before they hear of it: a draft does not expire, but somebody waits for it outside.
DRAFT_WAITS = timedelta(days=1)
UNSNOOZE = "approval.return"


async def request_approval(tx: Tx, draft_id: DraftId, *, content_hash: str, why: list[str]) -> ApprovalId:
    """Ask people to decide about exactly this content; `why` lists the reasons as codes. Unanswered it escalates."""
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
    await due.schedule(tx, ESCALATE, approval_id, clock.now() + DRAFT_WAITS)
    await emit(tx, ApprovalRequested(approval_id))
    return approval_id


@dataclass(frozen=True)
class AskedCall:
    """A tool call that waits for a person; `content_hash` binds the tool, its arguments and the run."""

    tool_call_id: UUID
    run_id: RunId
    bidi_id: BidiId
    content_hash: str
    scope: str
    why: tuple[str, ...]
    records: Sequence[Mapping[str, object]] = ()
    marks: Sequence[Mapping[str, object]] = ()
    assignee_id: UUID | None = None


async def request_call_approval(tx: Tx, call: AskedCall, *, due_at: datetime) -> ApprovalId:
    """Ask people whether exactly this call may be made; unanswered it expires."""
    approval_id = ApprovalId(uuid7())
    await tx.execute(
        """
        INSERT INTO approvals (organization_id, id, kind, tool_call_id, run_id, bidi_id, content_hash, scope, why,
                               records, marks, assignee_id, due_at)
        VALUES (%(organization_id)s, %(id)s, 'tool_call', %(tool_call_id)s, %(run_id)s, %(bidi_id)s, %(content_hash)s,
                %(scope)s, %(why)s, %(records)s::jsonb, %(marks)s::jsonb, %(assignee_id)s, %(due_at)s)
        """,
        organization_id=tx.organization_id,
        id=approval_id,
        tool_call_id=call.tool_call_id,
        run_id=call.run_id,
        bidi_id=call.bidi_id,
        content_hash=call.content_hash,
        scope=call.scope,
        why=list(call.why),
        records=jsons.dumps(call.records),
        marks=jsons.dumps(call.marks),
        assignee_id=call.assignee_id,
        due_at=due_at,
    )
    await due.schedule(tx, EXPIRE, approval_id, due_at)
    await due.schedule(tx, ESCALATE, approval_id, due_at - LEFT)
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
        raise Conflict("Somebody else has decided about this already; reload to see how.")
    await due.cancel(tx, ESCALATE, approval.id)
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
    await due.schedule(tx, ESCALATE, approval.id, clock.now() + DRAFT_WAITS)


async def snooze(tx: Tx, approval: Approval, until: datetime | None) -> None:
    """Hide an open approval until a time; None brings it back."""
    await tx.execute(
        "UPDATE approvals SET snoozed_until = %(until)s WHERE id = %(approval_id)s",
        until=until,
        approval_id=approval.id,
    )
