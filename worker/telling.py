"""What comes due for people, and how they hear of it: due work -> event -> notification."""

from typing import TYPE_CHECKING
from uuid import UUID

from core.db import Tx
from crm.meetings import actions as meetings
from crm.notifications import actions as notifications
from crm.notifications.models import NotificationKind
from crm.tasks import actions as tasks
from events.ids import ApprovalId, ConversationId, MeetingId, TaskId, WebhookId
from events.types import ApprovalAssigned, ApprovalEscalated
from worker.jobs import Job

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services


async def note_due_task(services: "Services", tx: Tx, job: Job) -> None:
    await tasks.tell_due(tx, TaskId(job.subject_id))


async def note_reminder(services: "Services", tx: Tx, job: Job) -> None:
    await tasks.tell_reminder(tx, TaskId(job.subject_id))


async def note_meeting(services: "Services", tx: Tx, job: Job) -> None:
    await meetings.tell_due(tx, MeetingId(job.subject_id))


async def tell_assigned(services: "Services", tx: Tx, job: Job) -> None:
    await _tell_of_task(tx, NotificationKind.TASK_ASSIGNED, job)


async def tell_due_task(services: "Services", tx: Tx, job: Job) -> None:
    await _tell_of_task(tx, NotificationKind.TASK_DUE, job)


async def tell_reminder(services: "Services", tx: Tx, job: Job) -> None:
    await _tell_of_task(tx, NotificationKind.TASK_REMINDER, job)


async def tell_meeting(services: "Services", tx: Tx, job: Job) -> None:
    await notifications.tell_of_meeting(tx, MeetingId(job.subject_id), _cause(job))


async def tell_webhook(services: "Services", tx: Tx, job: Job) -> None:
    await notifications.tell_of_webhook(tx, WebhookId(job.subject_id), _cause(job))


async def tell_assigned_approval(services: "Services", tx: Tx, job: Job) -> None:
    await notifications.tell_assignee(tx, _approval(job), _cause(job))


async def tell_escalated_approval(services: "Services", tx: Tx, job: Job) -> None:
    await notifications.tell_of_escalation(tx, _approval(job), _cause(job))


async def tell_holder(services: "Services", tx: Tx, job: Job) -> None:
    await notifications.tell_holder(tx, ConversationId(job.subject_id), _cause(job))


def _approval(job: Job) -> ApprovalId:
    """The approval of an event whose subject is the conversation that it is about."""
    if not isinstance(job.event, ApprovalAssigned | ApprovalEscalated):
        raise TypeError(
            f"{job.handler} is routed to {type(job.event).__name__}, which it does not understand"
        )
    return job.event.approval_id


async def _tell_of_task(tx: Tx, kind: NotificationKind, job: Job) -> None:
    await notifications.tell_of_task(tx, TaskId(job.subject_id), kind, _cause(job))


def _cause(job: Job) -> UUID:
    """The event that is reacted to, so that whoever is told of it is told once."""
    if job.principal.causation_id is None:
        raise TypeError(f"{job.handler} reacts to events only")
    return job.principal.causation_id
