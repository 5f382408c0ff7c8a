"""Approvals: what waits for a person's decision; deciding is done on the draft."""

from datetime import datetime

from pydantic import Field

from api.deps import ApiTx
from api.errors import problems
from api.fields import Cursor, Limit, Out, PageOut
from api.nouns import Noun
from crm.approvals import queries
from crm.approvals.models import ApprovalStatus
from events.ids import ApprovalId, DraftId, UserId

router = Noun(prefix="/approvals", tags=["approvals"])


class ApprovalOut(Out):
    id: ApprovalId
    draft_id: DraftId
    status: ApprovalStatus
    why: list[str] = Field(description="Why a person must decide, as codes.", examples=[["autonomy"]])
    assignee_id: UserId | None
    snoozed_until: datetime | None
    due_at: datetime | None
    decided_by: UserId | None
    decided_at: datetime | None
    reason: str


@router.get("", operation_id="list_approvals", summary="List approvals, the newest first")
async def list_approvals(
    tx: ApiTx,
    status: ApprovalStatus | None = None,
    is_snoozed: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[ApprovalOut]:
    page = await queries.list_approvals(tx, status=status, is_snoozed=is_snoozed, cursor=cursor, limit=limit)
    return PageOut[ApprovalOut].of(page)


@router.get(
    "/{approval_id}", operation_id="get_approval", summary="Read one approval", responses=problems(404)
)
async def get_approval(tx: ApiTx, approval_id: ApprovalId) -> ApprovalOut:
    return ApprovalOut.model_validate(await queries.get_approval(tx, approval_id))
