"""What the copilot's graph checkpoints: what was called and what is answered. What was read stays in the tool calls."""

from dataclasses import dataclass, field
from typing import TypedDict
from uuid import UUID


@dataclass(frozen=True)
class Call:
    """A tool call that the model asked for; `arguments` is JSON, or whatever the model wrote instead."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Turn:
    """One reply of the model: the tools that it wants, or an answer that was not good enough, and why."""

    text: str
    calls: list[Call] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class Cited:
    """What an answer rests on; `n` is its number there."""

    n: int
    kind: str
    source_id: UUID
    label: str
    quote: str
    conversation_id: UUID | None


class State(TypedDict, total=False):
    """The channels of the graph."""

    turns: list[Turn]
    answer: str
    citations: list[Cited]
    outcome: str
    detail: str


CHECKPOINTED = (Call, Turn, Cited)
