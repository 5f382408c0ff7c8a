"""A suggestion proposes tool calls about one thing; nothing happens before a person accepts it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from crm.records.models import RecordRef
from events.ids import BidiId, ConversationId, PromiseId, RecordKind, RunId, SuggestionId, UserId

EXPIRE = "suggestion.expire"
WAITS = timedelta(days=14)


class SuggestionKind(StrEnum):
    """Why something should be done: a promise is due and not kept, or a deal stands still."""

    PROMISE = "promise"
    STALLED_DEAL = "stalled_deal"


class SuggestionStatus(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    EXPIRED = "expired"


# For so long after a decision nobody suggests the same kind of thing about the same target.
REST = {SuggestionStatus.DISMISSED: timedelta(days=30), SuggestionStatus.ACCEPTED: timedelta(days=7)}


@dataclass(frozen=True)
class Evidence:
    """What a suggestion rests on; a message stands in `conversation_id`."""

    kind: str
    id: UUID
    label: str
    quote: str = ""
    conversation_id: UUID | None = None


@dataclass(frozen=True)
class ProposedCall:
    """A tool call that happens once somebody accepts, bound to `records` as the agent saw them.

    `scope` is what whoever accepts must hold, `marks` what they should look at first. One that `only_adds` changes
    nothing that is there, so it does not matter whether its records changed since.
    """

    tool: str
    arguments: dict[str, Any]
    risk: str
    scope: str
    only_adds: bool
    records: list[dict[str, Any]]
    marks: list[dict[str, Any]]


@dataclass(frozen=True)
class NewSuggestion:
    """`promise_id` names the promise that it is about, if it is about one."""

    kind: SuggestionKind
    record: RecordRef
    title: str
    why: str
    calls: tuple[ProposedCall, ...]
    evidence: tuple[Evidence, ...]
    run_id: RunId
    bidi_id: BidiId
    is_tainted: bool
    promise_id: PromiseId | None = None
    conversation_id: ConversationId | None = None


@dataclass(frozen=True)
class Suggestion:
    id: SuggestionId
    kind: SuggestionKind
    record_kind: RecordKind
    record_id: UUID
    record_name: str
    promise_id: PromiseId | None
    conversation_id: ConversationId | None
    title: str
    why: str
    evidence: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    is_tainted: bool
    run_id: RunId
    bidi_id: BidiId
    bidi_name: str
    status: SuggestionStatus
    expires_at: datetime
    decided_by: UserId | None
    decider_name: str | None
    decided_at: datetime | None
    reason: str
    created_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status is SuggestionStatus.OPEN

    @property
    def proposed(self) -> list[ProposedCall]:
        return [ProposedCall(**call) for call in self.calls]

    @property
    def rests_on(self) -> list[Evidence]:
        return [
            Evidence(
                one["kind"],
                UUID(one["id"]),
                one["label"],
                one.get("quote", ""),
                UUID(one["conversation_id"]) if one.get("conversation_id") else None,
            )
            for one in self.evidence
        ]

    @property
    def needs_check(self) -> bool:
        """Whether something that would be written came from outside, or hides from the eye."""
        return any(
            mark["kind"] in ("untrusted_value", "hidden_text")
            for call in self.proposed
            for mark in call.marks
        )
