"""Chats of one member with the copilot: questions with their answers and what these rest on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from events.ids import CopilotChatId, CopilotQuestionId, MemberId, RunId

AGENT = "copilot"
MAX_QUESTION = 4000
MAX_TITLE = 120


class QuestionStatus(StrEnum):
    WAITING = "waiting"
    ANSWERED = "answered"
    STOPPED = "stopped"
    FAILED = "failed"


class AboutKind(StrEnum):
    """What a member may look at while asking."""

    CONTACT = "contact"
    COMPANY = "company"
    LEAD = "lead"
    DEAL = "deal"
    CONVERSATION = "conversation"


@dataclass(frozen=True)
class About:
    kind: AboutKind
    id: UUID


@dataclass(frozen=True)
class Citation:
    """What a statement of an answer rests on, by its number there; `conversation_id` is where a message stands."""

    n: int
    kind: str
    id: UUID
    label: str
    quote: str = ""
    conversation_id: UUID | None = None


@dataclass(frozen=True)
class Chat:
    """`asked_at` is when its last question was asked; its title is how the first one begins."""

    id: CopilotChatId
    member_id: MemberId
    title: str
    created_at: datetime
    asked_at: datetime


@dataclass(frozen=True)
class Question:
    """A question with its answer, which one run writes. `reason` says why there is none."""

    id: CopilotQuestionId
    chat_id: CopilotChatId
    question: str
    about_kind: AboutKind | None
    about_id: UUID | None
    run_id: RunId
    status: QuestionStatus
    answer: str
    citations: list[dict[str, Any]]
    reason: str
    asked_at: datetime
    answered_at: datetime | None

    @property
    def about(self) -> About | None:
        return About(self.about_kind, self.about_id) if self.about_kind and self.about_id else None

    @property
    def cited(self) -> Sequence[Citation]:
        """What the answer rests on, by number."""
        return [
            Citation(
                one["n"],
                one["kind"],
                UUID(one["id"]),
                one["label"],
                one.get("quote", ""),
                UUID(one["conversation_id"]) if one.get("conversation_id") else None,
            )
            for one in self.citations
        ]
