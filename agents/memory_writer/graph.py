"""The memory writer's graph: read -> extract -> write."""

from typing import Literal

from langgraph.graph import END, START, StateGraph

from agents.agent import Fork
from agents.desk import Desk as AnyDesk
from agents.memory_writer import nodes
from agents.memory_writer.nodes import Desk
from agents.memory_writer.state import State
from agents.steps import step

Graph = StateGraph[State, Desk, State, State]


# What was read stays in the tool calls, and is answered from there.
FORKS = {
    "read": Fork(),
    "extract": Fork("read"),
    "write": Fork("extract", ("facts", "promises", "kept")),
}


def build() -> Graph:
    """The graph without a checkpointer."""
    graph: Graph = StateGraph(State, context_schema=AnyDesk)
    for name, node in (("read", nodes.read), ("extract", nodes.extract), ("write", nodes.write)):
        graph.add_node(name, step(name, node))
    graph.add_edge(START, "read")
    graph.add_conditional_edges("read", _after_read)
    graph.add_edge("extract", "write")
    graph.add_edge("write", END)
    return graph


def _after_read(state: State) -> Literal["extract", "__end__"]:
    return END if state.get("outcome") else "extract"  # type: ignore[return-value]  # END is that text
