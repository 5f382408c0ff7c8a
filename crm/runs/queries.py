"""Reading runs."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.runs.models import About, Run, RunStatus
from events.ids import BidiId, ConversationId, RunId


async def get_run(tx: Tx, run_id: RunId) -> Run:
    """Raises: NotFound."""
    return await tx.one(
        Run,
        """
        SELECT id, bidi_id, agent, conversation_id, trigger_id, status, generation, based_on_seq, due_at, feedback,
               again, fence, steps, tokens_in, tokens_out, cost_usd_micros, model, outcome, reason,
               about_kind, about_id
          FROM runs
         WHERE id = %(run_id)s
        """,
        run_id=run_id,
    )


async def list_runs(
    tx: Tx,
    *,
    status: RunStatus | None = None,
    conversation_id: ConversationId | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Run]:
    """Runs, the newest first."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        Run,
        """
        SELECT id, bidi_id, agent, conversation_id, trigger_id, status, generation, based_on_seq, due_at, feedback,
               again, fence, steps, tokens_in, tokens_out, cost_usd_micros, model, outcome, reason,
               about_kind, about_id
          FROM runs
         WHERE (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(conversation_id)s::uuid IS NULL OR conversation_id = %(conversation_id)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        status=status,
        conversation_id=conversation_id,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda run: encode_cursor(run.id))


async def list_open_runs(tx: Tx, conversation_id: ConversationId) -> list[Run]:
    """Queued and running runs of a conversation, oldest first."""
    return await tx.all(
        Run,
        """
        SELECT id, bidi_id, agent, conversation_id, trigger_id, status, generation, based_on_seq, due_at, feedback,
               again, fence, steps, tokens_in, tokens_out, cost_usd_micros, model, outcome, reason,
               about_kind, about_id
          FROM runs
         WHERE conversation_id = %(conversation_id)s
           AND status IN ('queued', 'running', 'waiting')
         ORDER BY created_at, id
        """,
        conversation_id=conversation_id,
    )


async def list_open_runs_of(tx: Tx, bidi_id: BidiId) -> list[Run]:
    """What a seat does and is to do, in the order in which conversations are locked."""
    return await tx.all(
        Run,
        """
        SELECT id, bidi_id, agent, conversation_id, trigger_id, status, generation, based_on_seq, due_at, feedback,
               again, fence, steps, tokens_in, tokens_out, cost_usd_micros, model, outcome, reason,
               about_kind, about_id
          FROM runs
         WHERE bidi_id = %(bidi_id)s
           AND status IN ('queued', 'running', 'waiting')
         ORDER BY conversation_id, id
        """,
        bidi_id=bidi_id,
    )


@dataclass(frozen=True)
class LastSeat:
    """The seat that worked on a conversation last, and as which agent."""

    bidi_id: BidiId
    agent: str


async def last_seat(tx: Tx, conversation_id: ConversationId) -> LastSeat | None:
    """Who worked on the conversation last, or None when no agent ever did."""
    return await tx.find(
        LastSeat,
        """
        SELECT bidi_id, agent
          FROM runs
         WHERE conversation_id = %(conversation_id)s
         ORDER BY created_at DESC, id DESC
         LIMIT 1
        """,
        conversation_id=conversation_id,
    )


async def find_covering_run(tx: Tx, conversation_id: ConversationId, seq: int | None) -> RunId | None:
    """The finished run that has dealt with this message already, or None; a cancelled run has dealt with nothing."""
    run_id = await tx.value(
        """
        SELECT id
          FROM runs
         WHERE conversation_id = %(conversation_id)s
           AND based_on_seq >= %(seq)s
           AND status IN ('succeeded', 'failed', 'budget_exceeded')
         ORDER BY based_on_seq DESC, id DESC
         LIMIT 1
        """,
        conversation_id=conversation_id,
        seq=seq,
    )
    return RunId(run_id) if run_id else None


async def find_open_run_about(tx: Tx, agent: str, about: About) -> RunId | None:
    """The run of an agent about this that has not ended yet, or None."""
    found = await tx.value(
        """
        SELECT id
          FROM runs
         WHERE about_id = %(id)s
           AND about_kind = %(kind)s
           AND agent = %(agent)s
           AND status IN ('queued', 'running', 'waiting')
         LIMIT 1
        """,
        id=about.id,
        kind=about.kind,
        agent=agent,
    )
    return RunId(found) if found else None


async def find_last_about(tx: Tx, agent: str, about: About, *, before: RunId) -> datetime | None:
    """When the last run of an agent about this was asked for that came to its end before another, or None."""
    found: datetime | None = await tx.value(
        """
        SELECT due_at
          FROM runs
         WHERE about_id = %(id)s
           AND about_kind = %(kind)s
           AND agent = %(agent)s
           AND status = 'succeeded'
           AND id < %(before)s
         ORDER BY id DESC
         LIMIT 1
        """,
        before=before,
        id=about.id,
        kind=about.kind,
        agent=agent,
    )
    return found
