"""Approvals: a question to people, bound to the exact content it is about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from events.ids import ApprovalId, BidiId, ConversationId, DraftId, RunId, SuggestionId, UserId


class ApprovalStatus(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ApprovalKind(StrEnum):
    """What is asked about: a message that an agent drafted, or a tool that it wants to call."""

    DRAFT = "draft"
    TOOL_CALL = "tool_call"


@dataclass(frozen=True)
class Approval:
    """`scope` is what whoever decides must hold; exactly one of `draft_id` and `tool_call_id` is there."""

    id: ApprovalId
    kind: ApprovalKind
    draft_id: DraftId | None
    tool_call_id: UUID | None
    status: ApprovalStatus
    scope: str
    content_hash: str
    why: list[str]
    assignee_id: UserId | None
    snoozed_until: datetime | None
    due_at: datetime | None
    decided_by: UserId | None
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True)
class Question:
    """What a person is told of an approval: whom or what it is about, and who answers for it."""

    status: ApprovalStatus
    about: str
    assignee_id: UserId | None
    responsible_user_id: UserId | None


class CallStatus(StrEnum):
    """What became of the call that was asked about."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True)
class ToolApproval:
    """The card of a tool call: what an agent wants to do, with what, and what a person should look at first.

    `records` are what the call is about (field, kind, id, name, version as the agent saw it). `marks` name values of
    the arguments: `kind` is untrusted_value when text from outside says it (`source_kind`, `source_id`, `quote` say
    which), unsourced_value when nothing that the agent read says it, hidden_text when it has characters that are not
    seen. `conversation_id` is the thread that the run serves, if it serves one. `code` says as a
    word why a call was not made, and `error` as a sentence for the model.
    """

    id: ApprovalId
    status: ApprovalStatus
    scope: str
    why: list[str]
    records: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    assignee_id: UserId | None
    assignee_name: str | None
    snoozed_until: datetime | None
    due_at: datetime | None
    created_at: datetime
    decided_by: UserId | None
    decider_name: str | None
    decided_at: datetime | None
    reason: str
    run_id: RunId
    bidi_id: BidiId
    bidi_name: str
    is_paused: bool
    suggestion_id: SuggestionId | None
    conversation_id: ConversationId | None
    contact_name: str | None
    tool_call_id: UUID
    tool: str
    risk: str
    arguments: dict[str, Any]
    is_tainted: bool
    call_status: CallStatus
    code: str
    error: str

    @property
    def is_open(self) -> bool:
        return self.status is ApprovalStatus.OPEN

    @property
    def needs_check(self) -> bool:
        """Whether something in it came from outside or hides from the eye."""
        return any(mark["kind"] in ("untrusted_value", "hidden_text") for mark in self.marks)

    @property
    def is_on_its_way(self) -> bool:
        """Approved, and not carried out yet."""
        return self.status is ApprovalStatus.APPROVED and self.call_status in (
            CallStatus.ASKED,
            CallStatus.RUNNING,
        )
