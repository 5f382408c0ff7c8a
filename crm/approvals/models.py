"""Approvals: a question to people, bound to the exact content it is about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from events.ids import ApprovalId, DraftId, UserId


class ApprovalStatus(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Approval:
    id: ApprovalId
    draft_id: DraftId
    status: ApprovalStatus
    content_hash: str
    why: list[str]
    assignee_id: UserId | None
    snoozed_until: datetime | None
    due_at: datetime | None
    decided_by: UserId | None
    decided_at: datetime | None
    reason: str
