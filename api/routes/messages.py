"""Messages: reading them, and writing into a conversation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, Text, example
from api.nouns import Noun
from crm.conversations import queries
from crm.conversations.models import Direction, MessageKind, MessageStatus
from crm.runs import yielding
from events.ids import ConversationId, DraftId, MessageId

router = Noun(tags=["messages"])


class MessageIn(In):
    model_config = example(body="Thank you, I will call you at three.")

    body: Annotated[Text, Field(min_length=1)]


class MessageOut(Out):
    id: MessageId
    conversation_id: ConversationId
    seq: int = Field(description="Its number in the conversation.")
    direction: Direction
    status: MessageStatus
    kind: MessageKind = Field(description="What a mail was recognised as.")
    subject: str
    address: str = Field(description="The mail address that it came from or goes to; empty in a chat.")
    body: str
    author_kind: str = Field(description="contact, user, bidi or system")
    author_id: UUID | None
    draft_id: DraftId | None = Field(description="The draft that it was approved from, if any.")
    approved_by: UUID | None
    failure: str = Field(description="Why it was not sent, or what is not known about it.")
    occurred_at: datetime
    edited_at: datetime | None
    sent_at: datetime | None
    scheduled_at: datetime | None


@router.get(
    "/conversations/{conversation_id}/messages",
    operation_id="list_messages",
    summary="List the messages of a conversation, the newest first",
    responses=problems(404),
)
async def list_messages(
    tx: ApiTx, conversation_id: ConversationId, cursor: Cursor = None, limit: Limit = 25
) -> PageOut[MessageOut]:
    page = await queries.list_message_page(tx, conversation_id, cursor=cursor, limit=limit)
    return PageOut[MessageOut].of(page)


@router.post(
    "/conversations/{conversation_id}/messages",
    operation_id="compose_message",
    summary="Write a message; it is queued and sent at once",
    status_code=201,
    responses=problems(404, *BODY),
)
async def compose_message(tx: ApiTx, conversation_id: ConversationId, message: MessageIn) -> MessageOut:
    """The conversation becomes the caller's, and an open draft in it is put aside."""
    return MessageOut.model_validate(await yielding.write(tx, conversation_id, body=message.body))


@router.get(
    "/messages/{message_id}", operation_id="get_message", summary="Read one message", responses=problems(404)
)
async def get_message(tx: ApiTx, message_id: MessageId) -> MessageOut:
    return MessageOut.model_validate(await queries.get_message(tx, message_id))
