"""Scorers of the way that an agent took through its tools."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from crm.runs.tool_calls import ToolCall
from evals.arena import Played
from evals.cases import Call, Case
from evals.scorers.base import Named, Score, all_of, named
from tools.base import Risk
from tools.registry import TOOLS

# Looking things up changes nothing: whoever finds the same by another way has found it.
_LOOKS = frozenset(tool.name for tool in TOOLS if tool.risk is Risk.READ)


def _tool_f1(case: Case, played: Played) -> Score | None:
    """The right calls and no others, in any order: F1 over (tool, arguments that the case names)."""
    if not case.expect.calls:
        return None
    wanted = [_resolved(call, played) for call in case.expect.calls]
    made = [Call(tool=c.tool, arguments=_dict(c.arguments)) for c in _judged(case, played)]
    left = list(made)
    hits = 0
    for call in wanted:
        match = next((other for other in left if _fits(call, other)), None)
        if match is not None:
            left.remove(match)
            hits += 1
    value = 2 * hits / (len(wanted) + len(made)) if made else 0.0
    return Score(value, value == 1.0, f"made {dict(Counter(call.tool for call in made))}")


def _judged(case: Case, played: Played) -> list[ToolCall]:
    """What was called, without looks that the case does not name."""
    named = {call.tool for call in case.expect.calls}
    return [call for call in played.calls if call.tool in named or call.tool not in _LOOKS]


def _resolved(call: Call, played: Played) -> Call:
    arguments = {name: named(value, played.ids) for name, value in call.arguments.items()}
    return call.model_copy(update={"arguments": arguments})


def _fits(wanted: Call, made: Call) -> bool:
    return wanted.tool == made.tool and all(
        made.arguments.get(name) == value for name, value in wanted.arguments.items()
    )


def _trajectory(case: Case, played: Played) -> Score | None:
    """The calls in their order, matched as the case says by agentevals."""
    if not case.expect.calls:
        return None
    made = [call.tool for call in _judged(case, played)]
    match = _matcher(case.expect.trajectory)
    answer = match(outputs=_turns(made), reference_outputs=_turns([call.tool for call in case.expect.calls]))
    return all_of([bool(answer["score"])], f"made {', '.join(made) or 'none'}")


@cache
def _matcher(mode: str) -> Any:
    from agentevals.trajectory.match import create_trajectory_match_evaluator  # seconds to load

    return create_trajectory_match_evaluator(trajectory_match_mode=mode, tool_args_match_mode="ignore")


def _turns(tools: Sequence[str]) -> list[dict[str, Any]]:
    """Calls as turns of a chat in OpenAI's form, one call each; what they were called with is for `tool_f1`."""
    return [
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": tool, "arguments": "{}"}}]}
        for tool in tools
    ]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


tool_f1 = Named("tool_f1", _tool_f1)
trajectory = Named("trajectory", _trajectory)
