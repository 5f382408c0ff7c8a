"""What an agent asks of a language model, and what it gets back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import JsonValue


@dataclass(frozen=True)
class ToolRequest:
    """A tool call that a model asks for; `arguments` is text when it was no JSON object."""

    id: str
    name: str
    arguments: dict[str, JsonValue] | str


@dataclass(frozen=True)
class ModelMessage:
    """One turn of the exchange; `tool_call_id` names the call that a `tool` turn answers."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True)
class ToolSpec:
    """A tool as a model sees it; `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, JsonValue]


@dataclass(frozen=True)
class ModelRequest:
    """One call: the exchange so far, the tools that may be called and the schema of the answer.

    `task` names the question (`triage`, `draft`) for scripts, metrics and the offline model.
    """

    task: str
    messages: tuple[ModelMessage, ...]
    schema: Mapping[str, JsonValue]
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True)
class ModelUsage:
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd_micros: int = 0


@dataclass(frozen=True)
class ModelReply:
    """The answer: text, which should be JSON of the schema, or tool calls."""

    text: str = ""
    tool_requests: tuple[ToolRequest, ...] = ()
    usage: ModelUsage = field(default=ModelUsage())


class ModelUnavailable(Exception):
    """The model could not be asked: no connection, refused, overloaded. The text says which."""


class LanguageModel(Protocol):
    """Anything that answers requests. `label` is what a draft says about how it was made."""

    @property
    def label(self) -> str: ...

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request. Raises: ModelUnavailable."""
        ...
