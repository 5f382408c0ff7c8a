"""Notifications: what the caller was told, and has read."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import problems
from api.fields import Cursor, Limit, Out, PageOut
from api.nouns import Noun
from crm.notifications import actions as notifications
from crm.notifications import queries
from crm.notifications.models import NotificationKind
from events.ids import NotificationId

router = Noun(prefix="/notifications", tags=["notifications"])


class NotificationOut(Out):
    id: NotificationId
    kind: NotificationKind
    subject_kind: str = Field(description="`task`, `meeting` or `webhook`.", examples=["task"])
    subject_id: UUID
    title: str = Field(description="What the subject was called then.")
    created_at: datetime
    read_at: datetime | None


class ReadingOut(Out):
    read: int = Field(description="How many were unread.")


@router.get("", operation_id="list_notifications", summary="List one's own notifications, the newest first")
async def list_notifications(
    tx: ApiTx, is_read: bool | None = None, cursor: Cursor = None, limit: Limit = 25
) -> PageOut[NotificationOut]:
    page = await queries.list_notifications(tx, is_read=is_read, cursor=cursor, limit=limit)
    return PageOut[NotificationOut].of(page)


@router.post(
    "/reading", operation_id="mark_all_notifications_read", summary="Say that one has read everything"
)
async def mark_all_read(tx: ApiTx) -> ReadingOut:
    return ReadingOut(read=await notifications.mark_all_read(tx))


@router.post(
    "/{notification_id}/reading",
    operation_id="mark_notification_read",
    summary="Say that one has read this",
    responses=problems(404),
)
async def mark_read(tx: ApiTx, notification_id: NotificationId) -> NotificationOut:
    return NotificationOut.model_validate(await notifications.mark_read(tx, notification_id))
