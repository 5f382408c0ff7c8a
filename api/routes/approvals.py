"""Approvals: what waits for a person's decision; a draft is decided about on the draft, a tool call here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Moment, Out, PageOut, Text, example
from api.nouns import Noun
from crm.approvals import queries, turns
from crm.approvals.models import Approval, ApprovalKind, ApprovalStatus, CallStatus
from crm.runs import asked_calls
from events.ids import ApprovalId, BidiId, ConversationId, DraftId, RunId, UserId

router = Noun(prefix="/approvals", tags=["approvals"])
DECISION = problems(404, 409, *BODY)


class TouchedRecordOut(Out):
    field: str
    kind: str
    id: str
    name: str
    version: int = Field(description="As the agent saw it; a change since then fails the call.")


class ValueMarkOut(Out):
    kind: str = Field(description="untrusted_value, unsourced_value or hidden_text.")
    path: str = Field(description="Which argument has it.")
    value: str
    source_kind: str = ""
    source_id: str = ""
    quote: str = ""


class AskedCallOut(Out):
    """The tool call that an approval is about."""

    run_id: RunId
    bidi_id: BidiId
    bidi_name: str
    conversation_id: ConversationId | None
    tool_call_id: UUID
    tool: str
    risk: str
    arguments: dict[str, Any]
    records: list[TouchedRecordOut]
    marks: list[ValueMarkOut] = Field(description="What a person should look at first.")
    needs_check: bool
    is_tainted: bool = Field(description="Whether the run had read text from outside before.")
    call_status: CallStatus
    code: str = Field(description="Why it was not made, as a code; empty when it was, or may be yet.")
    error: str


class ApprovalOut(Out):
    id: ApprovalId
    kind: ApprovalKind
    draft_id: DraftId | None
    status: ApprovalStatus
    scope: str = Field(description="What whoever decides must hold.")
    why: list[str] = Field(description="Why a person must decide, as codes.", examples=[["autonomy"]])
    assignee_id: UserId | None
    snoozed_until: datetime | None
    due_at: datetime | None
    decided_by: UserId | None
    decided_at: datetime | None
    reason: str
    call: AskedCallOut | None = Field(default=None, description="Of an approval of the kind tool_call.")


class CallApprovalIn(In):
    model_config = example(is_checked=True)

    is_checked: bool = Field(default=False, description="You have looked at what is marked.")


class CallRejectionIn(In):
    model_config = example(reason="This is not theirs to change.")

    reason: Text = ""


class CallSnoozeIn(In):
    model_config = example(until="2026-12-01T09:00:00+01:00")

    until: Moment


class AssigneeIn(In):
    model_config = example(assignee_id="01931b5e-7c00-7000-8000-000000000001")

    assignee_id: UserId | None = Field(description="A member who may decide about it; null is anybody.")


@router.get("", operation_id="list_approvals", summary="List approvals, the newest first")
async def list_approvals(
    tx: ApiTx,
    kind: ApprovalKind | None = None,
    status: ApprovalStatus | None = None,
    is_snoozed: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[ApprovalOut]:
    page = await queries.list_approvals(
        tx, kind=kind, status=status, is_snoozed=is_snoozed, cursor=cursor, limit=limit
    )
    return PageOut[ApprovalOut](items=await _shown(tx, page.items), next_cursor=page.next_cursor)


@router.get(
    "/{approval_id}", operation_id="get_approval", summary="Read one approval", responses=problems(404)
)
async def get_approval(tx: ApiTx, approval_id: ApprovalId) -> ApprovalOut:
    (shown,) = await _shown(tx, [await queries.get_approval(tx, approval_id)])
    return shown


@router.post(
    "/{approval_id}/approval",
    operation_id="approve_tool_call",
    summary="Let an agent make the call that it asked about",
    responses=DECISION,
)
async def approve(tx: ApiTx, approval_id: ApprovalId, approval: CallApprovalIn) -> ApprovalOut:
    """It is made as the agent, once, and never with more than you may do yourself; `call_status` says how it ended."""
    await asked_calls.approve_call(tx, approval_id, is_checked=approval.is_checked)
    return await get_approval(tx, approval_id)


@router.post(
    "/{approval_id}/rejection",
    operation_id="reject_tool_call",
    summary="Say no to a call; it is never made",
    responses=DECISION,
)
async def reject(tx: ApiTx, approval_id: ApprovalId, rejection: CallRejectionIn) -> ApprovalOut:
    await asked_calls.reject_call(tx, approval_id, reason=rejection.reason.strip())
    return await get_approval(tx, approval_id)


@router.post(
    "/{approval_id}/snooze",
    operation_id="snooze_tool_call",
    summary="Put the decision about a call off until a time",
    responses=DECISION,
)
async def snooze(tx: ApiTx, approval_id: ApprovalId, snooze: CallSnoozeIn) -> ApprovalOut:
    """The time lies before `due_at`: a question that nobody answers by then expires."""
    await turns.snooze_call(tx, approval_id, until=snooze.until)
    return await get_approval(tx, approval_id)


@router.post(
    "/{approval_id}/assignment",
    operation_id="assign_approval",
    summary="Say which colleague should decide, about a call or a draft",
    responses=DECISION,
)
async def assign(tx: ApiTx, approval_id: ApprovalId, assignment: AssigneeIn) -> ApprovalOut:
    """They are told. Everybody else who may decide still may."""
    await turns.assign_approval(tx, approval_id, assignment.assignee_id)
    return await get_approval(tx, approval_id)


async def _shown(tx: ApiTx, approvals: list[Approval]) -> list[ApprovalOut]:
    ids = [approval.id for approval in approvals if approval.kind is ApprovalKind.TOOL_CALL]
    cards = await queries.list_tool_approvals(tx, ids=ids, limit=len(ids)) if ids else []
    calls = {card.id: AskedCallOut.model_validate(card) for card in cards}
    return [
        ApprovalOut.model_validate(approval).model_copy(update={"call": calls.get(approval.id)})
        for approval in approvals
    ]
