"""Tools of a run that is run again, dry: what reads is read, everything else is judged and answered, never done."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from pydantic import JsonValue

from core.db import Tx
from crm.runs.footing import get_footing
from crm.runs.replays import DryCall
from crm.runs.tool_calls import ToolCall
from tools import gate
from tools.base import Decision, Risk, RunContext, ToolResult, ToolStatus
from tools.dispatch import Begun, Dispatcher, Request


class Rehearsal(Dispatcher):
    """A dispatcher for one replay, over the parts of the product's own. `calls` are what it was asked for.

    A read that the run made itself is answered as it was then, so that a replay differs by nothing but what was changed
    in it; another is made now, in transactions that the database holds to reading. `read_before` are the tools that the
    run had read with before the step.
    """

    def __init__(
        self, real: Dispatcher, recorded: Sequence[ToolCall], *, read_before: Collection[str] = ()
    ) -> None:
        vars(self).update(vars(real))
        self._recorded = {call.call_key: call for call in recorded}
        self._read = set(read_before)
        self._asked: list[tuple[str, dict[str, JsonValue]]] = []
        self.calls: list[DryCall] = []

    async def _call(self, request: Request) -> ToolResult:
        recorded = self._recorded.get(request.call_key)
        if recorded is not None and _is_same_read(request, recorded):
            self._note(request, result := self._replay(request, recorded), is_recorded=True)
            return result
        verdict = await self._verdict(request)
        if isinstance(verdict, gate.Allowed) and verdict.tool.risk is Risk.READ:
            result = await self._look(request, verdict)
        else:
            result = _answer(verdict)
        self._note(request, result)
        return result

    async def _verdict(self, request: Request) -> gate.Allowed | gate.Asked | gate.Stopped:
        async with self._db.transaction(self._principal(request), f"dry.{request.label}") as tx:
            footing = await get_footing(
                tx,
                request.ctx.run_id,
                request.ctx.run.fence,
                call_key=request.call_key,
                tool=request.name,
                arguments=request.arguments,
                untrusted_tools=self._untrusted,
            )
            # What the run itself called beyond the step did not happen here.
            footing = replace(
                footing, calls=len(self.calls), was_refused=(request.name, request.arguments) in self._asked
            )
            return await self._judge(tx, request, footing)

    async def _is_counterpart_only(self, tx: Tx, ctx: RunContext) -> bool:
        return self._is_to_the_counterpart(ctx) and self._read <= self._safe

    async def _look(self, request: Request, verdict: gate.Allowed) -> ToolResult:
        begun = Begun(request.ctx.run_id, verdict.tool, verdict.args, verdict.decision, verdict.why)
        if not verdict.tool.has_tx:
            return await self._run(request, begun, None)
        async with self._transaction(request) as tx:
            return await self._run(request, begun, tx)

    def _transaction(self, request: Request) -> AbstractAsyncContextManager[Tx]:
        return self._db.transaction(self._principal(request), f"dry.{request.label}", is_read_only=True)

    def _note(self, request: Request, result: ToolResult, *, is_recorded: bool = False) -> None:
        is_read = request.tool is not None and request.tool.risk is Risk.READ
        if is_read and result.is_done:
            self._read.add(request.name)
        if result.status is ToolStatus.REFUSED:
            self._asked.append((request.name, request.arguments))
        self.calls.append(
            DryCall(
                request.name,
                request.arguments,
                result.decision.value,
                result.status.value,
                result.error,
                is_made=is_read and result.is_done and not is_recorded,
                is_recorded=is_recorded,
            )
        )


def _is_same_read(request: Request, recorded: ToolCall) -> bool:
    return (
        request.tool is not None
        and request.tool.risk is Risk.READ
        and recorded.status == "done"
        and recorded.tool == request.name
        and bool(recorded.arguments == request.arguments)
    )


def _answer(verdict: gate.Allowed | gate.Asked | gate.Stopped) -> ToolResult:
    """What the run is told of a call that is not made."""
    match verdict:
        case gate.Stopped():
            return verdict.result
        case gate.Asked():
            why = f"{verdict.tool.name} would wait for a person. Go on without it; do not ask again."
            return ToolResult(ToolStatus.ASKED, Decision.ASK, content={}, error=why, code="asked")
        case gate.Allowed():
            would_leave = verdict.tool.risk is Risk.EXTERNAL and verdict.decision is Decision.ALLOW
            return ToolResult(ToolStatus.DONE, verdict.decision, content={"is_sent": would_leave})
