"""What the follow-up agent's graph checkpoints: what it advises. What was read stays in the tool calls."""

from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID


@dataclass(frozen=True)
class Proposed:
    """One thing to do: which of the four kinds, and its words."""

    do: str
    text: str


@dataclass(frozen=True)
class Plan:
    """What to suggest; `settled_by` is the message that shows that nothing need be done."""

    title: str
    why: str
    steps: list[Proposed]
    settled_by: UUID | None = None


class State(TypedDict, total=False):
    """The channels of the graph."""

    plan: Plan | None
    outcome: str
    detail: str


CHECKPOINTED = (Proposed, Plan)
