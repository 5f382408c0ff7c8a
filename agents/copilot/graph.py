"""The copilot's graph: think -> act -> think ... -> check, which may send it back to think once."""

from typing import Literal

from langgraph.graph import END, START, StateGraph

from agents.copilot import nodes
from agents.copilot.desk import Desk
from agents.copilot.state import State
from agents.desk import Desk as AnyDesk
from agents.steps import step

Graph = StateGraph[State, Desk, State, State]


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
