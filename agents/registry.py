"""Which agents there are: the graph of each, the types it checkpoints, and its tools."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.desk import Desk
from agents.inbox import graph as inbox
from agents.inbox import nodes as inbox_nodes
from agents.inbox.state import CHECKPOINTED, State
from agents.llm.base import ToolSpec
from core.principal import Principal
from tools.base import Risk
from tools.registry import BY_NAME, tools_for

Compiled = CompiledStateGraph[State, Desk, State, State]


@dataclass(frozen=True)
class Agent:
    """One kind of agent. `graph` is compiled once, without a checkpointer; each run works on a copy with its own."""

    kind: str
    graph: Compiled
    checkpointed: tuple[type[Any], ...]
    prompt: str
    recursion_limit: int = 25


def agents() -> dict[str, Agent]:
    """Every agent by kind, compiled."""
    return {"inbox": Agent("inbox", inbox.build().compile(), CHECKPOINTED, inbox_nodes.DRAFT)}


def reading_tools(principal: Principal) -> tuple[ToolSpec, ...]:
    """The tools that a model may call by itself: those that only read, within the seat's scopes."""
    return tuple(_spec(tool.name) for tool in tools_for(principal) if tool.risk is Risk.READ)


@cache
def _spec(name: str) -> ToolSpec:
    tool = BY_NAME[name]
    return ToolSpec(tool.name, tool.description, tool.arguments.model_json_schema())
