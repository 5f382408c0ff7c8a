"""Carries out runs: leases them, drives their graph, and closes them; the only caller of LangGraph.

The run row says whether a run is finished. Whatever happens here, a run ends with what was asked of it, with people
told of its failure, with nothing to do, or with a next claim that takes it up again. agents/agent.py says what each
kind of agent brings along.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.errors import GraphRecursionError
from opentelemetry import trace
from prometheus_client import Counter, Histogram

from agents import checkpoints, registry
from agents.agent import Agent, Trouble, Unwanted
from agents.desk import Desk, LeaseLost, ToolCaller
from agents.inbox import agent as inbox
from agents.llm.base import LanguageModel
from agents.llm.exchange import Budget, BudgetExceeded, Limits, ModelFailed
from agents.llm.metered import Metered
from agents.llm.models import ModelChoice, ModelFactory
from agents.llm.offline.intents import warm_up
from core.db import Database, Tx
from core.errors import AppError, Unavailable
from core.principal import Principal, system
from core.pubsub import PubSub
from core.settings import Settings
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.language_models.queries import choose_language_models
from crm.runs import actions as runs
from crm.runs import day_budgets, tool_calls
from crm.runs.model_calls import CallTotals, ModelCall, record_model_calls, total_of_run
from crm.runs.models import Run, RunStatus
from events.ids import RunId
from prompts import library
from tools.base import RunContext

_log = structlog.get_logger("agents")
_tracer = trace.get_tracer("getsale.agents")
_finished = Counter("getsale_runs_total", "Agent runs that ended, by agent and outcome", ["agent", "outcome"])
_seconds = Histogram("getsale_run_seconds", "Duration of agent runs in seconds", ["agent"])

# Cancelling a run, or pausing its seat, reaches the process that carries it out within two seconds.
_NOTICE_SECONDS = 1.0
State = dict[str, Any]  # of whichever agent it is


@dataclass(frozen=True)
class _Claim:
    """A leased run with its seat, the models that it may ask, what it used before this process had it, and why its
    seat may use nothing more today, if so."""

    run: Run
    bidi: Bidi
    choice: ModelChoice
    used: CallTotals
    why_spent: str = ""


@dataclass(frozen=True)
class _Ending:
    """How a run ends: with the state that its graph came to, or with the trouble that people are told of."""

    status: RunStatus
    outcome: str
    reason: str
    state: State = field(default_factory=dict)
    trouble: Trouble | None = None


class Runtime:
    """Executes runs of every agent of the registry, or of the agents that are given."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        dispatcher: ToolCaller,
        models: ModelFactory,
        pubsub: PubSub | None = None,
        *,
        agents: Mapping[str, Agent[Any, Any]] | None = None,
    ) -> None:
        self._db = db
        self._pubsub = pubsub
        self._settings = settings
        self._dispatcher = dispatcher
        self._models = models
        self._kept = timedelta(days=settings.model_exchange_days)
        self._agents = registry.agents() if agents is None else dict(agents)
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
        """Fail a run that was tried often enough, and tell people."""
        run = await runs.give_up_run(tx, RunId(run_id), reason)
        if run is not None:
            await self._give_up(tx, run, Trouble(RunStatus.FAILED, reason))

    async def _claim(self, organization_id: UUID, run_id: RunId) -> _Claim | None:
        """Lease the run; one that nobody wants any more is cancelled instead."""
        async with self._db.transaction(system(organization_id), "run.claim") as tx:
            run = await runs.claim_run(tx, run_id, self._settings.lease_seconds)
            if run is None:
                return None
            bidi = await get_bidi(tx, run.bidi_id)
            choice = ModelChoice(bidi.model, await choose_language_models(tx, bidi.model), run.agent)
            used = await total_of_run(tx, run.id)
            why_spent = await day_budgets.why_spent(tx, bidi)
        return _Claim(run, bidi, choice, used, why_spent)

    async def _carry_out(self, claim: _Claim) -> bool:
        """Drive the run and close it; False when its lease went to somebody else meanwhile."""
        run, bidi, used = claim.run, claim.bidi, claim.used
        started = monotonic()
        budget = Budget(
            limits_of(bidi, self._settings), 0, used.tokens_in, used.tokens_out, used.cost_usd_micros
        )
        model: LanguageModel | None = None
        is_closed = False
        try:
            try:
                if claim.why_spent:
                    raise BudgetExceeded(claim.why_spent)
                model = Metered(self._models(claim.choice), partial(self._record_calls, run, bidi))
                ending = await self._drive(run, bidi, model, budget)
            except BudgetExceeded as err:
                ending = _troubled(RunStatus.BUDGET_EXCEEDED, str(err))
            except Unwanted as err:
                ending = _Ending(RunStatus.CANCELLED, "unwanted", str(err))
            except (ModelFailed, GraphRecursionError) as err:
                ending = _troubled(RunStatus.FAILED, str(err))
            except AppError as err:
                if isinstance(err, Unavailable):
                    raise
                ending = _troubled(RunStatus.FAILED, err.detail)
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
        """Raises: BudgetExceeded when the day's budget is used up with them."""
        async with self._db.transaction(system(bidi.organization_id), "run.model_calls") as tx:
            await record_model_calls(tx, run.id, calls, keep=self._kept)
            why_spent = await day_budgets.why_spent(tx, bidi)
        if why_spent:
            raise BudgetExceeded(why_spent)

    async def _drive(self, run: Run, bidi: Bidi, model: LanguageModel, budget: Budget) -> _Ending:
        """Run the graph to its end under the lease and the clock.

        Raises: LeaseLost, BudgetExceeded, ModelFailed, Unwanted, GraphRecursionError.
        """
        agent = self._agents.get(run.agent)
        if agent is None:
            raise ModelFailed(f"there is no agent {run.agent!r} in this build")
        async with self._leased(run, bidi, budget):
            principal = await self._principal(agent, run, bidi)
            async with self._db.transaction(principal, "run.context") as tx:
                thread = await agent.load(tx, run)
            prompt = library.load(agent.prompt).label
            ctx = RunContext(
                run,
                bidi,
                principal,
                agent.starts_tainted,
                model=model.label,
                prompt=prompt,
                asked=agent.asked(thread),
            )
            desk = Desk(ctx, thread, model, self._dispatcher, budget, agent.tools(principal))
            if self._pubsub is not None:
                desk.publish = partial(self._pubsub.publish, principal.organization_id)
            async with self._db.session(principal) as connection:
                saver = checkpoints.saver(connection, self._serializers[run.agent])
                state = await _invoke(agent, saver, run, desk)
                await checkpoints.prune(saver, run.id)
        outcome = state.get("outcome", "failed")
        return _Ending(agent.outcomes[outcome], outcome, state.get("detail", ""), state)

    async def _principal(self, agent: Agent[Any, Any], run: Run, bidi: Bidi) -> Principal:
        async with self._db.transaction(system(bidi.organization_id), "run.principal") as tx:
            return await agent.principal(tx, run, bidi)

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
        """Look every second whether somebody stopped the run; a promise to users counts on it."""
        renewed = monotonic()
        while True:
            await asyncio.sleep(min(_NOTICE_SECONDS, self._settings.lease_seconds / 3))
            is_renewal = monotonic() - renewed >= self._settings.lease_seconds / 3
            try:
                if is_renewal:
                    is_held, renewed = await self._renew(run, bidi, self._settings.lease_seconds), monotonic()
                else:
                    is_held = await self._is_held(run, bidi)
            except (Unavailable, psycopg.OperationalError):
                _log.warning("run.lease_not_renewed", run_id=str(run.id))
                continue
            if not is_held:
                lost.set()
                scope.reschedule(asyncio.get_running_loop().time())
                return

    async def _is_held(self, run: Run, bidi: Bidi) -> bool:
        async with self._db.transaction(system(bidi.organization_id), "run.look") as tx:
            return await tool_calls.is_held(tx, run.id, run.fence)

    async def _renew(self, run: Run, bidi: Bidi, seconds: float) -> bool:
        async with self._db.transaction(system(bidi.organization_id), "run.renew") as tx:
            return await runs.renew_run(tx, run, seconds)

    async def _release(self, run: Run, bidi: Bidi) -> None:
        """Let the next claim have the run at once; when the database is away its lease ends by itself."""
        try:
            await self._renew(run, bidi, 0)
        except (Unavailable, psycopg.OperationalError):
            _log.warning("run.lease_not_released", run_id=str(run.id))

    async def _finish(self, run: Run, bidi: Bidi, ending: _Ending, budget: Budget, label: str) -> bool:
        """Close the run, and keep what it came to or tell people of its trouble, in one transaction."""
        usage = runs.Usage(budget.steps, budget.tokens_in, budget.tokens_out, budget.cost_usd_micros, label)
        principal = system(bidi.organization_id).in_run(run.id)
        async with self._db.transaction(principal, "run.finish") as tx:
            is_ours = await runs.finish_run(
                tx, run, ending.status, outcome=ending.outcome, reason=ending.reason[:500], usage=usage
            )
            if is_ours and ending.trouble is not None:
                await self._give_up(tx, run, ending.trouble)
            elif is_ours and ending.state:
                await self._agents[run.agent].conclude(tx, run, ending.state)
        return is_ours

    async def _give_up(self, tx: Tx, run: Run, trouble: Trouble) -> None:
        agent = self._agents.get(run.agent)
        # An agent that is not in this build left a conversation behind like any other.
        await (agent.give_up if agent else inbox.give_up)(tx, run, trouble)


def limits_of(bidi: Bidi, settings: Settings) -> Limits:
    """What one run of a seat may use here."""
    patience = settings.agent_patience
    return Limits(
        steps=min(bidi.max_steps, settings.run_max_steps),
        tokens=bidi.max_tokens,
        cost_usd_micros=bidi.max_cost_usd_micros,
        seconds=min(float(bidi.max_seconds), settings.run_max_seconds) * patience,
        model_seconds=settings.model_timeout_seconds * patience,
    )


def _troubled(status: RunStatus, why: str) -> _Ending:
    outcome = "out_of_budget" if status is RunStatus.BUDGET_EXCEEDED else "failed"
    return _Ending(status, outcome, why, trouble=Trouble(status, why))


async def _invoke(agent: Agent[Any, Any], saver: AsyncPostgresSaver, run: Run, desk: Desk[Any]) -> State:
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
            return dict(resumed.value)
    # Starting over is safe: every effect goes through a tool, and a tool runs once per call key.
    done = await graph.ainvoke({}, config, context=desk, durability="sync", version="v2")
    return dict(done.value)
