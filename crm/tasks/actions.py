"""Making and completing tasks."""

from datetime import datetime

from core import clock
from core.db import Tx
from core.errors import Unprocessable
from core.ids import uuid7
from crm.contacts.queries import get_contact
from crm.deals.queries import get_deal
from crm.tasks.models import Task
from crm.tasks.queries import get_task
from events.ids import ContactId, DealId, TaskId
from events.outbox import emit
from events.types import TaskCompleted, TaskCreated


async def create_task(
    tx: Tx,
    title: str,
    *,
    contact_id: ContactId | None = None,
    deal_id: DealId | None = None,
    due_at: datetime | None = None,
) -> Task:
    """Note down something to be done; the principal and its run are recorded as the author.

    Raises:
        Unprocessable: no title.
        NotFound: no such contact or deal.
    """
    tx.principal.require("tasks:write")
    if not title.strip():
        raise Unprocessable("A task needs a title.", field="title")
    if contact_id is not None:
        await get_contact(tx, contact_id)
    if deal_id is not None:
        await get_deal(tx, deal_id)
    task = await tx.one(
        Task,
        """
        INSERT INTO tasks (organization_id, id, title, contact_id, deal_id, due_at, created_by_kind, created_by_id,
                           run_id, created_at)
        VALUES (%(organization_id)s, %(id)s, %(title)s, %(contact_id)s, %(deal_id)s, %(due_at)s,
                %(created_by_kind)s, %(created_by_id)s, %(run_id)s, %(now)s)
        RETURNING id, title, contact_id, deal_id, due_at, done_at, created_by_kind, created_by_id, run_id, created_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        title=title.strip(),
        contact_id=contact_id,
        deal_id=deal_id,
        due_at=due_at,
        created_by_kind=tx.principal.kind.value,
        created_by_id=tx.principal.id,
        run_id=tx.principal.run_id,
        now=clock.now(),
    )
    await emit(tx, TaskCreated(task.id, contact_id))
    return task


async def complete_task(tx: Tx, task_id: TaskId) -> Task:
    """Mark a task as done; one that is done stays as it is.

    Raises: NotFound.
    """
    task = await get_task(tx, task_id, lock=True)
    tx.principal.require("tasks:write")
    if task.done_at is not None:
        return task
    completed = await tx.one(
        Task,
        """
        UPDATE tasks
           SET done_at = %(now)s
         WHERE id = %(task_id)s
        RETURNING id, title, contact_id, deal_id, due_at, done_at, created_by_kind, created_by_id, run_id, created_at
        """,
        task_id=task_id,
        now=clock.now(),
    )
    changes: dict[str, tuple[object, object]] = {"done_at": (None, completed.done_at)}
    await emit(tx, TaskCompleted(task_id, completed.contact_id), changes=changes)
    return completed
