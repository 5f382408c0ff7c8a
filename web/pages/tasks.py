"""Tasks: what is overdue, due today and later, by person; completed with one key, with the way back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import RedirectResponse, Response

from core import clock
from core.errors import Stale, Unprocessable
from crm.conversations import inbox
from crm.records.models import RecordRef
from crm.tasks import actions as tasks
from crm.tasks import queries
from crm.tasks.models import NewTask, Priority, TaskEdit
from events.ids import ContactId, MemberId, RecordKind, TaskId
from web import activities_view, inbox_view, suggestions_view
from web.pages import records
from web.pages.drafts import FolderField
from web.phrases import N_
from web.viewer import CurrentSession, Session

router = APIRouter()
PERSON = "^(mine|all|[0-9a-f-]{36})$"
Person = Annotated[str, Query(pattern=PERSON)]
Title = Annotated[str, Form(max_length=tasks.MAX_TITLE)]


@dataclass(frozen=True)
class Place:
    """Where a form about tasks stands: beside a conversation, in a record's section, or on the page of tasks."""

    conversation_id: UUID | None
    folder: str
    record_kind: RecordKind
    record_id: UUID | None
    person: str


async def get_place(
    conversation_id: Annotated[UUID | None, Form()] = None,
    folder: FolderField = "mine",
    record_kind: Annotated[RecordKind, Form()] = RecordKind.CONTACT,
    record_id: Annotated[UUID | None, Form()] = None,
    person: Annotated[str, Form(pattern=PERSON)] = activities_view.MINE,
) -> Place:
    return Place(conversation_id, folder, record_kind, record_id, person)


CurrentPlace = Annotated[Place, Depends(get_place)]


@router.get("/tasks")
async def show_tasks(
    session: CurrentSession,
    person: Person = activities_view.MINE,
    part: str = "",
    done: TaskId | None = None,
) -> Response:
    """Open tasks; `done` is the one that was just completed and can be reopened."""
    board = await activities_view.load_tasks(session.tx, session.words, person)
    if part == "list":
        return session.page("tasks/_list.html", board=board, error="", title="")
    undone = await queries.get_task(session.tx, done) if done else None
    return session.page(
        "tasks/index.html",
        board=board,
        error="",
        title="",
        done=undone if undone and undone.done_at else None,
        **await _suggested(session),
        **await records.frame(session, "tasks"),
    )


@router.post("/tasks")
async def add_task(
    session: CurrentSession,
    place: CurrentPlace,
    title: Title = "",
    due: Annotated[str, Form(max_length=40)] = "",
    assignee: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Without a time it is due tomorrow evening, the day when somebody will look at it again."""
    record = RecordRef(place.record_kind, place.record_id) if place.record_id else None
    try:
        async with session.tx.savepoint():
            due_at = activities_view.moment(due, session.words.zone) or _tomorrow(session)
            member = MemberId(UUID(assignee)) if assignee else None
            await tasks.create_task(session.tx, NewTask(title, record, assignee_id=member, due_at=due_at))
    except (Unprocessable, ValueError):
        error = session.words.gettext("A task needs a title, and a day that there is.")
        return await answer(session, place, status=422, error=error, title=title)
    return await answer(session, place)


@router.get("/tasks/{task_id}")
async def show_task(session: CurrentSession, task_id: TaskId) -> Response:
    return await _show(session, task_id)


@router.post("/tasks/{task_id}/revisions")
async def edit_task(
    session: CurrentSession,
    task_id: TaskId,
    version: Annotated[int, Form()],
    title: Title = "",
    description: Annotated[str, Form(max_length=8192)] = "",
    priority: Annotated[Priority, Form()] = Priority.NORMAL,
    due: Annotated[str, Form(max_length=40)] = "",
    remind: Annotated[str, Form(max_length=40)] = "",
    assignee: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Nothing is lost: what cannot be kept stays in the form."""
    try:
        async with session.tx.savepoint():
            edit = TaskEdit(
                title=title,
                description=description.replace("\r\n", "\n").strip(),
                priority=priority,
                due_at=activities_view.moment(due, session.words.zone),
                remind_at=activities_view.moment(remind, session.words.zone),
                assignee_id=MemberId(UUID(assignee)) if assignee else None,
            )
            await tasks.update_task(session.tx, task_id, edit, version=version)
    except (Stale, Unprocessable, ValueError) as err:
        say = session.words.gettext
        error = (
            say(N_("Somebody changed this task meanwhile. It is shown as it is now."))
            if isinstance(err, Stale)
            else say(N_("A task needs a title, and a day that there is."))
        )
        return await _show(session, task_id, status=412 if isinstance(err, Stale) else 422, error=error)
    return RedirectResponse(f"/tasks/{task_id}", 303)


@router.post("/tasks/{task_id}/completion")
async def complete_task(session: CurrentSession, task_id: TaskId, place: CurrentPlace) -> Response:
    task = await tasks.complete_task(session.tx, task_id)
    said = session.words.gettext("Done: %(title)s", title=task.title if task else "")
    return await answer(session, place, said=said, undo=f"/tasks/{task_id}/reopening", done=task_id)


@router.post("/tasks/{task_id}/reopening")
async def reopen_task(session: CurrentSession, task_id: TaskId, place: CurrentPlace) -> Response:
    await tasks.reopen_task(session.tx, task_id)
    return await answer(session, place)


@router.post("/tasks/{task_id}/removal")
async def remove_task(session: CurrentSession, task_id: TaskId) -> Response:
    await tasks.remove_task(session.tx, task_id)
    return RedirectResponse(f"/tasks/{task_id}", 303)


@router.post("/tasks/{task_id}/restoration")
async def restore_task(session: CurrentSession, task_id: TaskId) -> Response:
    await tasks.restore_task(session.tx, task_id)
    return RedirectResponse(f"/tasks/{task_id}", 303)


async def answer(
    session: Session,
    place: Place,
    *,
    status: int = 200,
    said: str = "",
    undo: str = "",
    error: str = "",
    title: str = "",
    done: TaskId | None = None,
) -> Response:
    """The tasks of the place as they are now."""
    if place.conversation_id:
        return await _beside_conversation(session, place.conversation_id, place.folder)
    if place.record_id:
        ref = RecordRef(place.record_kind, place.record_id)
        if session.is_fragment or error:
            return await records.render(
                session, ref, "tasks", status=status, said=said, undo=undo, error=error, text=title
            )
        return RedirectResponse(activities_view.section_path(ref, "tasks"), 303)
    board = await activities_view.load_tasks(session.tx, session.words, place.person)
    context = {"board": board, "error": error, "title": title, "said": said, "undo": undo}
    if session.is_fragment:
        return session.page("tasks/_answer.html", status=status, **context)
    if error:
        frame = await records.frame(session, "tasks")
        return session.page(
            "tasks/index.html", status=status, done=None, **context, **await _suggested(session), **frame
        )
    undone = f"&done={done}" if done else ""
    return RedirectResponse(f"/tasks?person={place.person}{undone}", 303)


async def _suggested(session: Session) -> dict[str, Any]:
    """What agents suggest stands above what is to be done."""
    return {"cards": await suggestions_view.load_cards(session.tx, session.words), "is_few": True}


async def _beside_conversation(session: Session, conversation_id: UUID, folder: str) -> Response:
    if not session.is_fragment:
        return RedirectResponse(f"/inbox/{conversation_id}?folder={folder}&pane=about", 303)
    thread = await inbox.get_thread(session.tx, conversation_id)
    about = await inbox_view.load_about(session.tx, ContactId(thread.contact_id))
    return session.page("inbox/_tasks.html", about=about, conversation_id=conversation_id, folder=folder)


async def _show(session: Session, task_id: TaskId, *, status: int = 200, error: str = "") -> Response:
    board = await activities_view.load_tasks(session.tx, session.words, activities_view.MINE)
    return session.page(
        "tasks/show.html",
        status=status,
        task=await queries.get_task_line(session.tx, task_id),
        members=board.members,
        error=error,
        **await records.frame(session, "tasks"),
    )


def _tomorrow(session: Session) -> datetime:
    local = session.words.local(clock.now()) + timedelta(days=1)
    return local.replace(hour=18, minute=0, second=0, microsecond=0)
