"""When a question comes up again, and whose turn it is to answer it.

Lock order: approval, then tool call. A draft is put off on the draft, which has a version; giving it away changes nothing
that it says, so that both kinds are given away here.
"""

from datetime import datetime

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from crm.approvals import actions as approvals
from crm.approvals import queries
from crm.approvals.actions import UNSNOOZE
from crm.approvals.models import Approval, ApprovalKind, ApprovalStatus, ToolApproval
from crm.identity.queries import list_members
from events import due
from events.ids import ApprovalId, ConversationId, UserId
from events.outbox import emit
from events.types import ApprovalAssigned, ApprovalEscalated, ApprovalReturned, ApprovalSnoozed


async def snooze_call(tx: Tx, approval_id: ApprovalId, *, until: datetime) -> ToolApproval:
    """Put the decision about a tool call off until a time.

    Raises:
        NotFound: no such approval.
        Forbidden: the principal may not decide.
        Conflict: decided already, or about a draft.
        Unprocessable: the time has passed, or the question expires before it.
    """
    approval = await _lock_open(tx, approval_id)
    if approval.kind is not ApprovalKind.TOOL_CALL:
        raise Conflict("This approval is about a draft; put the draft off instead.")
    if until <= clock.now():
        raise Unprocessable("The time to come back lies in the past; choose a later one.", field="until")
    if approval.due_at is not None and until >= approval.due_at:
        raise Unprocessable("The question expires before that time; choose an earlier one.", field="until")
    await approvals.snooze(tx, approval, until)
    await due.schedule(tx, UNSNOOZE, approval_id, until)
    card = await queries.get_tool_approval(tx, approval_id)
    await emit(tx, ApprovalSnoozed(card.conversation_id, approval_id))
    return card


async def return_call(tx: Tx, approval_id: ApprovalId) -> None:
    """The time of a snoozed question about a tool call has come; nothing happens to one that was decided meanwhile."""
    approval = await queries.lock_approval(tx, approval_id)
    if approval.snoozed_until is None or approval.status is not ApprovalStatus.OPEN:
        return
    await approvals.snooze(tx, approval, None)
    card = await queries.get_tool_approval(tx, approval_id)
    await emit(tx, ApprovalReturned(card.conversation_id, approval_id))


async def assign_approval(tx: Tx, approval_id: ApprovalId, assignee_id: UserId | None) -> Approval:
    """Say who of the colleagues should decide, or with None that anybody may. It stays open to all approvers.

    Raises:
        NotFound: no such approval.
        Forbidden: the principal may not decide.
        Conflict: decided already.
        Unprocessable: nobody here has this id, or they may not decide.
    """
    approval = await _lock_open(tx, approval_id)
    if assignee_id is not None:
        await _require_decider(tx, assignee_id, approval.scope)
    if approval.assignee_id == assignee_id:
        return approval
    await tx.execute(
        "UPDATE approvals SET assignee_id = %(assignee_id)s WHERE id = %(approval_id)s",
        assignee_id=assignee_id,
        approval_id=approval_id,
    )
    event = ApprovalAssigned(await _conversation_of(tx, approval_id), approval_id)
    await emit(tx, event, changes={"assignee_id": (approval.assignee_id, assignee_id)})
    return await queries.get_approval(tx, approval_id)


async def escalate_approval(tx: Tx, approval_id: ApprovalId) -> None:
    """The question expires soon, or a reply waits for long: those who answer for it hear of that.

    Nothing happens to one that was decided.
    """
    approval = await queries.lock_approval(tx, approval_id)
    if approval.status is ApprovalStatus.OPEN:
        await emit(tx, ApprovalEscalated(await _conversation_of(tx, approval_id), approval_id))


async def _lock_open(tx: Tx, approval_id: ApprovalId) -> Approval:
    approval = await queries.lock_approval(tx, approval_id)
    approvals.require_approver(tx)
    if approval.status is not ApprovalStatus.OPEN:
        raise Conflict(f"This is already {approval.status}; nothing more was done.", state=approval.status)
    return approval


async def _require_decider(tx: Tx, user_id: UserId, scope: str) -> None:
    member = next((one for one in await list_members(tx) if one.user_id == user_id), None)
    if member is None:
        raise Unprocessable(
            "There is no such member; choose somebody of the organization.", field="assignee_id"
        )
    if not (member.may("drafts:approve") and member.may(scope)):
        raise Unprocessable(
            f"{member.name} may not decide about this; choose somebody else.", field="assignee_id"
        )


async def _conversation_of(tx: Tx, approval_id: ApprovalId) -> ConversationId | None:
    """The thread of the draft, or the one that the asking run serves."""
    found = await tx.value(
        """
        SELECT coalesce(d.conversation_id, r.conversation_id)
          FROM approvals a
          LEFT JOIN drafts d ON (d.organization_id, d.id) = (a.organization_id, a.draft_id)
          LEFT JOIN runs r ON (r.organization_id, r.id) = (a.organization_id, a.run_id)
         WHERE a.id = %(approval_id)s
        """,
        approval_id=approval_id,
    )
    return ConversationId(found) if found else None
