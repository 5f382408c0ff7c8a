"""Programs that call tools: the calls of one key that follow each other are one run, in the name of one seat.

Such a run is begun by its first call and ended by silence, so that it is seen, stopped, reverted and audited as any
other. Nobody executes it: what it does is what the program calls.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.bidi.actions import API_SCOPES, ensure_api_seat
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi_of_agent, is_at_work
from crm.runs import day_budgets, tool_calls
from crm.runs.actions import Usage, finish_run
from crm.runs.models import Run, RunStatus
from crm.runs.queries import get_run
from events import due
from events.ids import BidiId, OrganizationId, RunId
from events.outbox import emit
from events.types import RunStarted

AGENT = "api"
LEAVE = "run.leave"
# After so much silence the next call is a run of its own.
SILENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class Visit:
    """The run that a program's next call belongs to; `principal` is the seat, within what the program may do."""

    run: Run
    bidi: Bidi
    principal: Principal


async def enter(tx: Tx, credential_id: UUID) -> Visit:
    """The visit that this credential of the principal is on, or a new one.

    Raises: Conflict when the seat of programs is paused, or has used up its day.
    """
    bidi = await ensure_api_seat(tx)
    # before any run, as whoever pauses a seat does
    if not await is_at_work(tx, bidi.id):
        raise Conflict(f"The seat {bidi.name} is paused; an administrator can start it again.")
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('tool_visits ' || %(credential_id)s, 0))",
        credential_id=str(credential_id),
    )
    run = await _find_open(tx, credential_id)
    if run is not None and await tool_calls.count_tool_calls(tx, run.id) >= bidi.max_steps:
        await _leave(tx, run)
        run = None
    if run is None:
        run = await _begin(tx, bidi, credential_id)
    return Visit(run, bidi, bidi.principal(run.id).on_behalf_of(tx.principal))


async def find_reach(tx: Tx) -> Principal:
    """What a program of the principal may do now: what both it and the seat of programs may."""
    try:
        seat = (await get_bidi_of_agent(tx, AGENT)).principal()
    except NotFound:
        # it is made by the first call
        seat = Principal(
            PrincipalKind.BIDI,
            BidiId(tx.organization_id),
            OrganizationId(tx.organization_id),
            scopes=frozenset(API_SCOPES),
        )
    return seat.on_behalf_of(tx.principal)


async def leave_if_silent(tx: Tx, run_id: RunId) -> None:
    """End a visit whose program has said nothing for a while; look again later when it has."""
    run = await get_run(tx, run_id)
    if run.status is not RunStatus.RUNNING:
        return
    last = await tx.value("SELECT max(started_at) FROM tool_calls WHERE run_id = %(run_id)s", run_id=run_id)
    if last is not None and last + SILENCE > clock.now():
        await due.schedule(tx, LEAVE, run_id, last + SILENCE)
    else:
        await _leave(tx, run)


async def _find_open(tx: Tx, credential_id: UUID) -> Run | None:
    return await tx.find(
        Run,
        """
        SELECT r.id, r.bidi_id, r.agent, r.conversation_id, r.trigger_id, r.status, r.generation, r.based_on_seq,
               r.due_at, r.feedback, r.again, r.fence, r.steps, r.tokens_in, r.tokens_out, r.cost_usd_micros, r.model,
               r.outcome, r.reason, r.about_kind, r.about_id
          FROM tool_visits v
          JOIN runs r ON (r.organization_id, r.id) = (v.organization_id, v.run_id)
         WHERE v.credential_id = %(credential_id)s
           AND v.user_id = %(user_id)s
           AND r.status = 'running'
         ORDER BY v.run_id DESC
         LIMIT 1
        """,
        credential_id=credential_id,
        user_id=tx.principal.id,
    )


async def _begin(tx: Tx, bidi: Bidi, credential_id: UUID) -> Run:
    """Raises: Conflict when the day's budget is used up."""
    run_id = RunId(uuid7())
    await tx.execute(
        """
        INSERT INTO runs (organization_id, id, bidi_id, agent, status, fence, first_at, due_at, started_at)
        VALUES (%(organization_id)s, %(id)s, %(bidi_id)s, 'api', 'running', 1, %(now)s, %(now)s, now())
        """,
        organization_id=tx.organization_id,
        id=run_id,
        bidi_id=bidi.id,
        now=clock.now(),
    )
    await tx.execute(
        """
        INSERT INTO tool_visits (organization_id, run_id, credential_id, user_id)
        VALUES (%(organization_id)s, %(run_id)s, %(credential_id)s, %(user_id)s)
        """,
        organization_id=tx.organization_id,
        run_id=run_id,
        credential_id=credential_id,
        user_id=tx.principal.id,
    )
    why_spent = await day_budgets.why_spent(tx, bidi)
    if why_spent:
        raise Conflict(f"Nothing more is done for programs today: {why_spent}.")
    await due.schedule(tx, LEAVE, run_id, clock.now() + SILENCE)
    await emit(tx, RunStarted(None, run_id))
    return await get_run(tx, run_id)


async def _leave(tx: Tx, run: Run) -> None:
    calls = await tool_calls.count_tool_calls(tx, run.id)
    await finish_run(tx, run, RunStatus.SUCCEEDED, outcome="left", usage=Usage(steps=calls))
    await due.cancel(tx, LEAVE, run.id)
