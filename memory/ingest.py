"""Messages become memories: rows and stems at once, in the transaction of the event; vectors soon after."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from uuid import UUID

from core import clock
from core.db import Tx
from crm.conversations.models import Conversation
from crm.conversations.queries import get_conversation, get_message
from crm.conversations.said import Said, list_said
from events import due
from events.ids import ConversationId, MessageId
from memory import store, summaries
from memory.embeddings.base import Embedder
from memory.models import NewTurn

# Due work whose subject is a thread: a conversation, or a version of a document.
EMBED = "memory.embed"
_PAGE = 500
_BATCH = 128


async def remember_message(tx: Tx, conversation_id: ConversationId, message_id: MessageId) -> None:
    """Remember one message as it reads now; a message that was not sent after all is no memory."""
    message = await get_message(tx, message_id)
    said = await list_said(tx, conversation_id, after_seq=message.seq - 1, limit=1)
    if said and said[0].id == message_id:
        conversation = await get_conversation(tx, conversation_id)
        await _remember(tx, conversation, said)


async def remember_conversation(tx: Tx, conversation_id: ConversationId) -> int:
    """Remember everything that was said in a conversation; returns how many turns are new or changed."""
    conversation = await get_conversation(tx, conversation_id)
    changed, seq = 0, 0
    while said := await list_said(tx, conversation_id, after_seq=seq, limit=_PAGE):
        changed += await _remember(tx, conversation, said)
        seq = said[-1].seq
    return changed


async def _remember(tx: Tx, conversation: Conversation, said: Sequence[Said]) -> int:
    turns = [NewTurn(one.id, one.seq, one.author, one.is_ours, one.text, one.occurred_at) for one in said]
    changed = await store.remember_turns(tx, conversation, turns)
    if changed:
        await _summarize_ended(tx, conversation, turns[0].ordinal)
        await embed_soon(tx, UUID(str(conversation.id)))
    return changed


async def _summarize_ended(tx: Tx, conversation: Conversation, ordinal: int) -> None:
    """Sum up the long episodes that are over and have no summary yet, from the one that a turn may have ended on."""
    turns = await store.list_unsummarized(
        tx, conversation.id, min_turns=summaries.MIN_TURNS, from_ordinal=ordinal
    )
    for episode, of_it in groupby(turns, key=lambda turn: turn.episode):
        told = [turn.as_turn() for turn in of_it]
        text = summaries.summarize(told)
        if text:
            await store.remember_summary(
                tx, conversation, episode=episode, text=text, occurred_at=told[-1].occurred_at
            )


async def embed_soon(tx: Tx, thread_id: UUID) -> None:
    """Give what of a thread waits for its vector one, as soon as this transaction is there."""
    await due.schedule(tx, EMBED, thread_id, clock.now())


async def embed_what_waits(tx: Tx) -> None:
    """Have every thread embedded in which something waits for its vector."""
    await due.schedule_missing(tx, EMBED, await store.list_threads_to_embed(tx), clock.now())


async def embed_waiting(
    embedder: Embedder, transaction: Callable[[str], AbstractAsyncContextManager[Tx]], thread_id: UUID
) -> int:
    """Give every waiting memory of a thread its vector; returns how many there were.

    Raises: EmbeddingsAway; what was done until then stays, and the rest waits.
    """
    embedded = 0
    while True:
        async with transaction("waiting") as tx:
            waiting = await store.list_unembedded(tx, thread_id, limit=_BATCH)
        if not waiting:
            return embedded
        vectors = await embedder.embed_passages([memory.passage() for memory in waiting])
        async with transaction("vectors") as tx:
            await store.store_vectors(tx, embedder.name, waiting, vectors)
        embedded += len(waiting)
