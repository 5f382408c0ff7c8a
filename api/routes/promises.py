"""Promises: what somebody said in a conversation that they would do, and by when."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import problems
from api.fields import Cursor, Limit, Out, PageOut
from api.nouns import Noun
from crm.promises import actions as promises
from crm.promises import queries
from crm.promises.models import PromiseStatus
from events.ids import ContactId, ConversationId, MessageId, PromiseId, RunId

router = Noun(prefix="/promises", tags=["promises"])


class PromiseOut(Out):
    id: PromiseId
    conversation_id: ConversationId
    contact_id: ContactId
    contact_name: str
    message_id: MessageId = Field(description="The message that says it.")
    is_ours: bool = Field(description="Whether it is our word, or the contact's.")
    quote: str
    made_at: datetime
    due_at: datetime
    status: PromiseStatus
    kept_message_id: UUID | None = Field(description="The message that shows that it was kept, if one does.")
    noted_at: datetime
    run_id: RunId | None = Field(description="The agent run that noted it down, if one did.")


@router.get("", operation_id="list_promises", summary="List promises of both sides, the last noted first")
async def list_promises(
    tx: ApiTx,
    status: PromiseStatus | None = None,
    conversation_id: ConversationId | None = None,
    contact_id: ContactId | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[PromiseOut]:
    page = await queries.list_promises(
        tx, status=status, conversation_id=conversation_id, contact_id=contact_id, cursor=cursor, limit=limit
    )
    return PageOut[PromiseOut].of(page)


@router.get("/{promise_id}", operation_id="get_promise", summary="Read one promise", responses=problems(404))
async def get_promise(tx: ApiTx, promise_id: PromiseId) -> PromiseOut:
    return PromiseOut.model_validate(await queries.get_promise(tx, promise_id))


@router.post(
    "/{promise_id}/keeping",
    operation_id="keep_promise",
    summary="Say that a promise was kept",
    responses=problems(404, 409),
)
async def keep(tx: ApiTx, promise_id: PromiseId) -> PromiseOut:
    return PromiseOut.model_validate(await promises.keep_promise(tx, promise_id))


@router.post(
    "/{promise_id}/dropping",
    operation_id="drop_promise",
    summary="Say that a promise need not be kept",
    responses=problems(404, 409),
)
async def drop(tx: ApiTx, promise_id: PromiseId) -> PromiseOut:
    return PromiseOut.model_validate(await promises.drop_promise(tx, promise_id))
