"""Noting tasks down, changing, completing and removing them, and telling of those whose time has come."""

from collections.abc import Mapping

from psycopg import sql

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.bidi.queries import find_own_member
from crm.identity.queries import require_member
from crm.records.models import RecordRef
from crm.records.queries import require_record
from crm.tasks.models import NewTask, Task, TaskEdit
from crm.tasks.queries import get_task
from events import due
from events.ids import MemberId, TaskId
from events.outbox import emit
from events.types import (
    TaskAssigned,
    TaskCompleted,
    TaskCreated,
    TaskDue,
    TaskReminded,
    TaskRemoved,
    TaskReopened,
    TaskRestored,
    TaskUpdated,
)

DUE = "task.due"
REMIND = "task.remind"
MAX_TITLE = 300


async def create_task(tx: Tx, new: NewTask) -> Task:
    """Note down something to be done; the principal and its run are recorded as the author.

    Raises:
        Unprocessable: no title, or a record or member that is not there.
        Conflict: the record is in the trash.
    """
    tx.principal.require("tasks:write")
    title = _titled(new.title)
    await _require_links(tx, new.record, new.assignee_id)
    author = await find_own_member(tx)
    task = await tx.one(
        Task,
        """
        INSERT INTO tasks (organization_id, id, title, description, record_kind, record_id, assignee_id, priority,
                           due_at, remind_at, created_by_kind, created_by_id, run_id, created_at)
        VALUES (%(organization_id)s, %(id)s, %(title)s, %(description)s, %(record_kind)s, %(record_id)s,
                %(assignee_id)s, %(priority)s, %(due_at)s, %(remind_at)s, %(created_by_kind)s, %(created_by_id)s,
                %(run_id)s, %(now)s)
        RETURNING id, title, description, record_kind, record_id, assignee_id, priority, due_at, remind_at, done_at,
                  created_by_kind, created_by_id, run_id, created_at, removed_at, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        title=title,
        description=new.description.strip(),
        record_kind=new.record.kind.value if new.record else None,
        record_id=new.record.id if new.record else None,
        assignee_id=new.assignee_id or author,
        priority=new.priority.value,
        due_at=new.due_at,
        remind_at=new.remind_at,
        created_by_kind=tx.principal.kind.value,
        created_by_id=tx.principal.id,
        run_id=tx.principal.run_id,
        now=clock.now(),
    )
    await _schedule(tx, task)
    await emit(tx, TaskCreated(task.id))
    if task.assignee_id is not None and task.assignee_id != author:
        await emit(tx, TaskAssigned(task.id))
    return task


async def update_task(tx: Tx, task_id: TaskId, edit: TaskEdit, *, version: int) -> Task:
    """Change some fields of a task; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such task.
        Conflict: it is removed, or the record is in the trash.
        Stale: changed since `version` was read.
        Unprocessable: no title, or a record or member that is not there.
    """
    task = await get_task(tx, task_id, lock=True)
    tx.principal.require("tasks:write")
    _require_present(task)
    if task.version != version:
        raise Stale(f"The task “{task.title}” was changed meanwhile; reload and try again.")
    new = given(edit)
    if edit.title is not KEEP:
        new["title"] = _titled(edit.title)
    if edit.record is not KEEP:
        del new["record"]
        new["record_kind"] = edit.record.kind if edit.record else None
        new["record_id"] = edit.record.id if edit.record else None
    changes = differences(task, new)
    if not changes:
        return task
    record = edit.record if "record_id" in changes and edit.record is not KEEP else None
    await _require_links(tx, record, edit.assignee_id if edit.assignee_id is not KEEP else None)
    updated = await _write(tx, task_id, {name: after for name, (_, after) in changes.items()})
    if changes.keys() & {"due_at", "remind_at"}:
        await _schedule(tx, updated)
    await emit(tx, TaskUpdated(task_id), changes=changes)
    if "assignee_id" in changes and updated.assignee_id not in (None, await find_own_member(tx)):
        await emit(tx, TaskAssigned(task_id))
    return updated


async def complete_task(tx: Tx, task_id: TaskId) -> Task:
    """Mark a task as done; one that is done stays as it is.

    Raises: NotFound; Conflict when it is removed.
    """
    task = await get_task(tx, task_id, lock=True)
    tx.principal.require("tasks:write")
    _require_present(task)
    if task.done_at is not None:
        return task
    completed = await _write(tx, task_id, {"done_at": clock.now()})
    await _schedule(tx, completed)
    await emit(tx, TaskCompleted(task_id), changes={"done_at": (None, completed.done_at)})
    return completed


async def reopen_task(tx: Tx, task_id: TaskId) -> Task:
    """A task that was marked as done is to be done after all. Raises: NotFound; Conflict when it is removed."""
    task = await get_task(tx, task_id, lock=True)
    tx.principal.require("tasks:write")
    _require_present(task)
    if task.done_at is None:
        return task
    reopened = await _write(tx, task_id, {"done_at": None})
    await _schedule(tx, reopened)
    await emit(tx, TaskReopened(task_id), changes={"done_at": (task.done_at, None)})
    return reopened


async def remove_task(tx: Tx, task_id: TaskId) -> Task:
    """Take a task off every list; it can be restored. A removed one stays as it is. Raises: NotFound."""
    task = await get_task(tx, task_id, lock=True)
    tx.principal.require("tasks:write")
    if task.removed_at is not None:
        return task
    removed = await _write(tx, task_id, {"removed_at": clock.now()})
    await _schedule(tx, removed)
    await emit(tx, TaskRemoved(task_id))
    return removed


async def restore_task(tx: Tx, task_id: TaskId) -> Task:
    """Bring a removed task back. Raises: NotFound."""
    task = await get_task(tx, task_id, lock=True)
    tx.principal.require("tasks:write")
    if task.removed_at is None:
        return task
    restored = await _write(tx, task_id, {"removed_at": None})
    await _schedule(tx, restored)
    await emit(tx, TaskRestored(task_id))
    return restored


async def tell_due(tx: Tx, task_id: TaskId) -> None:
    """Its time has come: say so, unless it is done, removed or never due by now.

    Whether the time has really come is not asked again: who moves a task moves its row of due work with it, and our
    clock may be behind the database's.
    """
    task = await get_task(tx, task_id, lock=True)
    if _is_open(task) and task.due_at is not None:
        await emit(tx, TaskDue(task_id))


async def tell_reminder(tx: Tx, task_id: TaskId) -> None:
    """Somebody wanted to be reminded now: say so, unless it is done or removed by now."""
    task = await get_task(tx, task_id, lock=True)
    if _is_open(task) and task.remind_at is not None:
        await emit(tx, TaskReminded(task_id))


async def _schedule(tx: Tx, task: Task) -> None:
    """What is to come of the task at its times; nothing of one that is done or removed.

    A time that has passed is told of too when somebody sets it: it is the next thing to do.
    """
    for kind, at in ((DUE, task.due_at), (REMIND, task.remind_at)):
        if at is not None and _is_open(task):
            await due.schedule(tx, kind, task.id, at)
        else:
            await due.cancel(tx, kind, task.id)


async def _write(tx: Tx, task_id: TaskId, values: Mapping[str, object]) -> Task:
    return await tx.one(
        Task,
        sql.SQL(
            """
        UPDATE tasks
           SET {values}, version = version + 1
         WHERE id = %(task_id)s
        RETURNING id, title, description, record_kind, record_id, assignee_id, priority, due_at, remind_at, done_at,
                  created_by_kind, created_by_id, run_id, created_at, removed_at, version
        """
        ).format(values=assignments(values)),
        task_id=task_id,
    )


async def _require_links(tx: Tx, record: RecordRef | None, assignee_id: MemberId | None) -> None:
    if record is not None:
        await require_record(tx, record)
    if assignee_id is not None:
        await require_member(tx, assignee_id, field="assignee_id")


def _titled(title: str) -> str:
    cleaned = title.strip()
    if not cleaned or len(cleaned) > MAX_TITLE:
        raise Unprocessable(f"A task needs a title of at most {MAX_TITLE} characters.", field="title")
    return cleaned


def _require_present(task: Task) -> None:
    if task.removed_at is not None:
        raise Conflict(f"The task “{task.title}” is removed; restore it first.")


def _is_open(task: Task) -> bool:
    return task.done_at is None and task.removed_at is None
