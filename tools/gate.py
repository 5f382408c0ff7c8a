"""Every question that is asked before a tool runs, in order; the first "no" is the answer."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from core.db import Tx
from crm.runs import tool_calls
from tools import wire
from tools.base import Decision, Reach, Risk, RunContext, Tool, ToolResult, ToolRetry, ToolStatus
from tools.policy import Case, decide


@dataclass(frozen=True)
class Allowed:
    """A call that may go ahead, with its parsed arguments."""

    tool: Tool[BaseModel]
    args: BaseModel
    is_tainted: bool

    @property
    def decision(self) -> Decision:
        return Decision.ALLOW


@dataclass(frozen=True)
class Stopped:
    """A call that goes no further; `result` says why, for the model."""

    result: ToolResult
    is_tainted: bool

    @property
    def decision(self) -> Decision:
        return self.result.decision


async def judge(
    tx: Tx, ctx: RunContext, tool: Tool[BaseModel], arguments: dict[str, JsonValue], *, is_tainted: bool
) -> Allowed | Stopped:
    """Whether this run may make this call now: parse, earlier refusal, scope, policy, budget."""

    def refused(code: str, why: str, decision: Decision = Decision.DENY) -> Stopped:
        return Stopped(ToolResult(ToolStatus.REFUSED, decision, error=why, code=code), is_tainted)

    try:
        args = wire.parse(tool, arguments)
    except ToolRetry as err:
        return malformed(str(err), is_tainted=is_tainted)
    if await tool_calls.was_refused(tx, ctx.run_id, tool.name, arguments):
        return refused("denied", f"{tool.name} was refused in this run before; do something else.")
    if not ctx.principal.may(tool.scope):
        return refused("forbidden", f"This seat does not hold {tool.scope}; {tool.name} needs it.")
    autonomy = ctx.bidi.autonomy
    reach = _reach(ctx, tool, args)
    decision = decide(Case(tool.risk, reach, tool.impact_of(args), is_tainted, autonomy))
    if decision is Decision.DENY and tool.risk is Risk.READ and reach is Reach.NEW:
        why = f"After text from outside, {tool.name} is for this run's own conversation alone."
        return refused("denied", why)
    if decision is Decision.DENY:
        return refused("denied", f"Policy denies {tool.name} to a seat with the autonomy {autonomy}.")
    if decision is Decision.ASK:
        why = f"{tool.name} needs approval by a person; say what you would do instead of doing it."
        return refused("needs_approval", why, decision)
    if await tool_calls.count_tool_calls(tx, ctx.run_id) >= ctx.bidi.max_steps:
        return refused("budget", f"This run has made all of its {ctx.bidi.max_steps} tool calls; finish now.")
    return Allowed(tool, args, is_tainted)


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
