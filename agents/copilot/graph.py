"""The copilot's graph: think -> act -> think ... -> check, which may send it back to think once."""

from collections.abc import Mapping
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph

from agents.agent import Beginning, NeverThere
from agents.copilot import nodes
from agents.copilot.desk import Desk
from agents.copilot.state import State, Turn
from agents.desk import Desk as AnyDesk
from agents.steps import step

Graph = StateGraph[State, Desk, State, State]


def rewind(step: str, left: Mapping[str, Any]) -> Beginning:
    """The state before a step, of which a run has several: `think.2` is its third thought, `act.0` its first calls.

    Every thought adds a turn, or is the answer, so that the turns that a run ended with tell what stood before each.
    A check without a number is the last one.
    """
    node, _, number = step.partition(".")
    turns: list[Turn] = left.get("turns", [])
    match node:
        case "think":
            return _before_thought(turns, int(number or 0))
        case "act":
            called = turns[: int(number or 0) + 1]
            if len(called) <= int(number or 0) or not called[-1].calls:
                raise NeverThere
            return Beginning("think", {"turns": called})
        case _:
            checked = [(turns[:place], turn.text) for place, turn in enumerate(turns) if turn.problem]
            checked.append((turns, left.get("answer", "")))
            if number and int(number) >= len(checked):
                raise NeverThere
            before, answer = checked[int(number) if number else -1]
            return Beginning("think", {"turns": before, "answer": answer})


def _before_thought(turns: list[Turn], place: int) -> Beginning:
    if place == 0:
        return Beginning()
    if place > len(turns):
        raise NeverThere
    after = "check" if turns[place - 1].problem else "act"
    return Beginning(after, {"turns": turns[:place], "answer": ""})


def build() -> Graph:
    """The graph without a checkpointer."""
    graph: Graph = StateGraph(State, context_schema=AnyDesk)
    for name, node in (("think", nodes.think), ("act", nodes.act), ("check", nodes.check)):
        graph.add_node(name, step(name, node))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", _after_think)
    graph.add_edge("act", "think")
    graph.add_conditional_edges("check", _after_check)
    return graph


def _after_think(state: State) -> Literal["act", "check"]:
    turns = state["turns"]
    return "act" if not state.get("answer") and turns and turns[-1].calls else "check"


def _after_check(state: State) -> Literal["think", "__end__"]:
    return END if state.get("outcome") else "think"  # type: ignore[return-value]  # END is that text
