"""The inbox agent's graph: triage -> gather -> draft -> check -> propose, with a way to a person from each."""

from typing import Literal

from langgraph.graph import END, START, StateGraph

from agents.agent import Fork
from agents.desk import Desk as AnyDesk
from agents.inbox import nodes
from agents.inbox.desk import Desk
from agents.inbox.state import State
from agents.steps import step

Graph = StateGraph[State, Desk, State, State]

_JUDGED = ("decision", "language", "intents")
# A run keeps its newest checkpoint. Every channel but the last three is written by one step, so that the state before a
# step can be told from it.
FORKS = {
    "triage": Fork(),
    "gather": Fork("triage", _JUDGED),
    "draft": Fork("gather", _JUDGED),
    "guard": Fork("draft", (*_JUDGED, "draft")),
    "propose": Fork("guard", (*_JUDGED, "draft", "marks")),
    "notify": Fork("draft", (*_JUDGED, "draft", "marks", "stop")),
}


def build() -> Graph:
    """The graph without a checkpointer."""
    graph: Graph = StateGraph(State, context_schema=AnyDesk)
    for name, node in (
        ("triage", nodes.triage),
        ("gather", nodes.gather),
        ("draft", nodes.draft),
        ("guard", nodes.check),
        ("propose", nodes.propose),
        ("notify", nodes.notify),
    ):
        graph.add_node(name, step(name, node))
    graph.add_edge(START, "triage")
    graph.add_conditional_edges("triage", _after_triage)
    graph.add_edge("gather", "draft")
    graph.add_conditional_edges("draft", _after_draft)
    graph.add_edge("guard", "propose")
    graph.add_conditional_edges("propose", _after_propose)
    graph.add_edge("notify", END)
    return graph


def _after_triage(state: State) -> Literal["gather", "notify", "__end__"]:
    match state["decision"]:
        case "answer":
            return "gather"
        case "notify":
            return "notify"
        case "ignore":
            return "__end__"


def _after_draft(state: State) -> Literal["guard", "notify"]:
    return "notify" if state.get("stop") else "guard"


def _after_propose(state: State) -> Literal["notify", "__end__"]:
    return "notify" if state.get("stop") else "__end__"
