"""The follow-up agent's graph: look -> advise -> suggest."""

from langgraph.graph import END, START, StateGraph

from agents.agent import Fork
from agents.desk import Desk as AnyDesk
from agents.follow_up import nodes
from agents.follow_up.nodes import Desk
from agents.follow_up.state import State
from agents.steps import step

Graph = StateGraph[State, Desk, State, State]


FORKS = {"look": Fork(), "advise": Fork("look"), "suggest": Fork("advise", ("plan",))}


def build() -> Graph:
    """The graph without a checkpointer."""
    graph: Graph = StateGraph(State, context_schema=AnyDesk)
    for name, node in (("look", nodes.look), ("advise", nodes.advise), ("suggest", nodes.suggest)):
        graph.add_node(name, step(name, node))
    graph.add_edge(START, "look")
    graph.add_edge("look", "advise")
    graph.add_edge("advise", "suggest")
    graph.add_edge("suggest", END)
    return graph
