"""Agent runs."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import BidiId, ConversationId, RunId, TriggerId


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BUDGET_EXCEEDED = "budget_exceeded"


class AboutKind(StrEnum):
    """What a run that serves no conversation may be about."""

    CONVERSATION = "conversation"
    DEAL = "deal"
    PROMISE = "promise"


@dataclass(frozen=True)
class About:
    kind: AboutKind
    id: UUID


OPEN = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING})


@dataclass(frozen=True)
class Run:
    """One run; `fence` rises with every claim, `based_on_seq` is how far it may have read the conversation.

    One that serves no conversation answers a colleague, or is about the thing that `about_kind` and `about_id` name.
    `generation` is 1 for a run that took the place of one that the conversation had outrun.
    """

    id: RunId
    bidi_id: BidiId
    agent: str
    conversation_id: ConversationId | None
    trigger_id: TriggerId | None
    status: RunStatus
    generation: int
    based_on_seq: int | None
    due_at: datetime
    feedback: str
    again: bool
    fence: int
    steps: int
    tokens_in: int
    tokens_out: int
    cost_usd_micros: int
    model: str
    outcome: str
    reason: str
    about_kind: AboutKind | None
    about_id: UUID | None
