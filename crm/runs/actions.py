"""Asking for runs, claiming and finishing them: the row says whether a run is finished, nothing else does."""

from dataclasses import dataclass
from datetime import timedelta

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.bidi import queries as bidi_queries
from crm.conversations.models import HolderKind
from crm.conversations.queries import lock_conversation
from crm.runs import queries
from crm.runs.models import OPEN, About, Run, RunStatus
from events import due
from events.ids import BidiId, ConversationId, RunId, TriggerId
from events.outbox import emit
from events.types import RunCancelled, RunFailed, RunFinished, RunRequested, RunStarted

QUIET = "run.quiet"


@dataclass(frozen=True)
class QuietWindow:
    """How long a contact must be silent before a run starts, and how long a burst may hold it up; seconds."""

    seconds: float
    max_seconds: float


@dataclass(frozen=True)
class RunRequest:
    """Which seat should work, on which conversation if on any, and why; `seq` is the message that asked for it."""

    bidi_id: BidiId
    agent: str
    conversation_id: ConversationId | None
    trigger_id: TriggerId | None = None
    seq: int | None = None
    feedback: str = ""
    about: About | None = None


async def request_run(tx: Tx, request: RunRequest, quiet: QuietWindow) -> RunId | None:
    """Ask for a run in a conversation; lines of one burst share it, and a run that the conversation outran gives way
    once.

    Returns the queued run, or None when the running one was told to go again after it ends.
    """
    if request.conversation_id is None:
        raise ValueError("A run that serves no conversation shares with none; use start_run.")
    await lock_conversation(tx, request.conversation_id)
    open_runs = await queries.list_open_runs(tx, request.conversation_id)
    queued = next((run for run in open_runs if run.status is RunStatus.QUEUED), None)
    if queued is not None:
        await _extend_quiet_window(tx, queued, quiet)
        return queued.id
    running = open_runs[0] if open_runs else None
    if running is None:
        # a line that is heard of late may have been answered meanwhile, together with those after it
        covering = await queries.find_covering_run(tx, request.conversation_id, request.seq)
        return covering or await _insert_run(tx, request, quiet, generation=0)
    if request.seq is not None and running.based_on_seq is not None and running.based_on_seq >= request.seq:
        return running.id
    if running.generation == 0:
        await cancel_run(tx, running, "the contact wrote again")
        return await _insert_run(tx, request, quiet, generation=1)
    await tx.execute("UPDATE runs SET again = true WHERE id = %(run_id)s", run_id=running.id)
    return None


async def start_run(tx: Tx, bidi_id: BidiId, agent: str, *, about: About | None = None) -> RunId:
    """Ask for a run that serves no conversation; it begins at once."""
    request = RunRequest(bidi_id, agent, None, about=about)
    return await _insert_run(tx, request, QuietWindow(0, 0), generation=0)


async def start_run_about(tx: Tx, bidi_id: BidiId, agent: str, about: About) -> RunId | None:
    """As `start_run`, unless a run of this agent about the same thing has not ended yet."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('runs ' || %(agent)s || %(id)s, 0))",
        agent=agent,
        id=str(about.id),
    )
    if await queries.find_open_run_about(tx, agent, about) is not None:
        return None
    return await start_run(tx, bidi_id, agent, about=about)


async def ask_for_run(
    tx: Tx, conversation_id: ConversationId, *, bidi_id: BidiId | None = None, feedback: str = ""
) -> RunId:
    """A person wants an agent to look at a conversation now: the seat named, else the one that worked on it last.

    Raises:
        NotFound: no such conversation or seat.
        Conflict: a person holds the conversation, or it is not clear which seat should work.
        Unprocessable: the seat is not an agent's, or is paused.
    """
    tx.principal.require("conversations:write")
    conversation = await lock_conversation(tx, conversation_id)
    if conversation.holder_kind is HolderKind.PERSON:
        raise Conflict("A person holds this conversation; give it to an agent first.")
    last = await queries.last_seat(tx, conversation_id)
    seat_id = bidi_id or (last.bidi_id if last else None)
    if seat_id is None:
        raise Conflict("No agent has worked here yet; name the seat that should.")
    seat = await bidi_queries.get_bidi(tx, seat_id)
    if seat.agent is None or not seat.serves_conversations or seat.is_paused:
        raise Unprocessable(f"{seat.name} is no working agent's seat; name another.", field="bidi_id")
    request = RunRequest(seat.id, seat.agent, conversation_id, feedback=feedback)
    run_id = await request_run(tx, request, QuietWindow(0, 0))
    if run_id is None:
        raise Conflict("An agent is at work here and will go again when it is done; wait for it.")
    return run_id


async def _insert_run(tx: Tx, request: RunRequest, quiet: QuietWindow, *, generation: int) -> RunId:
    run_id = RunId(uuid7())
    due_at = clock.now() + timedelta(seconds=quiet.seconds)
    await tx.execute(
        """
        INSERT INTO runs (organization_id, id, bidi_id, agent, conversation_id, trigger_id, generation, first_at,
                          due_at, feedback, about_kind, about_id)
        VALUES (%(organization_id)s, %(id)s, %(bidi_id)s, %(agent)s, %(conversation_id)s, %(trigger_id)s,
                %(generation)s, %(now)s, %(due_at)s, %(feedback)s, %(about_kind)s, %(about_id)s)
        """,
        organization_id=tx.organization_id,
        id=run_id,
        bidi_id=request.bidi_id,
        agent=request.agent,
        conversation_id=request.conversation_id,
        trigger_id=request.trigger_id,
        generation=generation,
        now=clock.now(),
        due_at=due_at,
        feedback=request.feedback,
        about_kind=request.about.kind if request.about else None,
        about_id=request.about.id if request.about else None,
    )
    if quiet.seconds > 0:
        await due.schedule(tx, QUIET, run_id, due_at)
    else:
        await emit(tx, RunRequested(run_id))
    return run_id


async def _extend_quiet_window(tx: Tx, run: Run, quiet: QuietWindow) -> None:
    """Another line came: wait for silence again, but never past the longest wait since the first line."""
    if quiet.seconds <= 0:
        return
    due_at = await tx.value(
        """
        UPDATE runs
           SET due_at = least(first_at + make_interval(secs => %(max_seconds)s), %(due_at)s)
         WHERE id = %(run_id)s
        RETURNING due_at
        """,
        max_seconds=quiet.max_seconds,
        due_at=clock.now() + timedelta(seconds=quiet.seconds),
        run_id=run.id,
    )
    await due.schedule(tx, QUIET, run.id, due_at)


async def release_run(tx: Tx, run_id: RunId) -> None:
    """The quiet window has closed: the run is asked for now."""
    run = await queries.get_run(tx, run_id)
    if run.status is RunStatus.QUEUED:
        await emit(tx, RunRequested(run_id))


async def claim_run(tx: Tx, run_id: RunId, lease_seconds: float) -> Run | None:
    """Lease a queued run, or a running one whose process has gone; None when it is finished or held.

    The run covers its conversation up to this moment, also when it goes on after a crash. One of a paused seat is
    cancelled instead.
    """
    run = await queries.get_run(tx, run_id)
    # before the conversation, as whoever pauses a seat does
    is_at_work = await bidi_queries.is_at_work(tx, run.bidi_id)
    conversation = await lock_conversation(tx, run.conversation_id) if run.conversation_id else None
    if not is_at_work:
        await cancel_run(tx, run, "the seat is paused")
        return None
    claimed = await tx.find(
        Run,
        """
        UPDATE runs
           SET status = 'running',
               fence = fence + 1,
               lease_until = now() + make_interval(secs => %(lease_seconds)s),
               started_at = coalesce(started_at, now()),
               based_on_seq = coalesce(based_on_seq, %(seq)s)
         WHERE id = %(run_id)s
           AND (status = 'queued' OR status = 'running' AND lease_until < now())
        RETURNING id, bidi_id, agent, conversation_id, trigger_id, status, generation, based_on_seq, due_at, feedback,
                  again, fence, steps, tokens_in, tokens_out, cost_usd_micros, model, outcome, reason,
               about_kind, about_id
        """,
        lease_seconds=lease_seconds,
        seq=conversation.last_inbound_seq if conversation else None,
        run_id=run_id,
    )
    if claimed is not None:
        await due.cancel(tx, QUIET, run_id)
        await emit(tx, RunStarted(claimed.conversation_id, run_id))
    return claimed


async def renew_run(tx: Tx, run: Run, lease_seconds: float) -> bool:
    """Extend the lease of a run that is still working; False when it was cancelled or taken over."""
    held = await tx.execute(
        """
        UPDATE runs
           SET lease_until = now() + make_interval(secs => %(lease_seconds)s)
         WHERE id = %(run_id)s
           AND fence = %(fence)s
           AND status = 'running'
        """,
        lease_seconds=lease_seconds,
        run_id=run.id,
        fence=run.fence,
    )
    return held == 1


@dataclass(frozen=True)
class Usage:
    """What a run has used so far."""

    steps: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int = 0
    model: str = ""


async def finish_run(
    tx: Tx, run: Run, status: RunStatus, *, outcome: str, reason: str = "", usage: Usage | None = None
) -> bool:
    """Close a running run; False when the fence has passed to somebody else, then nothing is written."""
    used = usage or Usage()
    finished = await tx.find(
        Run,
        """
        UPDATE runs
           SET status = %(status)s, outcome = %(outcome)s, reason = %(reason)s, finished_at = now(), lease_until = NULL,
               steps = %(steps)s, tokens_in = %(tokens_in)s, tokens_out = %(tokens_out)s,
               cost_usd_micros = %(cost_usd_micros)s, model = %(model)s
         WHERE id = %(run_id)s
           AND fence = %(fence)s
           AND status = 'running'
        RETURNING id, bidi_id, agent, conversation_id, trigger_id, status, generation, based_on_seq, due_at, feedback,
                  again, fence, steps, tokens_in, tokens_out, cost_usd_micros, model, outcome, reason,
               about_kind, about_id
        """,
        status=status,
        outcome=outcome,
        reason=reason,
        steps=used.steps,
        tokens_in=used.tokens_in,
        tokens_out=used.tokens_out,
        cost_usd_micros=used.cost_usd_micros,
        model=used.model,
        run_id=run.id,
        fence=run.fence,
    )
    if finished is None:
        return False
    failed = status in (RunStatus.FAILED, RunStatus.BUDGET_EXCEEDED)
    event = RunFailed if failed else RunFinished
    await emit(tx, event(run.conversation_id, run.id))
    if finished.again:
        await _insert_run(
            tx,
            RunRequest(run.bidi_id, run.agent, run.conversation_id, run.trigger_id),
            QuietWindow(0, 0),
            generation=0,
        )
    return True


async def cancel_run(tx: Tx, run: Run, reason: str) -> None:
    """Stop a run that is no longer wanted; its process finds its fence gone at the next step."""
    cancelled = await tx.execute(
        """
        UPDATE runs
           SET status = 'cancelled', reason = %(reason)s, finished_at = now(), lease_until = NULL, fence = fence + 1
         WHERE id = %(run_id)s
           AND status IN ('queued', 'running', 'waiting')
        """,
        reason=reason,
        run_id=run.id,
    )
    if cancelled:
        await due.cancel(tx, QUIET, run.id)
        await emit(tx, RunCancelled(run.conversation_id, run.id))


async def stop_run(tx: Tx, run_id: RunId) -> Run:
    """A person stops a run.

    Raises:
        NotFound: no such run.
        Conflict: it has ended already.
    """
    run = await queries.get_run(tx, run_id)
    tx.principal.require("conversations:write" if run.conversation_id else "bidi:manage")
    # whoever cancels a run locks the conversation first
    if run.conversation_id:
        await lock_conversation(tx, run.conversation_id)
    run = await queries.get_run(tx, run_id)
    if run.status not in OPEN:
        raise Conflict(f"This run is already {run.status}; nothing was stopped.", state=run.status)
    await cancel_run(tx, run, "a person stopped it")
    return await queries.get_run(tx, run_id)


async def cancel_open_runs(tx: Tx, conversation_id: ConversationId, reason: str) -> None:
    """A person took the conversation over: no agent goes on in it."""
    for run in await queries.list_open_runs(tx, conversation_id):
        await cancel_run(tx, run, reason)


async def give_up_run(tx: Tx, run_id: RunId, reason: str) -> Run | None:
    """Fail a run that could not be carried out however often it was tried; None when it had ended already."""
    run = await queries.get_run(tx, run_id)
    failed = await tx.execute(
        """
        UPDATE runs
           SET status = 'failed', outcome = 'gave_up', reason = %(reason)s, finished_at = now(), lease_until = NULL,
               fence = fence + 1
         WHERE id = %(run_id)s
           AND status IN ('queued', 'running', 'waiting')
        """,
        reason=reason,
        run_id=run_id,
    )
    if not failed:
        return None
    await emit(tx, RunFailed(run.conversation_id, run_id))
    return run
