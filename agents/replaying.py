"""Runs a finished run again from one of its steps: with other prompts or another model, and without any effect.

The state before the step is told from the run's newest checkpoint and put into a thread of its own, in memory. From there
the same graph runs on with tools that only read (tools/rehearsal.py), over the thread as the run had seen it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError

from agents import checkpoints, registry
from agents.agent import Agent, NeverThere, Unwanted
from agents.desk import Desk
from agents.llm.base import LanguageModel
from agents.llm.exchange import Budget, BudgetExceeded, ModelFailed
from agents.llm.models import ModelChoice, ModelFactory
from agents.runtime import State, limits_of
from core.db import Database
from core.errors import AppError, Conflict, Unavailable
from core.principal import system
from core.settings import Settings
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.language_models.queries import choose_language_models
from crm.runs.graphs import SHAPES
from crm.runs.models import Run
from crm.runs.queries import get_run
from crm.runs.replays import GONE, NEVER_THERE, Replay, ReplayResult
from crm.runs.tool_calls import ToolCall, list_tool_calls
from prompts import library
from tools.base import RunContext
from tools.dispatch import Dispatcher
from tools.rehearsal import Rehearsal


@dataclass(frozen=True)
class _Original:
    """The run that is run again, as it is recorded, and what its replay begins with."""

    run: Run
    bidi: Bidi
    choice: ModelChoice
    calls: Sequence[ToolCall]
    step: str


class Replayer:
    """Plays replays of runs of every agent."""

    def __init__(
        self, db: Database, settings: Settings, dispatcher: Dispatcher, models: ModelFactory
    ) -> None:
        self._db = db
        self._settings = settings
        self._dispatcher = dispatcher
        self._models = models
        self._agents = registry.agents()

    async def play(self, organization_id: UUID, replay: Replay) -> ReplayResult:
        """What came of it, also when it came to nothing. Raises: Unavailable; the replay can be played again."""
        original = await self._load(organization_id, replay)
        budget = Budget(limits_of(original.bidi, self._settings))
        caller = Rehearsal(self._dispatcher, original.calls, read_before=_read_before(original))
        model: LanguageModel | None = None
        state, problem = State(), ""
        try:
            model = self._models(original.choice)
            prompts = [library.edited(name, text) for name, text in replay.prompts.items()]
            async with asyncio.timeout(budget.seconds_left):
                with library.using(prompts):
                    state = await self._run_on(original, model, caller, budget)
        except TimeoutError:
            problem = f"the run took longer than {budget.limits.seconds:.0f} seconds"
        except Unavailable:
            raise
        except AppError as err:
            problem = err.detail
        except NeverThere:
            problem = NEVER_THERE
        except (BudgetExceeded, ModelFailed, Unwanted, GraphRecursionError, library.PromptError) as err:
            problem = str(err)
        body = self._agents[original.run.agent].said(state)
        return _result(state, body, problem, caller, budget, model.label if model else "")

    async def _load(self, organization_id: UUID, replay: Replay) -> _Original:
        async with self._db.transaction(system(organization_id), "replay.load") as tx:
            run = await get_run(tx, replay.run_id)
            bidi = await get_bidi(tx, run.bidi_id)
            name = replay.model or bidi.model
            choice = ModelChoice(name, await choose_language_models(tx, name), run.agent)
            return _Original(run, bidi, choice, await list_tool_calls(tx, run.id), replay.step)

    async def _run_on(
        self, original: _Original, model: LanguageModel, caller: Rehearsal, budget: Budget
    ) -> State:
        """The state in which the graph ends. Raises: Conflict when there is nothing to go on from."""
        run, agent = original.run, self._agents[original.run.agent]
        async with self._db.transaction(system(original.bidi.organization_id), "replay.principal") as tx:
            principal = await agent.principal(tx, run, original.bidi)
        async with self._db.transaction(principal, "replay.context", is_read_only=True) as tx:
            thread = await agent.recall(tx, run)
        async with self._db.session(principal) as connection:
            serde = checkpoints.serializer(agent.checkpointed)
            newest = await checkpoints.saver(connection, serde).aget_tuple(_thread(run))
        if newest is None:
            raise Conflict(GONE)
        ctx = RunContext(
            run, original.bidi, principal, agent.starts_tainted, model=model.label, asked=agent.asked(thread)
        )
        desk = Desk(ctx, thread, model, caller, budget, agent.tools(principal))
        return await _go_on(agent, original, newest.checkpoint["channel_values"], desk)


async def _go_on(agent: Agent[Any, Any], original: _Original, left: State, desk: Desk[Any]) -> State:
    """Put the state before the step into a thread of its own, and run the graph on."""
    graph = agent.graph.copy(
        {"checkpointer": InMemorySaver(serde=checkpoints.serializer(agent.checkpointed))}
    )
    config: RunnableConfig = {**_thread(original.run), "recursion_limit": agent.recursion_limit}
    beginning = agent.rewind(original.step, left)
    if beginning.after is not None:
        await graph.aupdate_state(config, dict(beginning.state), as_node=beginning.after)
    first: State | None = {} if beginning.after is None else None
    done = await graph.ainvoke(first, config, context=desk, version="v2")
    return dict(done.value)


def _thread(run: Run) -> RunnableConfig:
    return {"configurable": {"thread_id": str(run.id), "checkpoint_ns": ""}}


def _read_before(original: _Original) -> set[str]:
    """The tools from which the run had an answer before the step."""
    shape = SHAPES[original.run.agent]
    return {
        call.tool
        for call in original.calls
        if call.status == "done" and shape.is_before(call.call_key, original.step)
    }


def _result(
    state: State, body: str, problem: str, caller: Rehearsal, budget: Budget, label: str
) -> ReplayResult:
    return ReplayResult(
        outcome=state.get("outcome", ""),
        reason=problem or state.get("detail", ""),
        body=body,
        flags=[asdict(mark) for mark in state.get("marks", [])],
        calls=caller.calls,
        answered_by=label,
        tokens_in=budget.tokens_in,
        tokens_out=budget.tokens_out,
        cost_usd_micros=budget.cost_usd_micros,
        is_failed=bool(problem),
    )
