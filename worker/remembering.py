"""How what happens is remembered: rows and words with the event, vectors as soon as the model has made them."""

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from core import clock
from core.db import Tx
from events import due
from events.ids import ConversationId
from events.types import ConversationImported, MessageEdited, MessageReceived, MessageSent
from memory import ingest
from memory.embeddings.base import EmbeddingsAway
from worker.jobs import Job, Postpone

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

log = structlog.get_logger()

AGAIN = timedelta(seconds=5)


async def remember_message(services: "Services", tx: Tx, job: Job) -> None:
    """What was said is found by its words at once; its vector comes after, and no run waits for it."""
    event = job.event
    if not isinstance(event, MessageReceived | MessageEdited | MessageSent):
        raise TypeError(f"{job.handler} is routed to {type(event).__name__}, which it does not understand")
    await ingest.remember_message(tx, event.conversation_id, event.message_id)


async def remember_conversation(services: "Services", tx: Tx, job: Job) -> None:
    """A conversation that was brought in, or that is older than memory itself."""
    if job.event is not None and not isinstance(job.event, ConversationImported):
        raise TypeError(
            f"{job.handler} is routed to {type(job.event).__name__}, which it does not understand"
        )
    await ingest.remember_conversation(tx, ConversationId(job.subject_id))


async def embed_memories(job: Job) -> Postpone | None:
    """Give what waits in a thread its vectors. While the model is away the rows wait, for days if need be."""
    try:
        await ingest.embed_waiting(job.services.embedder, job.transaction, job.subject_id)
    except EmbeddingsAway as err:
        log.info("memory.waiting", reason=str(err))
        async with job.transaction("wait") as tx:
            # as a new row, because the claims of one are counted and come to an end
            await due.cancel(tx, ingest.EMBED, job.subject_id)
            await due.schedule(tx, ingest.EMBED, job.subject_id, clock.now() + AGAIN)
    return None
