"""Tools over promises: what somebody said that they would do, and whether they did. (tools/promises.py judges drafts.)"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from core.trust import Trust
from crm.promises import actions as promises
from crm.promises import queries
from crm.promises.models import MAX_QUOTE, NewPromise, Promise
from events.ids import ConversationId, MessageId, PromiseId
from tools.base import Arguments, Impact, Reach, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class PromiseCard:
    """`quote` are the words of the message; `is_ours` says whose word it is."""

    id: PromiseId
    conversation_id: ConversationId
    message_id: MessageId
    is_ours: bool
    quote: str
    made_at: datetime
    due_at: datetime
    status: str
    source: Source


@dataclass(frozen=True)
class PromiseList:
    promises: list[PromiseCard]


class ListPromises(Arguments):
    conversation_id: UUID


@tool(scope="conversations:read", risk=Risk.READ, reach=Reach.THREAD, returns_untrusted=True)
async def list_promises(ctx: ToolContext, args: ListPromises) -> PromiseList:
    """What both sides of a conversation promised and have not done yet, what is due first at the top."""
    found = await queries.list_open_promises(ctx.tx, ConversationId(args.conversation_id))
    return PromiseList([_card(promise) for promise in found])


class NotePromise(Arguments):
    message_id: UUID = Field(description="The message that says it.")
    quote: str = Field(min_length=1, max_length=MAX_QUOTE, description="Its words, letter by letter.")
    due_at: AwareDatetime = Field(description="By when, reckoned from the message; with time zone.")


@tool(scope="facts:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def note_promise(ctx: ToolContext, args: NotePromise) -> PromiseCard:
    """Keep in mind that somebody said in a message that they would do something by a time."""
    new = NewPromise(MessageId(args.message_id), args.quote, args.due_at)
    return _card(await promises.note_promise(ctx.tx, new))


class KeepPromise(Arguments):
    promise_id: UUID
    message_id: UUID = Field(description="The later message that shows it.")


@tool(scope="facts:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def keep_promise(ctx: ToolContext, args: KeepPromise) -> PromiseCard:
    """Note down that a promise was kept, by the message that shows it."""
    kept = await promises.keep_promise(ctx.tx, PromiseId(args.promise_id), MessageId(args.message_id))
    return _card(kept)


def _card(promise: Promise) -> PromiseCard:
    trust = Trust.CONFIRMED if promise.is_ours else Trust.UNTRUSTED
    return PromiseCard(
        id=promise.id,
        conversation_id=promise.conversation_id,
        message_id=promise.message_id,
        is_ours=promise.is_ours,
        quote=promise.quote,
        made_at=promise.made_at,
        due_at=promise.due_at,
        status=promise.status,
        source=Source("message", promise.message_id, trust),
    )
