"""What a member is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from events.ids import NotificationId


class NotificationKind(StrEnum):
    TASK_DUE = "task_due"
    TASK_REMINDER = "task_reminder"
    TASK_ASSIGNED = "task_assigned"
    MEETING_SOON = "meeting_soon"
    WEBHOOK_OFF = "webhook_off"
    APPROVAL_ASSIGNED = "approval_assigned"
    APPROVAL_ESCALATED = "approval_escalated"
    CONVERSATION_ASSIGNED = "conversation_assigned"


@dataclass(frozen=True)
class Notification:
    """`title` is what its subject, a task, a meeting, a webhook, an approval or the contact of a conversation, was called
    then."""

    id: NotificationId
    kind: NotificationKind
    subject_kind: str
    subject_id: UUID
    title: str
    created_at: datetime
    read_at: datetime | None
