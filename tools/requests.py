"""Tools over what an agent itself has asked people."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from core.errors import Conflict, Forbidden
from crm.approvals.models import ApprovalKind, ApprovalStatus
from crm.approvals.queries import get_approval, get_tool_approval
from crm.runs import asked_calls
from events.ids import ApprovalId
from tools.base import Arguments, Reach, Risk, ToolContext, ToolFailed, tool


@dataclass(frozen=True)
class RequestRef:
    """A question to a person; `tool` is what it asked to do."""

    id: ApprovalId
    tool: str
    status: ApprovalStatus


class WithdrawRequest(Arguments):
    approval_id: UUID = Field(description="As the answer of the call that waits names it.")
    reason: str = Field(min_length=1, max_length=300)


@tool(scope="approvals:write", risk=Risk.PROPOSE, reach=Reach.THREAD, is_counterpart_safe=True)
async def withdraw_request(ctx: ToolContext, args: WithdrawRequest) -> RequestRef:
    """Take back a call of yours that waits for a person and that nobody has decided about; it is not made then."""
    approval_id = ApprovalId(args.approval_id)
    if (await get_approval(ctx.tx, approval_id)).kind is not ApprovalKind.TOOL_CALL:
        raise Conflict("A reply waits there, not a call; withdraw_draft takes it back.")
    card = await get_tool_approval(ctx.tx, approval_id)
    if ctx.run.conversation_id not in (None, card.conversation_id):
        raise ToolFailed("This was asked in another conversation than the one that you serve; leave it.")
    try:
        await asked_calls.withdraw_call(ctx.tx, approval_id, reason=args.reason)
    except Forbidden as err:
        raise ToolFailed(err.detail) from err
    return RequestRef(approval_id, card.tool, ApprovalStatus.WITHDRAWN)
