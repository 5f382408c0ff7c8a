"""What the memory writer's graph checkpoints: what was found. What was read stays in the tool calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID


@dataclass(frozen=True)
class Fact:
    message_id: UUID
    predicate: str
    text: str
    confidence: float
    replaces_id: UUID | None
    holds_until: datetime | None


@dataclass(frozen=True)
class Promise:
    message_id: UUID
    quote: str
    due_at: datetime


@dataclass(frozen=True)
class Kept:
    promise_id: UUID
    message_id: UUID


class State(TypedDict, total=False):
    """The channels of the graph."""

    facts: list[Fact]
    promises: list[Promise]
    kept: list[Kept]
    outcome: str
    detail: str


CHECKPOINTED = (Fact, Promise, Kept)
