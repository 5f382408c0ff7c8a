"""Carries out runs: leases them, drives their graph, and closes them; the only caller of LangGraph.

The run row says whether a run is finished. Whatever happens here, a conversation ends with a draft, with a person,
with nothing to do, or with a run that the next claim takes up again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from uuid import UUID

import psycopg
import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.errors import GraphRecursionError
from opentelemetry import trace
from prometheus_client import Counter, Histogram

from agents import checkpoints, registry
from agents.context import load_thread
from agents.desk import Desk, LeaseLost, ToolCaller
from agents.inbox import words
from agents.inbox.state import State, Stop
from agents.llm.base import LanguageModel
from agents.llm.exchange import Budget, BudgetExceeded, Limits, ModelFailed
from agents.llm.metered import Metered
from agents.llm.models import ModelChoice, ModelFactory
from agents.llm.offline.intents import warm_up
from agents.registry import Agent
from core.db import Database, Tx
from core.errors import AppError, Unavailable
from core.principal import system
from core.settings import Settings
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.contacts.queries import get_contact
from crm.conversations import actions as conversations
from crm.conversations.models import HandoffReason, HolderKind
from crm.conversations.queries import get_conversation
from crm.language_models.queries import choose_language_models
from crm.runs import actions as runs
from crm.runs.model_calls import CallTotals, ModelCall, record_model_calls, total_of_run
from crm.runs.models import Run, RunStatus
from events.ids import ConversationId, RunId
from prompts import library
from tools.base import RunContext

_log = structlog.get_logger("agents")
_tracer = trace.get_tracer("getsale.agents")
_finished = Counter("getsale_runs_total", "Agent runs that ended, by agent and outcome", ["agent", "outcome"])
_seconds = Histogram("getsale_run_seconds", "Duration of agent runs in seconds", ["agent"])

_STATUS = {
    "drafted": RunStatus.SUCCEEDED,
    "handed_off": RunStatus.SUCCEEDED,
    "ignored": RunStatus.SUCCEEDED,
    "outrun": RunStatus.CANCELLED,
    "failed": RunStatus.FAILED,
}


@dataclass(frozen=True)
class _Claim:
    """A leased run with its seat, the models that it may ask, and what it used before this process had it."""

    run: Run
    bidi: Bidi
    choice: ModelChoice
    used: CallTotals


@dataclass(frozen=True)
class _Ending:
    """How a run ends; `stop` is handed to a person in the same transaction."""

    status: RunStatus
    outcome: str
    reason: str
    stop: Stop | None = None


class Runtime:
    """Executes runs of every agent of the registry."""

    def __init__(
        self, db: Database, settings: Settings, dispatcher: ToolCaller, models: ModelFactory
    ) -> None:
        self._db = db
        self._settings = settings
        self._dispatcher = dispatcher
        self._models = models
        self._agents = registry.agents()
        self._serializers = {
            kind: checkpoints.serializer(agent.checkpointed) for kind, agent in self._agents.items()
        }
        warm_up()

    async def execute(self, organization_id: UUID, run_id: UUID) -> bool:
        """Carry out a run, or go on with one whose process died; False when it is finished or held elsewhere.

        Raises: whatever the worker may try again (a database that is away, a mistake of ours); the run is free then.
        """
        claim = await self._claim(organization_id, RunId(run_id))
        if claim is None:
            return False
        run = claim.run
        with (
            structlog.contextvars.bound_contextvars(run_id=str(run.id), organization_id=str(organization_id)),
            _tracer.start_as_current_span("run", attributes={"run_id": str(run.id), "agent": run.agent}),
        ):
            return await self._carry_out(claim)

    async def give_up(self, tx: Tx, run_id: UUID, reason: str) -> None:
        """Fail a run that was tried often enough, and give its conversation to a person."""
        run = await runs.give_up_run(tx, RunId(run_id), reason)
        if run is not None:
            language = await _language(tx, run.conversation_id)
            await _hand_off(tx, run, words.broken(language, reason))

    async def _claim(self, organization_id: UUID, run_id: RunId) -> _Claim | None:
        """Lease the run; one that nobody wants any more is cancelled instead."""
        async with self._db.transaction(system(organization_id), "run.claim") as tx:
            run = await runs.claim_run(tx, run_id, self._settings.lease_seconds)
            if run is None:
                return None
            bidi = await get_bidi(tx, run.bidi_id)
            if bidi.is_paused:
                await runs.cancel_run(tx, run, "the seat is paused")
                return None
            choice = ModelChoice(bidi.model, await choose_language_models(tx, bidi.model))
            used = await total_of_run(tx, run.id)
        return _Claim(run, bidi, choice, used)

    async def _carry_out(self, claim: _Claim) -> bool:
        """Drive the run and close it; False when its lease went to somebody else meanwhile."""
        run, bidi, used = claim.run, claim.bidi, claim.used
        started = monotonic()
        budget = Budget(self._limits(bidi), 0, used.tokens_in, used.tokens_out, used.cost_usd_micros)
        model: LanguageModel | None = None
        is_closed = False
        try:
            try:
                model = Metered(self._models(claim.choice), partial(self._record_calls, run, bidi))
                ending = await self._drive(run, bidi, model, budget)
            except BudgetExceeded as err:
                ending = await self._ending_without_answer(run, bidi, RunStatus.BUDGET_EXCEEDED, str(err))
            except (ModelFailed, GraphRecursionError) as err:
                ending = await self._ending_without_answer(run, bidi, RunStatus.FAILED, str(err))
            except AppError as err:
                if isinstance(err, Unavailable):
                    raise
                ending = await self._ending_without_answer(run, bidi, RunStatus.FAILED, err.detail)
            label = model.label if model else ""
            is_closed = await self._finish(run, bidi, ending, budget, label)
            outcome = ending.outcome if is_closed else "lost"
        except LeaseLost:
            is_closed, outcome = True, "lost"
        finally:
            if not is_closed:
                await self._release(run, bidi)
        _finished.labels(run.agent, outcome).inc()
        _seconds.labels(run.agent).observe(monotonic() - started)
        _log.info(
            "run.finished",
            agent=run.agent,
            outcome=outcome,
            steps=budget.steps,
            model=model.label if model else "",
            duration_ms=round((monotonic() - started) * 1000),
        )
        return outcome != "lost"

    async def _record_calls(self, run: Run, bidi: Bidi, calls: Sequence[ModelCall]) -> None:
        async with self._db.transaction(system(bidi.organization_id), "run.model_calls") as tx:
            await record_model_calls(tx, run.id, calls)

    def _limits(self, bidi: Bidi) -> Limits:
        patience = self._settings.agent_patience
        return Limits(
            steps=min(bidi.max_steps, self._settings.run_max_steps),
            tokens=bidi.max_tokens,
            cost_usd_micros=bidi.max_cost_usd_micros,
            seconds=min(float(bidi.max_seconds), self._settings.run_max_seconds) * patience,
            model_seconds=self._settings.model_timeout_seconds * patience,
        )

    async def _drive(self, run: Run, bidi: Bidi, model: LanguageModel, budget: Budget) -> _Ending:
        """Run the graph to its end under the lease and the clock.

        Raises: LeaseLost, BudgetExceeded, ModelFailed, GraphRecursionError.
        """
        agent = self._agents.get(run.agent)
        if agent is None:
            raise ModelFailed(f"there is no agent {run.agent!r} in this build")
        principal = bidi.principal(run.id)
        async with self._leased(run, bidi, budget):
            thread = await load_thread(self._db, principal, run)
            if thread.conversation.holder_kind is HolderKind.PERSON:
                return _Ending(RunStatus.CANCELLED, "unwanted", "a person holds the conversation")
            prompt = library.load(agent.prompt).label
            ctx = RunContext(run, bidi, principal, model=model.label, prompt=prompt)
            desk = Desk(ctx, thread, model, self._dispatcher, budget, registry.reading_tools(principal))
            async with self._db.session(principal) as connection:
                saver = checkpoints.saver(connection, self._serializers[run.agent])
                state = await _invoke(agent, saver, run, desk)
                await checkpoints.prune(saver, run.id)
        outcome = state.get("outcome", "failed")
        return _Ending(_STATUS[outcome], outcome, state.get("detail", ""))

    @asynccontextmanager
    async def _leased(self, run: Run, bidi: Bidi, budget: Budget) -> AsyncIterator[None]:
        """Renew the lease while the block works; stop it when the lease is lost or the time is up."""
        lost = asyncio.Event()
        try:
            async with asyncio.timeout(budget.seconds_left) as scope:
                beat = asyncio.create_task(self._beat(run, bidi, scope, lost))
                try:
                    yield
                finally:
                    beat.cancel()
        except TimeoutError as err:
            if not scope.expired():
                raise
            if lost.is_set():
                raise LeaseLost from err
            raise BudgetExceeded(f"the run took longer than {budget.limits.seconds:.0f} seconds") from err

    async def _beat(self, run: Run, bidi: Bidi, scope: asyncio.Timeout, lost: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            try:
                is_held = await self._renew(run, bidi, self._settings.lease_seconds)
            except (Unavailable, psycopg.OperationalError):
                _log.warning("run.lease_not_renewed", run_id=str(run.id))
                continue
            if not is_held:
                lost.set()
                scope.reschedule(asyncio.get_running_loop().time())
                return

    async def _renew(self, run: Run, bidi: Bidi, seconds: float) -> bool:
        async with self._db.transaction(system(bidi.organization_id), "run.renew") as tx:
            return await runs.renew_run(tx, run, seconds)

    async def _release(self, run: Run, bidi: Bidi) -> None:
        """Let the next claim have the run at once; when the database is away its lease ends by itself."""
        try:
            await self._renew(run, bidi, 0)
        except (Unavailable, psycopg.OperationalError):
            _log.warning("run.lease_not_released", run_id=str(run.id))

    async def _ending_without_answer(self, run: Run, bidi: Bidi, status: RunStatus, why: str) -> _Ending:
        async with self._db.transaction(system(bidi.organization_id), "run.language") as tx:
            language = await _language(tx, run.conversation_id)
        if status is RunStatus.BUDGET_EXCEEDED:
            return _Ending(status, "handed_off", why, words.out_of_budget(language, why))
        return _Ending(status, "failed", why, words.broken(language, why))

    async def _finish(self, run: Run, bidi: Bidi, ending: _Ending, budget: Budget, label: str) -> bool:
        """Close the run, and hand its conversation over where it must be, in one transaction."""
        usage = runs.Usage(budget.steps, budget.tokens_in, budget.tokens_out, budget.cost_usd_micros, label)
        principal = system(bidi.organization_id).in_run(run.id)
        async with self._db.transaction(principal, "run.finish") as tx:
            is_ours = await runs.finish_run(
                tx, run, ending.status, outcome=ending.outcome, reason=ending.reason[:500], usage=usage
            )
            if is_ours and ending.stop is not None:
                await _hand_off(tx, run, ending.stop)
        return is_ours


async def _invoke(agent: Agent, saver: AsyncPostgresSaver, run: Run, desk: Desk) -> State:
    """Drive the graph from its newest checkpoint, or from the start when that tells no outcome."""
    graph = agent.graph.copy({"checkpointer": saver})
    config: RunnableConfig = {
        "configurable": {"thread_id": str(run.id)},
        "recursion_limit": agent.recursion_limit,
    }
    # Only a run that was claimed before can have left a checkpoint behind.
    if run.fence > 1 and await saver.aget_tuple(config) is not None:
        resumed = await graph.ainvoke(None, config, context=desk, durability="sync", version="v2")
        if "outcome" in resumed.value:
            return resumed.value
    # Starting over is safe: every effect goes through a tool, and a tool runs once per call key.
    done = await graph.ainvoke({}, config, context=desk, durability="sync", version="v2")
    return done.value


async def _language(tx: Tx, conversation_id: ConversationId) -> str:
    conversation = await get_conversation(tx, conversation_id)
    return (await get_contact(tx, conversation.contact_id)).language


async def _hand_off(tx: Tx, run: Run, stop: Stop) -> None:
    """Give the conversation to people, unless one of them has it already."""
    conversation = await get_conversation(tx, run.conversation_id)
    if conversation.holder_kind is not HolderKind.PERSON:
        await conversations.hand_off(
            tx,
            run.conversation_id,
            reason=HandoffReason(stop.reason),
            summary=stop.summary,
            next_step=stop.next_step,
        )
