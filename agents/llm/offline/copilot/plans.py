"""Plans: generators that yield the tool calls they need, get what these returned, and return what to say.

A plan is played from its beginning for every reply, fed with what was returned so far; so a run that goes on in
another process goes on where it was.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from agents.copilot.contract import Question, Returned
from agents.llm.base import ModelReply, ToolRequest

Record = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Want:
    """A tool call that a plan needs."""

    tool: str
    arguments: dict[str, JsonValue] = field(default_factory=dict)


Plan = Generator[Want, Returned, Sequence[str]]
Planner = Callable[[Question], Plan]


def play(plan: Plan, returned: Sequence[Returned]) -> ModelReply:
    """The next call of a plan, or what it says in the end."""
    try:
        want = next(plan)
        for one in returned:
            want = plan.send(one)
    except StopIteration as end:
        lines: Sequence[str] = end.value
        return ModelReply(text="\n".join(line for line in lines if line))
    return ModelReply(tool_requests=(ToolRequest(f"plan-{len(returned)}", want.tool, want.arguments),))


def records(found: Returned, name: str) -> list[Record]:
    """The records under a name in what a tool returned; none when it failed."""
    inside = found.result.get(name) if isinstance(found.result, dict) else None
    return [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []


def part(record: Record, name: str) -> Record:
    inside = record.get(name)
    return inside if isinstance(inside, dict) else {}


def whole(found: Returned) -> Record:
    """What a tool returned, as one record."""
    return found.result if isinstance(found.result, dict) else {}


def text(record: Record, name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)


def number(record: Record, name: str) -> int:
    value = record.get(name)
    return int(float(value)) if isinstance(value, int | float | str) and str(value) else 0


def mark(*sources: Record) -> str:
    """The numbers of records, as an answer cites them."""
    numbers = dict.fromkeys(str(one["n"]) for one in sources if one.get("n") is not None)
    return f" [{', '.join(numbers)}]" if numbers else ""
