"""Conversations: reading them, and what a person does in one."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Moment, Out, PageOut, example
from api.nouns import Noun
from core.db import Tx
from crm.conversations import actions as conversations
from crm.conversations import queries
from crm.conversations.models import ConversationFilter, ConversationStatus, HandoffReason, HolderKind
from crm.runs import yielding
from events.ids import BidiId, ChannelAccountId, ContactId, ConversationId, MemberId

router = Noun(prefix="/conversations", tags=["conversations"])


class SnoozeIn(In):
    model_config = example(until="2026-12-01T09:00:00+01:00")

    until: Moment


class AgentIn(In):
    model_config = example(bidi_id="01931b5e-7c00-7000-8000-000000000001")

    bidi_id: BidiId = Field(description="The seat that should hold the conversation.")


class ColleagueIn(In):
    model_config = example(member_id="01931b5e-7c00-7000-8000-000000000001")

    member_id: MemberId = Field(description="The member who should hold the conversation.")


class ConversationOut(Out):
    id: ConversationId
    channel: str = Field(examples=["telegram"])
    channel_account_id: ChannelAccountId
    contact_id: ContactId
    subject: str = Field(description="Of the mails; empty where a channel has none.")
    address: str = Field(description="Where mails of it go; empty for a chat.")
    status: ConversationStatus
    snoozed_until: datetime | None
    holder_kind: HolderKind | None = Field(description="Who answers here now; null when nobody does.")
    holder_id: UUID | None
    last_seq: int = Field(description="The number of the newest message.")
    last_inbound_seq: int
    read_seq: int = Field(description="How far people have read.")
    last_message_at: datetime
    handoff_reason: HandoffReason | None = Field(description="Set while an agent waits for a person.")
    handoff_summary: str
    handoff_next_step: str


@router.get("", operation_id="list_conversations", summary="List conversations, the latest message first")
async def list_conversations(
    tx: ApiTx,
    status: ConversationStatus | None = None,
    channel: Literal["telegram", "email", "webchat"] | None = None,
    contact_id: ContactId | None = None,
    holder_id: UUID | None = None,
    is_unread: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[ConversationOut]:
    wanted = ConversationFilter(status, channel, contact_id, holder_id, is_unread)
    page = await queries.list_conversations(tx, wanted, cursor=cursor, limit=limit)
    return PageOut[ConversationOut].of(page)


@router.get(
    "/{conversation_id}",
    operation_id="get_conversation",
    summary="Read one conversation",
    responses=problems(404),
)
async def get_conversation(tx: ApiTx, conversation_id: ConversationId) -> ConversationOut:
    return await _now(tx, conversation_id)


@router.post(
    "/{conversation_id}/reading",
    operation_id="mark_conversation_read",
    summary="Say that somebody has read all of a conversation",
    responses=problems(404),
)
async def mark_read(tx: ApiTx, conversation_id: ConversationId) -> ConversationOut:
    await conversations.mark_read(tx, conversation_id)
    return await _now(tx, conversation_id)


@router.post(
    "/{conversation_id}/snooze",
    operation_id="snooze_conversation",
    summary="Put a conversation away until a time or the next message",
    responses=problems(404, *BODY),
)
async def snooze(tx: ApiTx, conversation_id: ConversationId, snooze: SnoozeIn) -> ConversationOut:
    await conversations.snooze_conversation(tx, conversation_id, until=snooze.until)
    return await _now(tx, conversation_id)


@router.post(
    "/{conversation_id}/resolution",
    operation_id="resolve_conversation",
    summary="Close a conversation; a new message opens it again",
    responses=problems(404),
)
async def resolve(tx: ApiTx, conversation_id: ConversationId) -> ConversationOut:
    await conversations.resolve_conversation(tx, conversation_id)
    return await _now(tx, conversation_id)


@router.post(
    "/{conversation_id}/reopening",
    operation_id="reopen_conversation",
    summary="Bring a resolved or snoozed conversation back",
    responses=problems(404),
)
async def reopen(tx: ApiTx, conversation_id: ConversationId) -> ConversationOut:
    await conversations.reopen_conversation(tx, conversation_id)
    return await _now(tx, conversation_id)


@router.post(
    "/{conversation_id}/holder",
    operation_id="take_over_conversation",
    summary="Take a conversation oneself; agents stop drafting in it",
    responses=problems(404),
)
async def take_over(tx: ApiTx, conversation_id: ConversationId) -> ConversationOut:
    """What an agent was doing there ends in the same moment, and nothing that it would send by itself goes out."""
    await yielding.take_over(tx, conversation_id)
    return await _now(tx, conversation_id)


@router.post(
    "/{conversation_id}/person",
    operation_id="give_conversation_to_person",
    summary="Let a colleague hold a conversation; agents stop drafting in it",
    status_code=204,
    responses=problems(404, *BODY),
)
async def give_to_person(tx: ApiTx, conversation_id: ConversationId, colleague: ColleagueIn) -> None:
    """It is not shown again: who sees only what is their own may not see it any more."""
    await yielding.give_to_person(tx, conversation_id, colleague.member_id)


@router.post(
    "/{conversation_id}/agent",
    operation_id="give_conversation_to_agent",
    summary="Let an agent hold a conversation",
    responses=problems(404, *BODY),
)
async def give_to_agent(tx: ApiTx, conversation_id: ConversationId, agent: AgentIn) -> ConversationOut:
    await conversations.give_to_agent(tx, conversation_id, agent.bidi_id)
    return await _now(tx, conversation_id)


async def _now(tx: Tx, conversation_id: ConversationId) -> ConversationOut:
    return ConversationOut.model_validate(await queries.get_conversation(tx, conversation_id))
