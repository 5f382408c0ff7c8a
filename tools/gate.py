"""Every question that is asked before a tool runs, in order; the first "no" is the answer."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, JsonValue

from core.db import Tx
from crm.bidi.models import Autonomy
from crm.policy.matrix import Case, decide
from crm.policy.queries import get_overrides
from crm.runs import asked_calls
from crm.runs.footing import Footing
from events.ids import ApprovalId
from tools import autopilot, wire
from tools.base import Decision, Impact, Reach, Risk, RunContext, Tool, ToolResult, ToolRetry, ToolStatus


@dataclass(frozen=True)
class State:
    """What a run has read before a call: whether anything from outside, and whether only what its counterpart may
    hear. `untrusted_tools` are those that return text from outside."""

    is_tainted: bool
    is_counterpart_only: bool = False
    untrusted_tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Allowed:
    """A call that may go ahead, with its parsed arguments; with `why` it is what is done instead of asking."""

    tool: Tool[BaseModel]
    args: BaseModel
    is_tainted: bool
    decision: Decision = Decision.ALLOW
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A call that a person has to decide about before it is made; `why` are the reasons, as codes."""

    tool: Tool[BaseModel]
    is_tainted: bool
    why: tuple[str, ...]

    @property
    def decision(self) -> Decision:
        return Decision.ASK


@dataclass(frozen=True)
class Stopped:
    """A call that goes no further; `result` says why, for the model."""

    result: ToolResult
    is_tainted: bool

    @property
    def decision(self) -> Decision:
        return self.result.decision


async def judge(
    tx: Tx,
    ctx: RunContext,
    tool: Tool[BaseModel],
    arguments: dict[str, JsonValue],
    *,
    state: State,
    footing: Footing,
) -> Allowed | Asked | Stopped:
    """Whether this run may make this call now: parse, earlier refusal, scope, policy, budget, and who is to decide."""
    is_tainted = state.is_tainted

    def refused(code: str, why: str, decision: Decision = Decision.DENY) -> Stopped:
        return Stopped(ToolResult(ToolStatus.REFUSED, decision, error=why, code=code), is_tainted)

    try:
        args = wire.parse(tool, arguments)
    except ToolRetry as err:
        return malformed(str(err), is_tainted=is_tainted)
    if footing.was_refused:
        return refused("denied", f"{tool.name} was refused in this run before; do something else.")
    if not ctx.principal.may(tool.scope):
        return refused("forbidden", f"This seat does not hold {tool.scope}; {tool.name} needs it.")
    case = _case(ctx, tool, args, state)
    decision = decide(case, footing.overrides)
    if decision is Decision.DENY:
        return refused("denied", _denial(tool, case))
    if footing.calls >= ctx.bidi.max_steps:
        return refused("budget", f"This run has made all of its {ctx.bidi.max_steps} tool calls; finish now.")
    why = _reasons(case) if decision is Decision.ASK else ()
    if decision is Decision.ALLOW and tool.risk is Risk.EXTERNAL:
        why = await autopilot.reasons_against(tx, ctx, tool.name, args, state.untrusted_tools)
    if not why:
        return Allowed(tool, args, is_tainted)
    if tool.otherwise is not None:
        return Allowed(replace(tool, function=tool.otherwise), args, is_tainted, Decision.ASK, why)
    waiting = await asked_calls.find_open_ask(tx, ctx.run_id, tool.name, arguments)
    if waiting is not None:
        return Stopped(asked(tool.name, waiting), is_tainted)
    return Asked(tool, is_tainted, why)


def _denial(tool: Tool[BaseModel], case: Case) -> str:
    if case.risk is Risk.READ and case.is_counterpart_scoped:
        return f"This run answers somebody by itself; {tool.name} returns more than they may hear."
    if case.risk is Risk.READ and case.reach is Reach.NEW:
        return f"After text from outside, {tool.name} is for this run's own conversation alone."
    return f"Policy denies {tool.name} to a seat with the autonomy {case.autonomy}."


def _reasons(case: Case) -> tuple[str, ...]:
    """Why a person must decide, the weightiest first."""
    why = []
    if case.reach is Reach.SYSTEM:
        why.append("system")
    if case.risk is Risk.EXTERNAL:
        why.append("external")
    if case.impact is Impact.SENSITIVE:
        why.append("sensitive")
    if case.is_tainted:
        why.append("tainted")
    return (*why, "autonomy") if case.autonomy is Autonomy.SUGGEST or not why else tuple(why)


def asked(name: str, approval_id: ApprovalId) -> ToolResult:
    """What the model is told about a call that waits; it goes on without it."""
    why = (
        f"{name} waits for approval {approval_id} by a person and is done when it is given. "
        "Go on without it; do not ask again."
    )
    content: JsonValue = {"approval_id": str(approval_id)}
    return ToolResult(ToolStatus.ASKED, Decision.ASK, content=content, error=why, code="asked")


async def decision_of(
    tx: Tx, ctx: RunContext, tool: Tool[BaseModel], args: BaseModel, state: State
) -> Decision:
    """What policy says about this call now."""
    return decide(_case(ctx, tool, args, state), await get_overrides(tx))


def _case(ctx: RunContext, tool: Tool[BaseModel], args: BaseModel, state: State) -> Case:
    # A run that says it is scoped is held to it when it reads; what leaves rests on what it has in fact read.
    is_scoped = state.is_counterpart_only if tool.risk is Risk.EXTERNAL else ctx.is_counterpart_scoped
    return Case(
        risk=tool.risk,
        reach=_reach(ctx, tool, args),
        impact=tool.impact_of(args),
        is_tainted=state.is_tainted,
        autonomy=ctx.bidi.autonomy,
        is_counterpart_scoped=is_scoped,
        is_counterpart_safe=tool.is_counterpart_safe,
    )


def _reach(ctx: RunContext, tool: Tool[BaseModel], args: BaseModel) -> Reach:
    """A tool for the run's thread that is pointed at another thread reaches somebody new.

    A run without a thread answers a colleague: what it reads is shown to nobody but who may read it anyway.
    """
    if ctx.conversation_id is None and tool.risk is Risk.READ and tool.reach in (Reach.THREAD, Reach.NEW):
        return Reach.SELF
    target = getattr(args, "conversation_id", ctx.conversation_id)
    return Reach.NEW if tool.reach is Reach.THREAD and target != ctx.conversation_id else tool.reach


def malformed(why: str, *, is_tainted: bool) -> Stopped:
    """Arguments that no tool could take; better ones may work."""
    result = ToolResult(ToolStatus.FAILED, Decision.DENY, error=why, code="malformed", may_retry=True)
    return Stopped(result, is_tainted)


def unknown(name: str, names: Sequence[str], *, is_tainted: bool) -> Stopped:
    """A tool that does not exist; the text names those that sound like it."""
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    offer = f"Near names: {', '.join(near)}." if near else f"The tools are: {', '.join(names)}."
    why = f"There is no tool {name!r}. {offer}"
    result = ToolResult(ToolStatus.FAILED, Decision.DENY, error=why, code="unknown_tool", may_retry=True)
    return Stopped(result, is_tainted)
