"""Drafts: what agents propose to send, and deciding about it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Moment, Out, PageOut, Text, Version, example
from api.nouns import Noun
from crm.drafts import actions as drafts
from crm.drafts import queries
from crm.drafts.models import DraftStatus, EvidenceKind
from events.ids import BidiId, ContactId, ConversationId, DraftId, RunId, UserId

router = Noun(prefix="/drafts", tags=["drafts"])
DECISION = problems(404, 409, 412, *BODY)


class DecisionIn(In):
    model_config = example(version=1)

    version: Version


class ApprovalIn(DecisionIn):
    model_config = example(version=1, send_at="2026-12-01T09:00:00+01:00")

    send_at: Moment | None = Field(default=None, description="When to send; at once when it is left out.")


class EditIn(DecisionIn):
    model_config = example(version=1, body="Hello Vera, 40 scanners cost €17 each a month.")

    body: Annotated[Text, Field(min_length=1)]


class RejectionIn(DecisionIn):
    model_config = example(version=1, reason="We do not sell this any more.")

    reason: Text = ""


class FeedbackIn(DecisionIn):
    model_config = example(version=1, feedback="Shorter, and name the price.")

    feedback: Annotated[Text, Field(min_length=1)]


class DraftSnoozeIn(DecisionIn):
    model_config = example(version=1, until="2026-12-01T09:00:00+01:00")

    until: Moment


class FlagOut(Out):
    kind: str
    value: str
    text: str = ""


class EvidenceOut(Out):
    kind: EvidenceKind
    source_id: UUID
    label: str
    quote: str
    statement: str = Field(description="The part of the draft that rests on it, or empty.")
    occurred_at: datetime | None
    trust: str
    is_used: bool


class DraftOut(Out):
    id: DraftId
    conversation_id: ConversationId
    contact_id: ContactId
    bidi_id: BidiId
    run_id: RunId | None
    status: DraftStatus
    version: int
    body: str
    original_body: str | None = Field(description="The agent's own wording, once a person changed it.")
    language: str
    based_on_seq: int = Field(description="Up to which message the agent had read.")
    flags: list[FlagOut] = Field(description="What a person should check before it goes out.")
    needs_check: bool
    model: str
    reason: str
    checked_by: UserId | None
    edited_by: UserId | None
    created_at: datetime


@router.get("", operation_id="list_drafts", summary="List drafts, the newest first")
async def list_drafts(
    tx: ApiTx,
    status: DraftStatus | None = None,
    conversation_id: ConversationId | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[DraftOut]:
    page = await queries.list_drafts(
        tx, status=status, conversation_id=conversation_id, cursor=cursor, limit=limit
    )
    return PageOut[DraftOut].of(page)


@router.get("/{draft_id}", operation_id="get_draft", summary="Read one draft", responses=problems(404))
async def get_draft(tx: ApiTx, draft_id: DraftId) -> DraftOut:
    return DraftOut.model_validate(await queries.get_draft(tx, draft_id))


@router.get(
    "/{draft_id}/evidence",
    operation_id="list_evidence",
    summary="List what a draft rests on",
    responses=problems(404),
)
async def list_evidence(tx: ApiTx, draft_id: DraftId) -> list[EvidenceOut]:
    await queries.get_draft(tx, draft_id)
    return [EvidenceOut.model_validate(one) for one in await queries.list_evidence(tx, draft_id)]


@router.patch(
    "/{draft_id}", operation_id="edit_draft", summary="Change the text of a draft", responses=DECISION
)
async def edit(tx: ApiTx, draft_id: DraftId, edit: EditIn) -> DraftOut:
    """Only the text; recipient and account stay. The answer has the next version."""
    edited = await drafts.edit_draft(tx, draft_id, version=edit.version, body=edit.body)
    return DraftOut.model_validate(edited)


@router.post(
    "/{draft_id}/approval", operation_id="approve_draft", summary="Approve and send", responses=DECISION
)
async def approve(tx: ApiTx, draft_id: DraftId, approval: ApprovalIn) -> DraftOut:
    """Of several people who approve at once one succeeds; the others get a conflict and nothing is sent twice."""
    approved = await drafts.approve_draft(tx, draft_id, version=approval.version, send_at=approval.send_at)
    return DraftOut.model_validate(approved)


@router.post(
    "/{draft_id}/check",
    operation_id="check_draft",
    summary="Say that what is marked in a draft was checked",
    responses=DECISION,
)
async def check(tx: ApiTx, draft_id: DraftId, decision: DecisionIn) -> DraftOut:
    return DraftOut.model_validate(await drafts.check_draft(tx, draft_id, version=decision.version))


@router.post(
    "/{draft_id}/rejection",
    operation_id="reject_draft",
    summary="End the proposal; nothing is sent",
    responses=DECISION,
)
async def reject(tx: ApiTx, draft_id: DraftId, rejection: RejectionIn) -> DraftOut:
    rejected = await drafts.reject_draft(
        tx, draft_id, version=rejection.version, reason=rejection.reason.strip()
    )
    return DraftOut.model_validate(rejected)


@router.post(
    "/{draft_id}/feedback",
    operation_id="respond_to_draft",
    summary="Send a draft back with feedback; a new one is written",
    responses=DECISION,
)
async def respond(tx: ApiTx, draft_id: DraftId, response: FeedbackIn) -> DraftOut:
    returned = await drafts.respond_to_draft(
        tx, draft_id, version=response.version, feedback=response.feedback
    )
    return DraftOut.model_validate(returned)


@router.post(
    "/{draft_id}/snooze",
    operation_id="snooze_draft",
    summary="Put the decision off until a time",
    responses=DECISION,
)
async def snooze(tx: ApiTx, draft_id: DraftId, snooze: DraftSnoozeIn) -> DraftOut:
    return DraftOut.model_validate(
        await drafts.snooze_draft(tx, draft_id, version=snooze.version, until=snooze.until)
    )


@router.post(
    "/{draft_id}/cancellation",
    operation_id="cancel_scheduled_send",
    summary="Take an approved draft back before it is sent",
    responses=problems(404, 409),
)
async def cancel(tx: ApiTx, draft_id: DraftId) -> DraftOut:
    """Draft and approval are open again, with the next version."""
    return DraftOut.model_validate(await drafts.cancel_scheduled_send(tx, draft_id))
