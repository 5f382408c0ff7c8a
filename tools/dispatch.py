"""The only way a tool runs: judged, once per call key, within a time limit, recorded with its effect."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
import structlog
from opentelemetry import trace
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, JsonValue

from core import crashpoint
from core.db import Database, Tx
from core.errors import AppError, NotFound, Unprocessable
from core.principal import Principal
from crm.runs import asked_calls, tool_calls
from crm.runs.footing import Footing, get_footing
from crm.runs.tool_calls import NewToolCall, ToolCall
from events.ids import ApprovalId
from events.outbox import emit
from events.types import ToolCalled, ToolDenied
from graph.store import GraphStore
from memory.embeddings.base import Embedder
from memory.embeddings.remote import NoEmbedder
from memory.recall import Memories
from tools import asking, gate, registry, wire
from tools.base import (
    Decision,
    Risk,
    RunContext,
    Tool,
    ToolContext,
    ToolFailed,
    ToolResult,
    ToolRetry,
    ToolStatus,
)

_log = structlog.get_logger("tools")
_tracer = trace.get_tracer("getsale.tools")
_calls = Counter("getsale_tool_calls_total", "Tool calls by tool and status", ["tool", "status"])
_seconds = Histogram("getsale_tool_seconds", "Duration of tool calls in seconds", ["tool", "status"])

MAX_NAME = 100
TAKEN_OVER = ToolResult(
    ToolStatus.FAILED,
    Decision.DENY,
    error="The run was taken over; nothing more is done in its name.",
    code="taken_over",
)


class _TakenOver(Exception):
    """The run's fence has passed to somebody else: nothing of this call may stay."""


@dataclass(frozen=True)
class Request:
    """One call as it came in: `arguments` as they can be stored, `problem` says why they could not be."""

    ctx: RunContext
    name: str
    tool: Tool[BaseModel] | None
    arguments: dict[str, JsonValue]
    problem: str
    call_key: str

    @property
    def label(self) -> str:
        return self.tool.name if self.tool else "unknown"


@dataclass(frozen=True)
class Begun:
    """A call that was recorded as begun and is still to be run, outside of any transaction."""

    call_id: UUID
    tool: Tool[BaseModel]
    args: BaseModel
    decision: Decision = Decision.ALLOW
    why: tuple[str, ...] = ()


class Dispatcher:
    """Calls tools on behalf of runs. `tools` are the registry's unless a test brings its own; without an embedder
    memory is searched by words only.
    """

    def __init__(
        self,
        db: Database,
        graph: GraphStore,
        tools: Sequence[Tool[BaseModel]] | None = None,
        *,
        embedder: Embedder | None = None,
    ) -> None:
        self._db = db
        self._graph = graph
        self._memories = Memories(embedder or NoEmbedder(), graph)
        self._tools = {tool.name: tool for tool in (registry.TOOLS if tools is None else tools)}
        self._untrusted = [tool.name for tool in self._tools.values() if tool.returns_untrusted]
        self._safe = {tool.name for tool in self._tools.values() if tool.is_counterpart_safe}

    async def call(self, ctx: RunContext, name: str, arguments: object, call_key: str) -> ToolResult:
        """Run a tool once per (run, `call_key`); the same call again returns what was recorded.

        A refusal or failure is a result with a text for the model, never an exception. What does raise: a database
        that is away, or a deadlock; then nothing was recorded and the call can be repeated.
        """
        name = wire.text(name)[:MAX_NAME]
        try:
            clean, problem = wire.storable(arguments), ""
        except ToolRetry as err:
            clean, problem = {}, str(err)
        request = Request(ctx, name, self._tools.get(name), clean, problem, call_key)
        started = time.perf_counter()
        with _tracer.start_as_current_span(f"tool {request.label}") as span:
            try:
                result = await self._call(request)
            except _TakenOver:
                result = TAKEN_OVER
            span.set_attributes({"run_id": str(ctx.run_id), "status": result.status.value})
        _observe(request, result, time.perf_counter() - started)
        return result

    async def _call(self, request: Request) -> ToolResult:
        async with self._turn(request) as tx:
            begun = await self._begin(tx, request)
            if isinstance(begun, ToolResult):
                return begun
        started = time.perf_counter()
        result = await self._run(request, begun, None)
        async with self._turn(request) as tx:
            recorded = await tool_calls.find_tool_call(tx, request.ctx.run_id, request.call_key)
            if recorded is not None and recorded.status != "running":
                return self._replay(request, recorded)
            return await _settle(tx, request, begun.call_id, result, started)

    async def carry_out(self, principal: Principal, approval_id: ApprovalId) -> ToolResult | None:
        """Make a call that a person approved, once, as its agent and within what the approver may do.

        `principal` is who found the decision; what happens is caused by it. None when there is nothing to make: the
        approval is of a draft, or the call was carried out before. Raises: as `call`.
        """
        async with self._db.transaction(principal, "tool.approved") as tx:
            approved = await asking.load(tx, approval_id, principal)
        if approved is None:
            return None
        call = approved.call
        request = Request(
            approved.ctx, call.tool, self._tools.get(call.tool), call.arguments, "", call.call_key
        )
        started = time.perf_counter()
        with _tracer.start_as_current_span(f"tool {request.label}") as span:
            result = await self._carry_out(request, approved)
            span.set_attributes({"run_id": str(approved.ctx.run_id), "status": result.status.value})
        _observe(request, result, time.perf_counter() - started)
        return result

    async def _carry_out(self, request: Request, approved: asking.Approved) -> ToolResult:
        """As `_call`, for a run that may have ended: the row of the call takes the place of the run's fence."""
        started = time.perf_counter()
        async with self._transaction(request) as tx:
            call = await asking.take(tx, approved)
            if call.status not in ("asked", "running"):
                return self._replay(request, call)
            begun = await self._begin_approved(tx, request, approved, call)
            if isinstance(begun, Begun) and begun.tool.has_tx:
                # The effect and its record commit together, so the call happens exactly once.
                begun = await self._run(request, begun, tx)
            if isinstance(begun, ToolResult):
                return await _close(tx, approved, begun, started)
            await tool_calls.mark_running(tx, call.id)
        result = await self._run(request, begun, None)
        async with self._transaction(request) as tx:
            call = await asking.take(tx, approved)
            if call.status != "running":
                return self._replay(request, call)
            return await _close(tx, approved, result, started)

    async def _begin_approved(
        self, tx: Tx, request: Request, approved: asking.Approved, call: ToolCall
    ) -> ToolResult | Begun:
        tool = request.tool
        if tool is None:
            return _failure("unknown_tool", f"There is no tool {request.name} any more.")
        if call.status == "running" and not tool.is_repeatable:
            return _failure(
                "unknown", "It was begun and cut off; nobody knows how it ended. Look before you repeat it."
            )
        verdict = await asking.judge(tx, approved, tool)
        if isinstance(verdict, ToolResult):
            return verdict
        return Begun(call.id, tool, verdict, Decision.ASK)

    def _turn(self, request: Request) -> AbstractAsyncContextManager[Tx]:
        """A transaction in which no other call of this run is decided or recorded; see `tool_calls.take_turn`."""
        turn = tool_calls.turn_of(request.ctx.run_id)
        return self._db.transaction(self._principal(request), f"tool.{request.label}", turn=turn)

    def _transaction(self, request: Request) -> AbstractAsyncContextManager[Tx]:
        return self._db.transaction(self._principal(request), f"tool.{request.label}")

    @staticmethod
    def _principal(request: Request) -> Principal:
        return request.ctx.principal.in_run(request.ctx.run_id)

    async def _begin(self, tx: Tx, request: Request) -> ToolResult | Begun:
        """Replay, refuse, or run a call inside this transaction; or record that it begins and leave the rest."""
        ctx, tool = request.ctx, request.tool
        footing = await get_footing(
            tx,
            ctx.run_id,
            ctx.run.fence,
            call_key=request.call_key,
            tool=request.name,
            arguments=request.arguments,
            untrusted_tools=self._untrusted,
        )
        if not footing.is_held:
            raise _TakenOver
        recorded = None
        if footing.is_recorded:
            recorded = await tool_calls.find_tool_call(tx, ctx.run_id, request.call_key)
        if recorded is not None and tool is not None and _was_cut_off(request, tool, recorded):
            return Begun(recorded.id, tool, wire.parse(tool, request.arguments))
        if recorded is not None:
            return self._replay(request, recorded)
        started = time.perf_counter()
        verdict = await self._judge(tx, request, footing)
        call_id = await _open(tx, request, verdict)
        if isinstance(verdict, gate.Stopped):
            return await _settle(tx, request, call_id, verdict.result, started)
        if isinstance(verdict, gate.Asked):
            result = await asking.ask(tx, ctx, verdict, request.arguments, call_id, self._untrusted)
            return await _settle(tx, request, call_id, result, started)
        begun = Begun(call_id, verdict.tool, verdict.args, verdict.decision, verdict.why)
        if not verdict.tool.has_tx:
            return begun
        # The effect and its record commit together, so the call happens exactly once.
        return await _settle(tx, request, call_id, await self._run(request, begun, tx), started)

    async def _judge(
        self, tx: Tx, request: Request, footing: Footing
    ) -> gate.Allowed | gate.Asked | gate.Stopped:
        ctx = request.ctx
        is_tainted = ctx.is_tainted or footing.is_tainted
        if request.tool is None:
            names = [tool.name for tool in self._tools.values() if ctx.principal.may(tool.scope)]
            return gate.unknown(request.name, names, is_tainted=is_tainted)
        if request.problem:
            return gate.malformed(request.problem, is_tainted=is_tainted)
        is_private = request.tool.risk is Risk.EXTERNAL and await self._is_counterpart_only(tx, ctx)
        state = gate.State(is_tainted, is_private, tuple(self._untrusted))
        return await gate.judge(tx, ctx, request.tool, request.arguments, state=state, footing=footing)

    async def _is_counterpart_only(self, tx: Tx, ctx: RunContext) -> bool:
        """Whether the run knows nothing but what the counterpart of its thread may hear."""
        if not self._is_to_the_counterpart(ctx):
            return False
        return await tool_calls.list_called_tools(tx, ctx.run_id) <= self._safe

    @staticmethod
    def _is_to_the_counterpart(ctx: RunContext) -> bool:
        # what a colleague told the agent is not for them
        return (
            ctx.is_counterpart_scoped
            and ctx.conversation_id is not None
            and not ctx.run.feedback
            and not ctx.asked
        )

    def _replay(self, request: Request, recorded: ToolCall) -> ToolResult:
        """What was recorded under this key, as it was returned the first time."""
        if recorded.tool != request.name or recorded.arguments != request.arguments:
            return _failure("conflict", "This call key was used for another call; use a new one.")
        if recorded.status == "running":
            return _failure(
                "unknown", "This call was begun before and nobody knows how it ended; do not repeat it."
            )
        status = ToolStatus(recorded.status)
        has_content = status in (ToolStatus.DONE, ToolStatus.ASKED)
        told: dict[str, JsonValue] = {} if status is ToolStatus.DONE else recorded.result
        return ToolResult(
            status,
            Decision(recorded.decision),
            content=recorded.result if has_content else None,
            error=recorded.error,
            code="asked" if status is ToolStatus.ASKED else str(told.get("code", "")),
            may_retry=bool(told.get("may_retry", False)),
            is_untrusted=request.name in self._untrusted,
            is_replayed=True,
            tool_call_id=recorded.id,
        )

    async def _run(self, request: Request, begun: Begun, tx: Tx | None) -> ToolResult:
        """Every way in which a tool can end becomes a result; a failed one leaves no rows behind."""
        tool = begun.tool
        context = ToolContext(
            request.ctx, self._graph, self._memories, tx, lambda: self._transaction(request), begun.why
        )
        try:
            content = await _within_limits(context, begun)
        except ToolRetry as err:
            return _failure("retry", str(err), may_retry=True)
        except ToolFailed as err:
            return _failure("failed", str(err))
        except AppError as err:
            return _failure(err.code, err.detail, may_retry=isinstance(err, NotFound | Unprocessable))
        except TimeoutError:
            return _failure("timeout", f"{tool.name} took longer than {tool.timeout_seconds:g} seconds.")
        except psycopg.OperationalError:
            raise
        except Exception:
            _log.exception("tool.broke", tool=tool.name, run_id=str(request.ctx.run_id))
            return _failure("internal", f"{tool.name} is broken; go on without it.")
        return ToolResult(
            ToolStatus.DONE, begun.decision, content=content, is_untrusted=tool.returns_untrusted
        )


async def _within_limits(context: ToolContext, begun: Begun) -> JsonValue:
    """Run the function within its time limit, in a savepoint when it has a transaction."""
    tool = begun.tool
    crashpoint.reach(f"tool.{tool.name}.before")
    async with asyncio.timeout(tool.timeout_seconds):
        if context.open_tx is None:
            content = wire.to_json(await tool.function(context, begun.args))
        else:
            async with context.open_tx.connection.transaction():
                content = wire.to_json(await tool.function(context, begun.args))
    crashpoint.reach(f"tool.{tool.name}.after")
    return content


def _was_cut_off(request: Request, tool: Tool[BaseModel], recorded: ToolCall) -> bool:
    """Whether this call was begun, never ended, and may simply be run again."""
    return (
        recorded.status == "running"
        and tool.is_repeatable
        and recorded.tool == tool.name
        and bool(recorded.arguments == request.arguments)
    )


def _failure(code: str, error: str, *, may_retry: bool = False) -> ToolResult:
    return ToolResult(ToolStatus.FAILED, Decision.ALLOW, error=error, code=code, may_retry=may_retry)


async def _open(tx: Tx, request: Request, verdict: gate.Allowed | gate.Asked | gate.Stopped) -> UUID:
    return await tool_calls.open_tool_call(
        tx,
        NewToolCall(
            run_id=request.ctx.run_id,
            call_key=request.call_key,
            tool=request.name,
            risk=request.tool.risk if request.tool else "unknown",
            arguments=request.arguments,
            decision=verdict.decision,
            is_tainted=verdict.is_tainted,
        ),
    )


async def _settle(tx: Tx, request: Request, call_id: UUID, result: ToolResult, started: float) -> ToolResult:
    """Record how a call ended and announce it. Raises: _TakenOver, which undoes all of it."""
    return await _record(tx, request.ctx, call_id, result, started, fence=request.ctx.run.fence)


async def _record(
    tx: Tx, ctx: RunContext, call_id: UUID, result: ToolResult, started: float, *, fence: int | None = None
) -> ToolResult:
    told: JsonValue = {"code": result.code, "may_retry": result.may_retry}
    has_content = result.status in (ToolStatus.DONE, ToolStatus.ASKED)
    is_settled = await tool_calls.settle_tool_call(
        tx,
        call_id,
        status=result.status,
        result=result.content if has_content else told,
        error=result.error,
        duration_ms=round((time.perf_counter() - started) * 1000),
        fence=fence,
    )
    if not is_settled:
        raise _TakenOver
    # A call that is asked about has its own event, `approval.requested`, and is called once somebody approves.
    if result.status is ToolStatus.REFUSED:
        await emit(tx, ToolDenied(ctx.run_id, call_id))
    elif result.status is not ToolStatus.ASKED:
        await emit(tx, ToolCalled(ctx.run_id, call_id))
    return replace(result, tool_call_id=call_id)


async def _close(tx: Tx, approved: asking.Approved, result: ToolResult, started: float) -> ToolResult:
    """Record how an approved call ended; whoever looks at its card is told."""
    await asked_calls.note_carried_out(tx, approved.approval_id)
    if result.is_done:
        await asking.follow_own_changes(tx, approved)
    return await _record(tx, approved.ctx, approved.call.id, result, started)


def _observe(request: Request, result: ToolResult, seconds: float) -> None:
    status = "replayed" if result.is_replayed else result.status.value
    _calls.labels(request.label, status).inc()
    _seconds.labels(request.label, status).observe(seconds)
    _log.info(
        "tool.called",
        tool=request.label,
        status=status,
        decision=result.decision.value,
        code=result.code,
        run_id=str(request.ctx.run_id),
        duration_ms=round(seconds * 1000),
    )
