"""Telling members, and noting that they have read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import NotFound
from core.ids import uuid7
from crm.approvals.models import ApprovalStatus
from crm.approvals.queries import get_question
from crm.contacts.queries import get_contact
from crm.conversations.queries import get_conversation
from crm.identity.models import Role
from crm.identity.queries import list_members
from crm.meetings.queries import get_meeting
from crm.notifications.models import Notification, NotificationKind
from crm.notifications.queries import get_notification, own_member
from crm.tasks.queries import get_task
from crm.webhooks.queries import get_webhook
from events.ids import ApprovalId, ConversationId, MeetingId, MemberId, NotificationId, TaskId, WebhookId
from events.outbox import emit
from events.types import NotificationCreated, NotificationsRead


async def tell_of_task(tx: Tx, task_id: TaskId, kind: NotificationKind, event_id: UUID) -> None:
    """Tell whoever has the task to do."""
    task = await get_task(tx, task_id)
    if task.assignee_id is not None:
        await _tell(tx, [task.assignee_id], kind, ("task", task_id), task.title, event_id)


async def tell_of_meeting(tx: Tx, meeting_id: MeetingId, event_id: UUID) -> None:
    """Tell the members who take part that it begins soon."""
    meeting = await get_meeting(tx, meeting_id)
    subject = ("meeting", meeting_id)
    await _tell(tx, meeting.member_ids, NotificationKind.MEETING_SOON, subject, meeting.title, event_id)


async def tell_of_webhook(tx: Tx, webhook_id: WebhookId, event_id: UUID) -> None:
    """Tell those who can mend it that an endpoint was given up; one that was removed since needs no mending."""
    try:
        webhook = await get_webhook(tx, webhook_id)
    except NotFound:
        return
    menders = [MemberId(member.id) for member in await list_members(tx) if member.may("webhooks:manage")]
    title = webhook.description or webhook.url
    await _tell(tx, menders, NotificationKind.WEBHOOK_OFF, ("webhook", webhook_id), title, event_id)


async def tell_assignee(tx: Tx, approval_id: ApprovalId, event_id: UUID) -> None:
    """Tell a colleague that they should decide about something; whoever took it themselves knows."""
    question = await get_question(tx, approval_id)
    giver = await tx.value("SELECT actor_id FROM events WHERE id = %(event_id)s", event_id=event_id)
    members = await list_members(tx)
    theirs = [MemberId(one.id) for one in members if one.user_id == question.assignee_id != giver]
    subject = ("approval", approval_id)
    await _tell(tx, theirs, NotificationKind.APPROVAL_ASSIGNED, subject, question.about, event_id)


async def tell_of_escalation(tx: Tx, approval_id: ApprovalId, event_id: UUID) -> None:
    """Tell who should decide, who answers for the agent and the supervisors that nobody has decided for long.

    Where there is none of them, the admins and owners are told.
    """
    question = await get_question(tx, approval_id)
    if question.status is not ApprovalStatus.OPEN:
        return
    members = await list_members(tx)
    named = (question.assignee_id, question.responsible_user_id)
    told = [
        one
        for one in members
        if one.user_id in named or (one.role is Role.SUPERVISOR and not one.is_disabled)
    ]
    told = told or [one for one in members if one.role in (Role.OWNER, Role.ADMIN) and not one.is_disabled]
    ids = [MemberId(one.id) for one in told]
    subject = ("approval", approval_id)
    await _tell(tx, ids, NotificationKind.APPROVAL_ESCALATED, subject, question.about, event_id)


@dataclass(frozen=True)
class _Given:
    giver_id: UUID
    holder_id: str | None


async def tell_holder(tx: Tx, conversation_id: ConversationId, event_id: UUID) -> None:
    """Tell a person that a conversation is theirs now; whoever took it themselves knows, and of one that was deleted
    since there is nothing to tell."""
    try:
        conversation = await get_conversation(tx, conversation_id)
    except NotFound:
        return
    given = await tx.one(
        _Given,
        """
        SELECT e.actor_id AS giver_id, c.changes #>> '{holder,1}' AS holder_id
          FROM events e
          JOIN event_changes c ON (c.organization_id, c.event_id) = (e.organization_id, e.id)
         WHERE e.id = %(event_id)s
        """,
        event_id=event_id,
    )
    members = await list_members(tx)
    theirs = [
        MemberId(one.id)
        for one in members
        if one.user_id == conversation.holder_id != given.giver_id and str(one.user_id) == given.holder_id
    ]
    if theirs:
        contact = await get_contact(tx, conversation.contact_id)
        subject = ("conversation", conversation_id)
        await _tell(tx, theirs, NotificationKind.CONVERSATION_ASSIGNED, subject, contact.name, event_id)


async def _tell(
    tx: Tx,
    member_ids: Iterable[MemberId],
    kind: NotificationKind,
    subject: tuple[str, UUID],
    title: str,
    event_id: UUID,
) -> None:
    """One notification for each member and event, however often the event is delivered."""
    for member_id in member_ids:
        notification_id = NotificationId(uuid7())
        made = await tx.execute(
            """
            INSERT INTO notifications (organization_id, id, member_id, kind, subject_kind, subject_id, title, event_id,
                                       created_at)
            VALUES (%(organization_id)s, %(id)s, %(member_id)s, %(kind)s, %(subject_kind)s, %(subject_id)s, %(title)s,
                    %(event_id)s, %(now)s)
            ON CONFLICT (organization_id, member_id, event_id) DO NOTHING
            """,
            organization_id=tx.organization_id,
            id=notification_id,
            member_id=member_id,
            kind=kind.value,
            subject_kind=subject[0],
            subject_id=subject[1],
            title=title,
            event_id=event_id,
            now=clock.now(),
        )
        if made:
            await emit(tx, NotificationCreated(notification_id))


async def forget_notifications(tx: Tx, before: datetime) -> int:
    """Forget what people were told before a time, whether they have read it or not; returns how much."""
    return await tx.execute("DELETE FROM notifications WHERE created_at < %(before)s", before=before)


async def mark_read(tx: Tx, notification_id: NotificationId) -> Notification:
    """Note that one has read this; read once is read. Raises: NotFound for another's."""
    member_id = await own_member(tx)
    await get_notification(tx, notification_id)
    marked = await tx.execute(
        """
        UPDATE notifications
           SET read_at = %(now)s
         WHERE id = %(notification_id)s
           AND read_at IS NULL
        """,
        notification_id=notification_id,
        now=clock.now(),
    )
    if marked:
        await emit(tx, NotificationsRead(member_id))
    return await get_notification(tx, notification_id)


async def mark_all_read(tx: Tx) -> int:
    """Note that one has read everything; returns how many were unread."""
    member_id = await own_member(tx)
    marked = await tx.execute(
        "UPDATE notifications SET read_at = %(now)s WHERE member_id = %(member_id)s AND read_at IS NULL",
        member_id=member_id,
        now=clock.now(),
    )
    if marked:
        await emit(tx, NotificationsRead(member_id))
    return marked
