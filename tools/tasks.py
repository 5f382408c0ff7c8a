"""Tools over tasks."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from core.filters import parse_filter
from core.principal import PrincipalKind
from core.sql import ListQuery, fetch_page, parse_sort
from core.trust import Trust
from crm.bidi.queries import find_own_member
from crm.records.models import RecordRef
from crm.tasks import actions as tasks
from crm.tasks import queries
from crm.tasks.fields import TASKS
from crm.tasks.models import NewTask, Priority, Task, TaskEdit
from events.ids import ContactId, MemberId, RecordKind, TaskId
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool
from tools.listing import PAGE, ListRecords


@dataclass(frozen=True)
class TaskCard:
    id: TaskId
    title: str
    description: str
    record_kind: RecordKind | None
    record_id: UUID | None
    assignee_id: MemberId | None
    priority: Priority
    due_at: datetime | None
    done_at: datetime | None
    version: int
    source: Source


@dataclass(frozen=True)
class TaskList:
    tasks: list[TaskCard]


class CreateTask(Arguments):
    title: str = Field(min_length=1, max_length=300, description="What to do, in the team's words.")
    description: str = Field("", max_length=4000, description="What helps to do it.")
    contact_id: UUID | None = None
    deal_id: UUID | None = Field(
        None, description="The deal it is about; the contact need not be named then."
    )
    assignee_id: UUID | None = Field(None, description="The colleague who is to do it, from list_colleagues.")
    priority: Priority = Priority.NORMAL
    due_at: AwareDatetime | None = Field(None, description="With time zone.")


@tool(scope="tasks:write", risk=Risk.WRITE, impact=Impact.LOW)
async def create_task(ctx: ToolContext, args: CreateTask) -> TaskCard:
    """Note down something that a colleague has to do, for a contact or a deal."""
    record = None
    if args.deal_id is not None:
        record = RecordRef(RecordKind.DEAL, args.deal_id)
    elif args.contact_id is not None:
        record = RecordRef(RecordKind.CONTACT, args.contact_id)
    new = NewTask(
        args.title,
        record,
        description=args.description,
        assignee_id=None if args.assignee_id is None else MemberId(args.assignee_id),
        priority=args.priority,
        due_at=args.due_at,
    )
    return _card(await tasks.create_task(ctx.tx, new))


class ListTasks(Arguments):
    contact_id: UUID


@tool(scope="tasks:read", risk=Risk.READ, returns_untrusted=True)
async def list_tasks(ctx: ToolContext, args: ListTasks) -> TaskList:
    """What is still to be done for a contact and the deals with them, what is due first at the top."""
    return TaskList(
        [_card(task) for task in await queries.list_open_tasks(ctx.tx, ContactId(args.contact_id))]
    )


@dataclass(frozen=True)
class TaskPage:
    tasks: list[TaskCard]
    next_cursor: str | None


@tool(scope="tasks:read", risk=Risk.READ, returns_untrusted=True)
async def find_tasks(ctx: ToolContext, args: ListRecords) -> TaskPage:
    """Tasks that a filter keeps, in order; at most 10 at a time. Fields: status (open, done), assignee_id (an id, or
    me), due_at, priority, title, record_kind, record_id, done_at, created_at."""
    kept = parse_filter(args.filter, TASKS.kinds, me=await find_own_member(ctx.tx))
    query = ListQuery(kept, parse_sort(args.sort, TASKS), args.cursor, PAGE)
    page = await fetch_page(ctx.tx, Task, TASKS, query)
    return TaskPage([_card(task) for task in page.items], page.next_cursor)


class UpdateTask(Arguments):
    task_id: UUID
    version: int = Field(ge=1, description="As it was read.")
    title: str | None = Field(None, min_length=1, max_length=300)
    description: str | None = Field(None, max_length=4000)
    priority: Priority | None = None
    due_at: AwareDatetime | None = Field(None, description="With time zone; left out it stays.")


@tool(scope="tasks:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def update_task(ctx: ToolContext, args: UpdateTask) -> TaskCard:
    """Change what a task says, when it is due or how much it matters; what is left out stays."""
    edit = TaskEdit(**args.model_dump(exclude={"task_id", "version"}, exclude_none=True))
    return _card(await tasks.update_task(ctx.tx, TaskId(args.task_id), edit, version=args.version))


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
        description=task.description,
        record_kind=task.record_kind,
        record_id=task.record_id,
        assignee_id=task.assignee_id,
        priority=task.priority,
        due_at=task.due_at,
        done_at=task.done_at,
        version=task.version,
        source=Source("task", task.id, Trust.CONFIRMED if is_ours else Trust.QUARANTINED),
    )
