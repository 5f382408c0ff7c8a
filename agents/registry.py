"""Which agents there are: the graph of each, the types it checkpoints, its tools and its model."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agents.desk import Desk
from agents.inbox import graph as inbox
from agents.inbox import nodes as inbox_nodes
from agents.inbox.state import CHECKPOINTED, State
from agents.llm.base import LanguageModel, ToolSpec
from agents.llm.offline.model import OfflineModel
from agents.llm.scripted import ScriptedModel, read_script
from core.errors import Unprocessable
from core.principal import Principal
from core.settings import Settings
from tools.base import Risk
from tools.registry import BY_NAME, tools_for

Compiled = CompiledStateGraph[State, Desk, State, State]
ModelFactory = Callable[[str], LanguageModel]


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


def model_factory(settings: Settings) -> ModelFactory:
    """Models by the name that a seat or the settings give.

    Raises: Unprocessable for a name that this build does not know.
    """
    offline = OfflineModel()

    def make(name: str) -> LanguageModel:
        match name:
            case "offline":
                return offline
            case "scripted" if settings.agent_script is not None:
                return ScriptedModel(read_script(settings.agent_script))
            case "scripted":
                raise Unprocessable("The scripted model needs AGENT_SCRIPT, the path of a script.")
        raise Unprocessable(f"There is no model {name!r}; AGENT_MODEL is offline or scripted.")

    return make


def reading_tools(principal: Principal) -> tuple[ToolSpec, ...]:
    """The tools that a model may call by itself: those that only read, within the seat's scopes."""
    return tuple(_spec(tool.name) for tool in tools_for(principal) if tool.risk is Risk.READ)


@cache
def _spec(name: str) -> ToolSpec:
    tool = BY_NAME[name]
    return ToolSpec(tool.name, tool.description, tool.arguments.model_json_schema())
