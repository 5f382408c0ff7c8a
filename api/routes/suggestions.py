"""Suggestions: next steps that agents propose; accepted or dismissed by a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, Text, example
from api.nouns import Noun
from api.routes.approvals import AskedCallOut, TouchedRecordOut, ValueMarkOut
from api.routes.records import KindQuery, record_of
from crm.approvals.queries import list_tool_approvals
from crm.suggestions import actions as suggestions
from crm.suggestions import queries
from crm.suggestions.models import Suggestion, SuggestionKind, SuggestionStatus
from events.ids import BidiId, ConversationId, PromiseId, RecordKind, RunId, SuggestionId, UserId

router = Noun(prefix="/suggestions", tags=["suggestions"])
DECISION = problems(404, 409, *BODY)


class SuggestionEvidenceOut(Out):
    kind: str
    id: UUID
    label: str
    quote: str
    conversation_id: UUID | None


class ProposedCallOut(Out):
    """What happens once somebody accepts."""

    tool: str
    arguments: dict[str, Any]
    risk: str
    scope: str = Field(description="What whoever accepts must hold.")
    only_adds: bool = Field(description="Whether it changes nothing that is there.")
    records: list[TouchedRecordOut]
    marks: list[ValueMarkOut] = Field(description="What a person should look at first.")


class SuggestionOut(Out):
    id: SuggestionId
    kind: SuggestionKind
    record_kind: RecordKind
    record_id: UUID
    record_name: str
    promise_id: PromiseId | None
    conversation_id: ConversationId | None
    title: str
    why: str
    proposed: list[ProposedCallOut]
    rests_on: list[SuggestionEvidenceOut]
    needs_check: bool
    is_tainted: bool = Field(description="Whether the run had read text from outside before.")
    run_id: RunId
    bidi_id: BidiId
    bidi_name: str
    status: SuggestionStatus
    expires_at: datetime
    decided_by: UserId | None
    decided_at: datetime | None
    reason: str
    created_at: datetime
    calls: list[AskedCallOut] = Field(
        default=[], description="Of one that was accepted: what became of each call.", validation_alias="made"
    )


class AcceptanceIn(In):
    model_config = example(is_checked=True)

    is_checked: bool = Field(default=False, description="You have looked at what is marked.")


class DismissalIn(In):
    model_config = example(reason="They asked us to wait until spring.")

    reason: Text = ""


@router.get("", operation_id="list_suggestions", summary="List suggestions, the newest first")
async def list_suggestions(
    tx: ApiTx,
    status: SuggestionStatus | None = None,
    kind: SuggestionKind | None = None,
    record_kind: KindQuery = RecordKind.CONTACT,
    record_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[SuggestionOut]:
    """Those of a record are also those of the deals with it, and of a company's people."""
    page = await queries.list_suggestions(
        tx, status=status, kind=kind, record=record_of(record_kind, record_id), cursor=cursor, limit=limit
    )
    return PageOut[SuggestionOut](items=await _shown(tx, page.items), next_cursor=page.next_cursor)


@router.get(
    "/{suggestion_id}", operation_id="get_suggestion", summary="Read one suggestion", responses=problems(404)
)
async def get_suggestion(tx: ApiTx, suggestion_id: SuggestionId) -> SuggestionOut:
    (shown,) = await _shown(tx, [await queries.get_suggestion(tx, suggestion_id)])
    return shown


@router.post(
    "/{suggestion_id}/acceptance",
    operation_id="accept_suggestion",
    summary="Let an agent do what it suggests",
    responses=DECISION,
)
async def accept(tx: ApiTx, suggestion_id: SuggestionId, acceptance: AcceptanceIn) -> SuggestionOut:
    """Each call is made as the agent, once, and never with more than you may do yourself; `calls` say how it ended."""
    await suggestions.accept_suggestion(tx, suggestion_id, is_checked=acceptance.is_checked)
    return await get_suggestion(tx, suggestion_id)


@router.post(
    "/{suggestion_id}/dismissal",
    operation_id="dismiss_suggestion",
    summary="Say no to a suggestion; the same is not suggested again for a while",
    responses=DECISION,
)
async def dismiss(tx: ApiTx, suggestion_id: SuggestionId, dismissal: DismissalIn) -> SuggestionOut:
    await suggestions.dismiss_suggestion(tx, suggestion_id, reason=dismissal.reason.strip())
    return await get_suggestion(tx, suggestion_id)


async def _shown(tx: ApiTx, found: list[Suggestion]) -> list[SuggestionOut]:
    decided = [one.id for one in found if one.status is SuggestionStatus.ACCEPTED]
    cards = await list_tool_approvals(tx, suggestion_ids=decided, limit=5 * len(decided)) if decided else []
    made: dict[SuggestionId, list[AskedCallOut]] = {}
    for card in cards:
        if card.suggestion_id is not None:
            made.setdefault(card.suggestion_id, []).append(AskedCallOut.model_validate(card))
    return [
        SuggestionOut.model_validate(one).model_copy(update={"calls": made.get(one.id, [])}) for one in found
    ]
