"""Tools over tasks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from core.principal import PrincipalKind
from core.trust import Trust
from crm.tasks import actions as tasks
from crm.tasks import queries
from crm.tasks.models import Task
from events.ids import ContactId, DealId, TaskId
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class TaskCard:
    id: TaskId
    title: str
    contact_id: ContactId | None
    deal_id: DealId | None
    due_at: datetime | None
    done_at: datetime | None
    source: Source


@dataclass(frozen=True)
class TaskList:
    tasks: list[TaskCard]


class CreateTask(Arguments):
    title: str = Field(min_length=1, max_length=300, description="What to do, in the team's words.")
    contact_id: UUID | None = None
    deal_id: UUID | None = None
    due_at: AwareDatetime | None = Field(None, description="With time zone.")


@tool(scope="tasks:write", risk=Risk.WRITE, impact=Impact.LOW)
async def create_task(ctx: ToolContext, args: CreateTask) -> TaskCard:
    """Note down something that a colleague has to do, for a contact or a deal."""
    task = await tasks.create_task(
        ctx.tx,
        args.title,
        contact_id=ContactId(args.contact_id) if args.contact_id else None,
        deal_id=DealId(args.deal_id) if args.deal_id else None,
        due_at=args.due_at,
    )
    return _card(task)


class ListTasks(Arguments):
    contact_id: UUID


@tool(scope="tasks:read", risk=Risk.READ, returns_untrusted=True)
async def list_tasks(ctx: ToolContext, args: ListTasks) -> TaskList:
    """What is still to be done for a contact, what is due first at the top."""
    return TaskList(
        [_card(task) for task in await queries.list_open_tasks(ctx.tx, ContactId(args.contact_id))]
    )


class CompleteTask(Arguments):
    task_id: UUID


@tool(scope="tasks:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def complete_task(ctx: ToolContext, args: CompleteTask) -> TaskCard:
    """Mark a task as done."""
    return _card(await tasks.complete_task(ctx.tx, TaskId(args.task_id)))


def _card(task: Task) -> TaskCard:
    # An agent words a task after reading what people outside wrote, so its words are theirs in part.
    is_ours = task.created_by_kind is PrincipalKind.USER
    return TaskCard(
        id=task.id,
        title=task.title,
        contact_id=task.contact_id,
        deal_id=task.deal_id,
        due_at=task.due_at,
        done_at=task.done_at,
        source=Source("task", task.id, Trust.CONFIRMED if is_ours else Trust.QUARANTINED),
    )
