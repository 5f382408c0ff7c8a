"""Tool calls that wait for a person: asking, deciding, and what is carried out once somebody approved.

Lock order: approval, then tool call. docs/decisions/0016 says why a card outlives its run.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock, crypto, jsons
from core.db import Tx
from core.errors import Conflict, Forbidden
from core.principal import Principal, PrincipalKind
from crm.approvals import actions as approvals
from crm.approvals import queries as approval_queries
from crm.approvals.actions import EXPIRE, UNSNOOZE, AskedCall
from crm.approvals.models import Approval, ApprovalKind, ApprovalStatus, ToolApproval
from crm.identity.models import Role, member_principal
from crm.runs import tool_calls
from crm.runs.tool_calls import NewToolCall
from crm.runs.touched import Touched
from events import due
from events.ids import ApprovalId, BidiId, OrganizationId, RunId, SuggestionId, UserId
from events.outbox import emit
from events.types import ApprovalCarriedOut, ToolCalled, ToolDenied

WAITS = timedelta(days=7)


@dataclass(frozen=True)
class NewAsk:
    """A call to ask about; `scope` is what its tool needs, `marks` what a reviewer should look at first.

    `assignee_id` is the colleague whom the run answers, and who should decide.
    """

    run_id: RunId
    bidi_id: BidiId
    tool: str
    arguments: Mapping[str, Any]
    scope: str
    why: tuple[str, ...]
    records: tuple[Touched, ...]
    marks: tuple[Mapping[str, object], ...]
    assignee_id: UUID | None = None

    @property
    def content_hash(self) -> str:
        return crypto.content_hash(self.tool, jsons.dumps(self.arguments), str(self.run_id))


async def find_open_ask(tx: Tx, run_id: RunId, tool: str, arguments: object) -> ApprovalId | None:
    """The question about this very call of this run that nobody has answered yet, or None."""
    found = await tx.value(
        """
        SELECT a.id
          FROM tool_calls t
          JOIN approvals a ON (a.organization_id, a.tool_call_id) = (t.organization_id, t.id)
         WHERE t.run_id = %(run_id)s
           AND t.tool = %(tool)s
           AND t.arguments = %(arguments)s::jsonb
           AND t.status = 'asked'
           AND a.status = 'open'
         LIMIT 1
        """,
        run_id=run_id,
        tool=tool,
        arguments=jsons.dumps(arguments),
    )
    return ApprovalId(found) if found else None


async def ask_about_call(tx: Tx, tool_call_id: UUID, ask: NewAsk) -> ApprovalId:
    """Put a call before people; it is carried out when one of them approves, and expires after a week."""
    call = AskedCall(
        tool_call_id=tool_call_id,
        run_id=ask.run_id,
        bidi_id=ask.bidi_id,
        content_hash=ask.content_hash,
        scope=ask.scope,
        why=ask.why,
        records=[asdict(record) for record in ask.records],
        marks=ask.marks,
        assignee_id=ask.assignee_id,
    )
    return await approvals.request_call_approval(tx, call, due_at=clock.now() + WAITS)


async def approve_at_once(
    tx: Tx, call: NewToolCall, ask: NewAsk, *, suggestion_id: SuggestionId
) -> ApprovalId:
    """A person accepted a suggestion: record its call as asked about, and approved by them.

    It goes on as every approved call does. Who may accept, the suggestion knows.
    """
    call_id = await tool_calls.open_tool_call(tx, call)
    approval_id = await ask_about_call(tx, call_id, ask)
    told = {"approval_id": str(approval_id)}
    await tool_calls.settle_tool_call(tx, call_id, status="asked", result=told, error="", duration_ms=0)
    await tx.execute(
        "UPDATE approvals SET suggestion_id = %(suggestion_id)s WHERE id = %(approval_id)s",
        suggestion_id=suggestion_id,
        approval_id=approval_id,
    )
    await _decide(tx, await approval_queries.lock_approval(tx, approval_id), ApprovalStatus.APPROVED)
    return approval_id


async def approve_call(tx: Tx, approval_id: ApprovalId, *, is_checked: bool = False) -> ToolApproval:
    """Let an agent make the call that it asked about; a worker carries it out once this commits.

    `is_checked` says that the principal has looked at what is marked.

    Raises:
        NotFound: no such approval.
        Forbidden: the principal may not decide, or may not do this themselves.
        Conflict: decided already, about a draft, or something is marked and unchecked.
    """
    approval = await _load_for_decision(tx, approval_id)
    tx.principal.require(approval.scope)
    card = await approval_queries.get_tool_approval(tx, approval_id)
    if card.needs_check and not is_checked:
        raise Conflict("Something in this is marked and nobody has checked it; check it first.")
    await _decide(tx, approval, ApprovalStatus.APPROVED)
    return await approval_queries.get_tool_approval(tx, approval_id)


async def reject_call(tx: Tx, approval_id: ApprovalId, *, reason: str = "") -> ToolApproval:
    """Say no: the call is never made, and the run is refused it when it asks again. Raises: as `approve_call`."""
    approval = await _load_for_decision(tx, approval_id)
    await _decide(tx, approval, ApprovalStatus.REJECTED, reason)
    await _end(tx, approval, "A person rejected it." if not reason else f"A person rejected it: {reason}")
    return await approval_queries.get_tool_approval(tx, approval_id)


async def withdraw_call(tx: Tx, approval_id: ApprovalId, *, reason: str) -> None:
    """The agent takes its own question back.

    Raises:
        NotFound: no such question.
        Conflict: decided already, or about a draft.
        Forbidden: another seat's, or asked by this seat for another colleague.
    """
    approval = await _lock_open(tx, approval_id)
    card = await approval_queries.get_tool_approval(tx, approval_id)
    if card.bidi_id != tx.principal.id:
        raise Forbidden("This question is another seat's; only who asked it can take it back.")
    if tx.principal.behalf_of is not None and card.assignee_id != tx.principal.behalf_of:
        raise Forbidden("This question was asked for another colleague; only they can have it taken back.")
    await _decide(tx, approval, ApprovalStatus.WITHDRAWN, reason)
    await _end(tx, approval, f"Taken back: {reason}")


async def expire_call(tx: Tx, approval_id: ApprovalId) -> None:
    """Nobody has answered for too long: the call is not made. Nothing happens to what is decided."""
    approval = await approval_queries.lock_approval(tx, approval_id)
    if approval.status is ApprovalStatus.OPEN and approval.kind is ApprovalKind.TOOL_CALL:
        await approvals.decide(tx, approval, ApprovalStatus.EXPIRED)
        await _end(tx, approval, "Nobody decided about it in time.")


async def _load_for_decision(tx: Tx, approval_id: ApprovalId) -> Approval:
    approval = await _lock_open(tx, approval_id, check_state=False)
    approvals.require_approver(tx)
    _require_open(approval)
    return approval


async def _lock_open(tx: Tx, approval_id: ApprovalId, *, check_state: bool = True) -> Approval:
    approval = await approval_queries.lock_approval(tx, approval_id)
    if approval.kind is not ApprovalKind.TOOL_CALL:
        raise Conflict("This approval is about a draft; decide about the draft instead.")
    if check_state:
        _require_open(approval)
    return approval


def _require_open(approval: Approval) -> None:
    if approval.status is not ApprovalStatus.OPEN:
        raise Conflict(f"This is already {approval.status}; nothing more was done.", state=approval.status)


async def _decide(tx: Tx, approval: Approval, status: ApprovalStatus, reason: str = "") -> None:
    await approvals.decide(tx, approval, status, reason=reason)
    for kind in (EXPIRE, UNSNOOZE):
        await due.cancel(tx, kind, approval.id)


async def _end(tx: Tx, approval: Approval, why: str) -> None:
    """The call will not be made; to the run it is one that was refused."""
    if approval.tool_call_id is None:
        return
    call = await tool_calls.lock_tool_call(tx, approval.tool_call_id)
    told = {"code": "denied", "may_retry": False}
    await tool_calls.settle_tool_call(tx, call.id, status="refused", result=told, error=why, duration_ms=0)
    await emit(tx, ToolDenied(call.run_id, call.id))


@dataclass(frozen=True)
class ApprovedCall:
    """A call that a person approved, with who that was and what it was about when it was asked."""

    id: ApprovalId
    tool_call_id: UUID
    run_id: RunId
    bidi_id: BidiId
    decided_by: UserId
    role: Role | None
    records: list[dict[str, Any]]

    def approver(self, organization_id: UUID) -> Principal:
        """Whoever approved, with what they may do now; nothing, once they are no member any more."""
        if self.role is None:
            return Principal(PrincipalKind.USER, self.decided_by, organization_id)
        return member_principal(self.decided_by, OrganizationId(organization_id), self.role)


async def find_approved_call(tx: Tx, approval_id: ApprovalId) -> ApprovedCall | None:
    """What is to be carried out; None for the approval of a draft, and for one that is done, open or said no to."""
    return await tx.find(
        ApprovedCall,
        """
        SELECT a.id, a.tool_call_id, a.run_id, a.bidi_id, a.decided_by, m.role, a.records
          FROM approvals a
          JOIN tool_calls t ON (t.organization_id, t.id) = (a.organization_id, a.tool_call_id)
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (a.organization_id, a.decided_by)
         WHERE a.id = %(approval_id)s
           AND a.status = 'approved'
           AND t.status IN ('asked', 'running')
        """,
        approval_id=approval_id,
    )


async def follow_version(tx: Tx, run_id: RunId, record: Touched, before: int) -> None:
    """Let the calls of a run that still wait, and were asked about a record at `before`, be about it as it is now."""
    await tx.execute(
        """
        UPDATE approvals
           SET records = (SELECT jsonb_agg(CASE WHEN (r.value ->> 'kind', r.value ->> 'id', r.value ->> 'version')
                                                     = (%(kind)s, %(id)s, %(before)s)
                                                THEN jsonb_set(r.value, '{version}', to_jsonb(%(version)s::int))
                                                ELSE r.value
                                           END ORDER BY r.place)
                            FROM jsonb_array_elements(records) WITH ORDINALITY AS r (value, place))
         WHERE run_id = %(run_id)s
           AND kind = 'tool_call'
           AND status IN ('open', 'approved')
           AND records <> '[]'
        """,
        run_id=run_id,
        kind=record.kind,
        id=str(record.id),
        before=str(before),
        version=record.version,
    )


async def give_up_call(tx: Tx, approval_id: ApprovalId, reason: str) -> None:
    """Show an approved call as failed; nothing happens to one that was carried out."""
    approved = await find_approved_call(tx, approval_id)
    if approved is None:
        return
    told = {"code": "gave_up", "may_retry": False}
    await tool_calls.settle_tool_call(
        tx, approved.tool_call_id, status="failed", result=told, error=reason[:500], duration_ms=0
    )
    await emit(tx, ToolCalled(approved.run_id, approved.tool_call_id))
    await note_carried_out(tx, approval_id)


async def note_carried_out(tx: Tx, approval_id: ApprovalId) -> None:
    """The call was made, or could not be; the recorded call says which."""
    await emit(tx, ApprovalCarriedOut(approval_id))
