"""Reading tasks."""

from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.records.models import RecordRef
from crm.tasks.models import Task, TaskFilter, TaskLine
from events.ids import ContactId, MemberId, TaskId

ALL = TaskFilter()
_LINE: LiteralString = """
        SELECT t.id, t.title, t.description, t.record_kind, t.record_id, t.assignee_id, t.priority, t.due_at, t.remind_at,
               t.done_at, t.created_by_kind, t.created_by_id, t.run_id, t.created_at, t.removed_at, t.version,
               m.name AS assignee_name, coalesce(c.name, o.name, d.name, lc.name) AS record_name
          FROM tasks t
          LEFT JOIN members m ON (m.organization_id, m.id) = (t.organization_id, t.assignee_id)
          LEFT JOIN contacts c ON t.record_kind = 'contact' AND (c.organization_id, c.id) = (t.organization_id, t.record_id)
          LEFT JOIN companies o ON t.record_kind = 'company' AND (o.organization_id, o.id) = (t.organization_id, t.record_id)
          LEFT JOIN deals d ON t.record_kind = 'deal' AND (d.organization_id, d.id) = (t.organization_id, t.record_id)
          LEFT JOIN leads l ON t.record_kind = 'lead' AND (l.organization_id, l.id) = (t.organization_id, t.record_id)
          LEFT JOIN contacts lc ON (lc.organization_id, lc.id) = (l.organization_id, l.contact_id)
        """


async def get_task(tx: Tx, task_id: TaskId, *, lock: bool = False) -> Task:
    """One task, also a removed one; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("tasks:read")
    if lock:
        await tx.execute("SELECT FROM tasks WHERE id = %(task_id)s FOR NO KEY UPDATE", task_id=task_id)
    return await tx.one(
        Task,
        """
        SELECT id, title, description, record_kind, record_id, assignee_id, priority, due_at, remind_at, done_at,
               created_by_kind, created_by_id, run_id, created_at, removed_at, version
          FROM tasks
         WHERE id = %(task_id)s
        """,
        task_id=task_id,
    )


async def get_task_line(tx: Tx, task_id: TaskId) -> TaskLine:
    """One task with its names, also a removed one. Raises: NotFound."""
    tx.principal.require("tasks:read")
    return await tx.one(TaskLine, _LINE + " WHERE t.id = %(task_id)s", task_id=task_id)


async def list_tasks(
    tx: Tx, wanted: TaskFilter = ALL, *, cursor: str | None = None, limit: int = 25
) -> Page[TaskLine]:
    """Tasks that are not removed, the newest first."""
    tx.principal.require("tasks:read")
    size = page_size(limit)
    lines = await tx.all(
        TaskLine,
        _LINE
        + """
         WHERE t.removed_at IS NULL
           AND (%(is_done)s::boolean IS NULL OR (t.done_at IS NOT NULL) = %(is_done)s)
           AND (%(assignee_id)s::uuid IS NULL OR t.assignee_id = %(assignee_id)s)
           AND (%(record_id)s::uuid IS NULL OR (t.record_kind, t.record_id) = (%(record_kind)s, %(record_id)s))
           AND (%(due_before)s::timestamptz IS NULL OR t.due_at < %(due_before)s)
           AND (%(before_id)s::uuid IS NULL OR t.id < %(before_id)s)
         ORDER BY t.id DESC
         LIMIT %(limit)s
        """,
        is_done=None if wanted.status is None else wanted.status == "done",
        assignee_id=wanted.assignee_id,
        record_kind=wanted.record.kind.value if wanted.record else None,
        record_id=wanted.record.id if wanted.record else None,
        due_before=wanted.due_before,
        before_id=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(lines, size, after=lambda line: encode_cursor(line.id))


async def list_due_tasks(tx: Tx, assignee_id: MemberId | None = None, *, limit: int = 200) -> list[TaskLine]:
    """What is open, of one member or of everybody: what is due first comes first, what is never due last."""
    tx.principal.require("tasks:read")
    return await tx.all(
        TaskLine,
        _LINE
        + """
         WHERE t.done_at IS NULL
           AND t.removed_at IS NULL
           AND (%(assignee_id)s::uuid IS NULL OR t.assignee_id = %(assignee_id)s)
         ORDER BY t.due_at, t.id
         LIMIT %(limit)s
        """,
        assignee_id=assignee_id,
        limit=limit,
    )


async def list_record_tasks(tx: Tx, record: RecordRef, *, limit: int = 50) -> list[TaskLine]:
    """The tasks of one record: what is open and due first, then what was done last."""
    tx.principal.require("tasks:read")
    return await tx.all(
        TaskLine,
        _LINE
        + """
         WHERE (t.record_kind, t.record_id) = (%(record_kind)s, %(record_id)s)
           AND t.removed_at IS NULL
         ORDER BY t.done_at IS NOT NULL, t.done_at DESC, t.due_at, t.id
         LIMIT %(limit)s
        """,
        record_kind=record.kind.value,
        record_id=record.id,
        limit=limit,
    )


async def list_open_tasks(tx: Tx, contact_id: ContactId, *, limit: int = 20) -> list[TaskLine]:
    """What is still to be done for a contact, or for a deal or a lead of theirs: what is due first comes first."""
    tx.principal.require("tasks:read")
    return await tx.all(
        TaskLine,
        _LINE
        + """
         WHERE (t.record_kind = 'contact' AND t.record_id = %(contact_id)s
                OR t.record_kind = 'deal'
                   AND t.record_id IN (SELECT of.id FROM deals of WHERE of.contact_id = %(contact_id)s)
                OR t.record_kind = 'lead'
                   AND t.record_id IN (SELECT of.id FROM leads of WHERE of.contact_id = %(contact_id)s))
           AND t.done_at IS NULL
           AND t.removed_at IS NULL
         ORDER BY t.due_at, t.id
         LIMIT %(limit)s
        """,
        contact_id=contact_id,
        limit=limit,
    )
