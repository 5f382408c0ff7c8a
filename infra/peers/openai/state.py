"""What the peer keeps: the answers and faults it was told to give, and what it counted."""

import re
from collections import deque
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

_TOKEN = re.compile(r"\s?[^\W_]{1,4}|\s?[\W_]", re.DOTALL)


def tokens(text: str) -> list[str]:
    """The peer's own tokens: up to four letters, or one other character, with the space before it."""
    return _TOKEN.findall(text)


class Mode(StrEnum):
    """What goes wrong. Those from EMPTY on are answers of a well-working server with a badly-working model."""

    LIMITED = "429"
    ERROR = "500"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    NO_SCHEMAS = "no_schemas"  # refuses response_format, as old servers do
    DROP = "drop"  # ends the connection before anything
    HANG = "hang"  # takes the request and says nothing
    SLOW = "slow"  # the first token comes after `seconds`
    HALF = "half"  # the connection breaks after `tokens` tokens
    STALL = "stall"  # nothing comes after `tokens` tokens
    UNFINISHED = "unfinished"  # the stream ends without a reason to finish
    GARBAGE = "garbage"  # a piece that is no JSON
    ERROR_EVENT = "error_event"  # an error in the middle of the stream
    NO_USAGE = "no_usage"
    EMPTY = "empty"
    WRONG_JSON = "wrong_json"
    CUT_SHORT = "cut_short"  # finish_reason length, in the middle of the JSON
    BROKEN_TOOL_CALL = "broken_tool_call"
    UNKNOWN_TOOL = "unknown_tool"
    TOOLS_AS_TEXT = "tools_as_text"


class Fault(BaseModel):
    """Suffered by the next `count` chat calls."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode
    count: int = 1
    seconds: float = 1.0
    retry_after: float | None = 1
    tokens: int = 5


class Wanted(BaseModel):
    """A tool call to answer with; arguments as text go out verbatim."""

    model_config = ConfigDict(extra="forbid")

    name: str
    arguments: dict[str, JsonValue] | str = {}


class Turn(BaseModel):
    """An answer to give: `value` as JSON, `text` verbatim, or `tools`."""

    model_config = ConfigDict(extra="forbid")

    value: JsonValue = None
    text: str = ""
    tools: tuple[Wanted, ...] = ()


@dataclass
class Counted:
    """What one call used, by the peer's own count; `outcome` is how it ended for the caller."""

    model: str
    prompt_tokens: int
    completion_tokens: int = 0
    outcome: str = "began"


@dataclass
class Peer:
    """Turns are played in order, each once; without one the offline templates answer."""

    key: str = ""
    turns: deque[Turn] = field(default_factory=deque)
    faults: deque[Fault] = field(default_factory=deque)
    counted: list[Counted] = field(default_factory=list)
    refused: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)

    def take_fault(self) -> Fault | None:
        if not self.faults:
            return None
        fault = self.faults[0]
        fault.count -= 1
        if fault.count <= 0:
            self.faults.popleft()
        return fault

    def totals(self) -> dict[str, Any]:
        """The peer's own account."""
        return {
            "calls": len(self.counted),
            "refused": self.refused,
            "prompt_tokens": sum(call.prompt_tokens for call in self.counted),
            "completion_tokens": sum(call.completion_tokens for call in self.counted),
            "by_call": [asdict(call) for call in self.counted],
        }

    def forget(self) -> None:
        """As if just started."""
        for kept in (self.turns, self.faults, self.counted, self.requests):
            kept.clear()
        self.refused = 0
