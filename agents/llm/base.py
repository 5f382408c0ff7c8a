"""What an agent asks of a language model, and what it gets back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import JsonValue

from crm.runs.model_calls import ModelCall


@dataclass(frozen=True)
class ToolRequest:
    """A tool call that a model asks for; `arguments` is text when it was no JSON object."""

    id: str
    name: str
    arguments: dict[str, JsonValue] | str


@dataclass(frozen=True)
class ModelMessage:
    """One turn of the exchange; `tool_call_id` names the call that a `tool` turn answers.

    `brief` says the same in fewer and plainer words, for small models; when it is empty they read the text.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_call_id: str = ""
    brief: str = ""


@dataclass(frozen=True)
class ToolSpec:
    """A tool as a model sees it; `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, JsonValue]


def _ignore(_: object) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class ModelRequest:
    """One question: the exchange so far, the tools that may be called and the schema of the answer.

    `task` names the question (`triage`, `draft`) for scripts, accounts and the offline model. `seconds` is what all
    attempts together may take; `seed` asks an endpoint that knows such a thing for the same answer another time.
    `record` takes every call that was made for it, also those that failed or were cut off; `on_text` takes the words
    of the answer as they arrive.
    """

    task: str
    messages: tuple[ModelMessage, ...]
    schema: Mapping[str, JsonValue]
    tools: tuple[ToolSpec, ...] = ()
    brief_schema: Mapping[str, JsonValue] | None = None
    seconds: float = 60.0
    seed: int | None = None
    record: Callable[[ModelCall], None] = _ignore
    on_text: Callable[[str], None] = _ignore


@dataclass(frozen=True)
class ModelReply:
    """The answer: text, which should be JSON of the schema, or tool calls."""

    text: str = ""
    tool_requests: tuple[ToolRequest, ...] = ()


class ModelUnavailable(Exception):
    """The model could not be asked: no connection, refused, overloaded. The text says which."""


class LanguageModel(Protocol):
    """Anything that answers requests.

    `label` is what a draft says about how it was made; `context_tokens` is how much fits into one request.
    """

    @property
    def label(self) -> str: ...

    @property
    def context_tokens(self) -> int: ...

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Answer one request. Raises: ModelUnavailable."""
        ...
