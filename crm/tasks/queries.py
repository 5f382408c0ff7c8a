"""Reading tasks."""

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_size
from crm.tasks.models import Task
from events.ids import ContactId, TaskId


async def get_task(tx: Tx, task_id: TaskId, *, lock: bool = False) -> Task:
    """One task; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("tasks:read")
    if lock:
        await tx.execute("SELECT FROM tasks WHERE id = %(task_id)s FOR NO KEY UPDATE", task_id=task_id)
    return await tx.one(
        Task,
        """
        SELECT id, title, contact_id, deal_id, due_at, done_at, created_by_kind, created_by_id, run_id, created_at
          FROM tasks
         WHERE id = %(task_id)s
        """,
        task_id=task_id,
    )


async def list_open_tasks(tx: Tx, contact_id: ContactId) -> list[Task]:
    """What is still to be done for one contact: what is due first comes first, what is never due comes last."""
    tx.principal.require("tasks:read")
    return await tx.all(
        Task,
        """
        SELECT id, title, contact_id, deal_id, due_at, done_at, created_by_kind, created_by_id, run_id, created_at
          FROM tasks
         WHERE contact_id = %(contact_id)s
           AND done_at IS NULL
         ORDER BY due_at NULLS LAST, id
        """,
        contact_id=contact_id,
    )


async def list_tasks(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Task]:
    """Every open task of the organization, the newest first."""
    tx.principal.require("tasks:read")
    size = page_size(limit)
    (before_id,) = decode_cursor(cursor, 1) if cursor else (None,)
    tasks = await tx.all(
        Task,
        """
        SELECT id, title, contact_id, deal_id, due_at, done_at, created_by_kind, created_by_id, run_id, created_at
          FROM tasks
         WHERE done_at IS NULL
           AND (%(before_id)s::uuid IS NULL OR id < %(before_id)s::uuid)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        before_id=before_id,
        limit=size + 1,
    )
    page = tasks[:size]
    return Page(page, encode_cursor(page[-1].id) if len(tasks) > size else None)
