"""What the inbox graph checkpoints: decisions and the draft. What was read stays in the rows and tool calls."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from agents.inbox.contract import Decision
from tools.guard import Mark


@dataclass(frozen=True)
class Stop:
    """Why the conversation goes to a person; `is_failure` when the agent could not do its work."""

    reason: str
    summary: str
    next_step: str
    is_failure: bool = False


@dataclass(frozen=True)
class Basis:
    """One thing the draft rests on; `statement` is the exact part of the body, or empty when it was not used."""

    kind: str
    source_id: UUID
    label: str
    quote: str
    statement: str
    occurred_at: datetime | None
    trust: str

    @property
    def is_used(self) -> bool:
        return bool(self.statement)


@dataclass(frozen=True)
class DraftText:
    """The reply as it will be proposed. Lists, because msgpack gives no tuples back."""

    body: str
    language: str
    basis: list[Basis]
    missing: list[str]
    is_feedback_ignored: bool = False
    doubts: list[Mark] = field(default_factory=list)


class State(TypedDict, total=False):
    """The channels of the graph."""

    decision: Decision
    language: str
    intents: list[str]
    stop: Stop | None
    draft: DraftText | None
    marks: list[Mark]
    outcome: str
    detail: str


CHECKPOINTED = (Stop, Basis, DraftText, Mark)
