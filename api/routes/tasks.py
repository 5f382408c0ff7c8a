"""Tasks: what somebody has to do, for which record, and by when."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, Field, StringConstraints

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, Limit, Moment, Out, PageOut, Text, Version, example
from api.nouns import Noun
from api.routes.records import AboutRecord, KindQuery, record_of
from core.principal import PrincipalKind
from crm.tasks import actions as tasks
from crm.tasks import queries
from crm.tasks.models import NewTask, Priority, TaskEdit, TaskFilter, TaskStatus
from events.ids import MemberId, RecordKind, RunId, TaskId

router = Noun(prefix="/tasks", tags=["tasks"])
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=tasks.MAX_TITLE, pattern=r"^[^\x00]*$"),
    Field(examples=["Send the price list"]),
]


class TaskIn(AboutRecord):
    model_config = example(
        title="Send the price list",
        record_kind="contact",
        record_id="01931b5e-7c00-7000-8000-000000000001",
        due_at="2026-12-01T09:00:00+01:00",
        priority="high",
    )

    title: Title
    description: Text = ""
    assignee_id: MemberId | None = Field(
        default=None, description="The member who has to do it; the caller if null."
    )
    priority: Priority = Priority.NORMAL
    due_at: Moment | None = None
    remind_at: Moment | None = Field(
        default=None, description="When the assignee is told, besides when it is due."
    )


class TaskPatch(AboutRecord):
    """New values for some fields: what is left out stays as it is, null empties what may be empty."""

    model_config = example(version=1, due_at="2026-12-02T09:00:00+01:00")

    version: Version
    title: Title = Field(default_factory=str)
    description: Text = Field(default_factory=str)
    assignee_id: MemberId | None = None
    priority: Priority = Priority.NORMAL
    due_at: Moment | None = None
    remind_at: Moment | None = None


class TaskOut(Out):
    id: TaskId
    title: str
    description: str
    record_kind: RecordKind | None
    record_id: UUID | None
    assignee_id: MemberId | None
    priority: Priority
    due_at: datetime | None
    remind_at: datetime | None
    done_at: datetime | None
    created_by_kind: PrincipalKind
    created_by_id: UUID
    run_id: RunId | None = Field(description="The agent run that noted it down, if one did.")
    created_at: datetime
    removed_at: datetime | None = Field(description="Set while the task can be restored.")
    version: int


@router.get("", operation_id="list_tasks", summary="List tasks, the newest first")
async def list_tasks(
    tx: ApiTx,
    status: TaskStatus | None = None,
    assignee_id: MemberId | None = None,
    due_before: Annotated[AwareDatetime | None, Query(description="Keeps what is due before this.")] = None,
    record_kind: KindQuery = RecordKind.CONTACT,
    record_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[TaskOut]:
    wanted = TaskFilter(status, assignee_id, record_of(record_kind, record_id), due_before)
    return PageOut[TaskOut].of(await queries.list_tasks(tx, wanted, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_task",
    summary="Note down a task",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_task(tx: ApiTx, new: TaskIn) -> TaskOut:
    """Whoever has it to do is told when it is due, and at `remind_at`."""
    fields = new.model_dump(exclude={"record_kind", "record_id"})
    return TaskOut.model_validate(await tasks.create_task(tx, NewTask(**fields, record=new.record)))


@router.get("/{task_id}", operation_id="get_task", summary="Read one task", responses=problems(404))
async def get_task(tx: ApiTx, task_id: TaskId) -> TaskOut:
    return TaskOut.model_validate(await queries.get_task(tx, task_id))


@router.patch(
    "/{task_id}",
    operation_id="update_task",
    summary="Change some fields of a task",
    responses=problems(404, 409, 412, *BODY),
)
async def update_task(tx: ApiTx, task_id: TaskId, patch: TaskPatch) -> TaskOut:
    fields = patch.model_dump(exclude={"version", "record_kind", "record_id"}, exclude_unset=True)
    if patch.model_fields_set & {"record_kind", "record_id"}:
        fields["record"] = patch.record
    edit = TaskEdit(**fields)
    return TaskOut.model_validate(await tasks.update_task(tx, task_id, edit, version=patch.version))


@router.post(
    "/{task_id}/completion",
    operation_id="complete_task",
    summary="Mark a task as done",
    responses=problems(404, 409),
)
async def complete_task(tx: ApiTx, task_id: TaskId) -> TaskOut:
    return TaskOut.model_validate(await tasks.complete_task(tx, task_id))


@router.post(
    "/{task_id}/reopening",
    operation_id="reopen_task",
    summary="Say that a task is to be done after all",
    responses=problems(404, 409),
)
async def reopen_task(tx: ApiTx, task_id: TaskId) -> TaskOut:
    return TaskOut.model_validate(await tasks.reopen_task(tx, task_id))


@router.post(
    "/{task_id}/removal", operation_id="remove_task", summary="Take a task away", responses=problems(404)
)
async def remove_task(tx: ApiTx, task_id: TaskId) -> TaskOut:
    return TaskOut.model_validate(await tasks.remove_task(tx, task_id))


@router.post(
    "/{task_id}/restoration",
    operation_id="restore_task",
    summary="Bring a removed task back",
    responses=problems(404),
)
async def restore_task(tx: ApiTx, task_id: TaskId) -> TaskOut:
    return TaskOut.model_validate(await tasks.restore_task(tx, task_id))
