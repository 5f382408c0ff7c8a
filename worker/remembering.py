"""How what happens is remembered: rows and words with the event, vectors as soon as the model has made them."""

from typing import TYPE_CHECKING

import structlog

from core.db import Tx
from core.principal import system
from crm.identity.queries import list_organization_ids
from events.ids import ConversationId
from events.types import ConversationImported, MessageEdited, MessageReceived, MessageSent
from memory import ingest
from memory.embeddings.base import EmbeddingsAway
from memory.embeddings.remote import NoEmbedder
from worker.jobs import Job, Postpone, patience

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

log = structlog.get_logger()

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 600.0


async def remember_message(services: "Services", tx: Tx, job: Job) -> None:
    """What was said is found by its words at once; its vector comes after, and no run waits for it."""
    event = job.event
    if not isinstance(event, MessageReceived | MessageEdited | MessageSent):
        raise TypeError(f"{job.handler} is routed to {type(event).__name__}, which it does not understand")
    await ingest.remember_message(tx, event.conversation_id, event.message_id)


async def remember_conversation(services: "Services", tx: Tx, job: Job) -> None:
    """What was brought in, a conversation or one message of it; or a conversation that is older than memory itself."""
    if job.event is not None and not isinstance(job.event, ConversationImported):
        raise TypeError(
            f"{job.handler} is routed to {type(job.event).__name__}, which it does not understand"
        )
    if job.event is not None and job.event.message_id is not None:
        await ingest.remember_message(tx, job.event.conversation_id, job.event.message_id)
    else:
        await ingest.remember_conversation(tx, ConversationId(job.subject_id))


async def embed_memories(job: Job) -> Postpone | None:
    """Give what waits in a thread its vectors. While the model is away the rows wait, for days if need be.

    Where no model is set nobody asks again: the first worker that starts with one finds what waits.
    """
    if isinstance(job.services.embedder, NoEmbedder):
        return None
    try:
        await ingest.embed_waiting(job.services.embedder, job.transaction, job.subject_id)
    except EmbeddingsAway as err:
        log.info("memory.waiting", reason=str(err))
        # each claim raises the fence: so many times it was asked for since the thread last waited for nothing
        pause = patience(FIRST_PAUSE_SECONDS, job.lease.fence - 1, most_seconds=LONGEST_PAUSE_SECONDS)
        return Postpone(pause, str(err))
    return None


async def catch_up(services: "Services") -> None:
    """Have embedded what was remembered while no model was set; called when a worker starts."""
    if isinstance(services.embedder, NoEmbedder):
        return
    for organization_id in await list_organization_ids(services.db):
        async with services.db.transaction(system(organization_id), "memory.catch_up") as tx:
            await ingest.embed_what_waits(tx)
