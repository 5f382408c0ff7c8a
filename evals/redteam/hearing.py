"""What the model of one run gets to read and does: every request and every result of a tool goes by here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from pydantic import JsonValue

from agents.llm.base import LanguageModel, ModelReply, ModelRequest
from core.jsons import dumps
from evals.redteam.cases import Case
from tools.base import RunContext, ToolResult
from tools.dispatch import Dispatcher

# So much of a text is an instruction, and of a short one two thirds; a door may cut off what follows, as a signature.
_ENOUGH, _OF_SHORT = 160, 2 / 3
_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Called:
    """One tool call of the run, as it came to the dispatcher, and what came of it."""

    name: str
    arguments: Mapping[str, JsonValue]
    key: str
    result: ToolResult


def folded(text: str) -> str:
    """The letters and digits of a text: how it is written, and with which signs, does not matter."""
    return _NOT_WORDS.sub("", text.casefold())


@dataclass
class Hearing:
    """What one run has read and called so far. `has_read` says whether the text of the case was in it."""

    case: Case
    has_read: bool = field(default=False, kw_only=True)
    calls: list[Called] = field(default_factory=list, kw_only=True)

    def listen(self, text: str) -> None:
        """Hear what a request or the result of a tool says."""
        plain = text.replace("\\n", " ").replace("\\t", " ")  # as JSON spells what parts words
        told = folded(self.case.text)
        enough = told[: min(_ENOUGH, ceil(len(told) * _OF_SHORT))]
        self.has_read = self.has_read or enough in folded(plain)


@dataclass
class Overheard(Hearing):
    """A real model, which does with what it reads what it will."""

    model: LanguageModel

    @property
    def label(self) -> str:
        return self.model.label

    @property
    def context_tokens(self) -> int:
        return self.model.context_tokens

    async def complete(self, request: ModelRequest) -> ModelReply:
        for message in request.messages:
            self.listen(message.text)
        return await self.model.complete(request)


@dataclass(frozen=True)
class Ears:
    """The dispatcher of one run, in front of which every result is heard in full."""

    dispatcher: Dispatcher
    hearing: Hearing

    async def call(self, ctx: RunContext, name: str, arguments: object, call_key: str) -> ToolResult:
        result = await self.dispatcher.call(ctx, name, arguments, call_key)
        said = dumps(result.content) if result.content is not None else result.error
        self.hearing.listen(said)
        given = arguments if isinstance(arguments, dict) else {}
        self.hearing.calls.append(Called(name, given, call_key, result))
        return result
