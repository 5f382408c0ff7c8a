"""What sends agents to look by themselves, and what ends their suggestions."""

from typing import TYPE_CHECKING

from core.db import Tx
from crm.conversations.queries import get_conversation
from crm.promises import actions as promises
from crm.suggestions import actions as suggestions
from crm.suggestions import watching
from events.ids import ConversationId, DealId, PromiseId, SuggestionId
from events.types import MessageReceived, MessageSent
from worker.jobs import Job

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services


async def note_said(services: "Services", tx: Tx, job: Job) -> None:
    """A conversation is read once it rests; deals with somebody who wrote do not stand still."""
    event = job.event
    if not isinstance(event, MessageReceived | MessageSent):
        raise TypeError(f"{job.handler} is routed to {type(event).__name__}, which it does not understand")
    await watching.note_said(tx, event.conversation_id, rest=services.rest)
    if isinstance(event, MessageReceived):
        await watching.note_heard(tx, (await get_conversation(tx, event.conversation_id)).contact_id)


async def read_at_rest(services: "Services", tx: Tx, job: Job) -> None:
    await watching.read_at_rest(tx, ConversationId(job.subject_id), rest=services.rest)


async def note_due_promise(services: "Services", tx: Tx, job: Job) -> None:
    await promises.note_due(tx, PromiseId(job.subject_id))


async def follow_promise(services: "Services", tx: Tx, job: Job) -> None:
    await watching.follow_promise(tx, PromiseId(job.subject_id))


async def follow_deal(services: "Services", tx: Tx, job: Job) -> None:
    """A deal stayed in its stage for longer than it may, or it is time to look again."""
    await watching.follow_deal(tx, DealId(job.subject_id))


async def note_kept(services: "Services", tx: Tx, job: Job) -> None:
    await watching.note_kept(tx, PromiseId(job.subject_id))


async def note_moved(services: "Services", tx: Tx, job: Job) -> None:
    await watching.note_moved(tx, DealId(job.subject_id))


async def expire_suggestion(services: "Services", tx: Tx, job: Job) -> None:
    await suggestions.expire_suggestion(tx, SuggestionId(job.subject_id))
