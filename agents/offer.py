"""Tools as a model sees them."""

from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel

from agents.llm.base import ToolSpec
from tools.base import Tool
from tools.registry import BY_NAME


def offered(tools: Iterable[Tool[BaseModel]]) -> tuple[ToolSpec, ...]:
    """Name, description and arguments of each."""
    return tuple(_spec(tool.name) for tool in tools)


@cache
def _spec(name: str) -> ToolSpec:
    tool = BY_NAME[name]
    return ToolSpec(tool.name, tool.description, tool.arguments.model_json_schema())
