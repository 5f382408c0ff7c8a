"""The sections of a record's page: timeline, notes, tasks, meetings, files; each stands alone too."""

from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import RedirectResponse, Response

from core.errors import AppError, Stale, TooLarge, Unprocessable
from crm.conversations.inbox import count_folders
from crm.files import actions as files
from crm.files import queries as file_queries
from crm.files.models import NewFile
from crm.knowledge.actions import clean_name
from crm.notes import actions as notes
from crm.notes import queries as note_queries
from crm.records.models import RecordRef
from crm.timeline.models import ItemKind
from events.ids import FileId, NoteId, RecordKind
from web import activities_view
from web.phrases import N_
from web.viewer import CurrentSession, Session

# Where a record stands in the navigation.
_SECTIONS = {
    RecordKind.CONTACT: "contacts",
    RecordKind.COMPANY: "companies",
    RecordKind.LEAD: "leads",
    RecordKind.DEAL: "deals",
}
router = APIRouter()
Part = Literal["timeline", "suggestions", "notes", "tasks", "meetings", "files"]
Cursor = Annotated[str, Query(max_length=1000)]
Words = Annotated[str, Form(max_length=notes.MAX_BODY)]
# Shown in the browser only when nothing in it can run; everything else is downloaded.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})


@router.get("/records/{record_kind}/{record_id}/{part}")
async def show_section(
    session: CurrentSession,
    record_kind: RecordKind,
    record_id: UUID,
    part: Part,
    cursor: Cursor = "",
    kind: ItemKind | None = None,
    edit: NoteId | None = None,
) -> Response:
    """One section; by htmx bare, to stand in a record's page. `edit` opens a note."""
    ref = RecordRef(record_kind, record_id)
    return await render(session, ref, part, cursor=cursor, kind=kind, edited_id=edit)


async def render(
    session: Session,
    ref: RecordRef,
    part: str,
    *,
    cursor: str = "",
    kind: ItemKind | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """A section as it is now, alone or as a page. `said` passes by, `undo` is the form that takes it back."""
    context = {
        "edited_id": None,
        "error": "",
        "text": "",
        "said": "",
        "undo": "",
        "is_fragment": session.is_fragment,
        **context,
        **await activities_view.load_section(session.tx, session.words, ref, part, cursor=cursor, kind=kind),
    }
    if session.is_fragment:
        return session.page("records/_answer.html", status=status, **context)
    return session.page(
        "records/section.html",
        status=status,
        **context,
        **await frame(session, _SECTIONS.get(ref.kind, "records")),
    )


async def frame(session: Session, section: str = "records") -> dict[str, Any]:
    """What pages of activities carry around their own content."""
    return {
        "section": section,
        "counts": await count_folders(session.tx),
        "since": session.since,
    }


async def done(session: Session, ref: RecordRef, part: str, said: str = "", undo: str = "") -> Response:
    """After a form: the section for htmx, else back to its page, which offers the way back."""
    if session.is_fragment:
        return await render(session, ref, part, said=said, undo=undo)
    return RedirectResponse(activities_view.section_path(ref, part), 303)


@router.post("/records/{record_kind}/{record_id}/notes")
async def add_note(
    session: CurrentSession, record_kind: RecordKind, record_id: UUID, body: Words = ""
) -> Response:
    ref = RecordRef(record_kind, record_id)
    try:
        async with session.tx.savepoint():
            await notes.create_note(session.tx, ref, body)
    except Unprocessable as err:
        return await _refused(session, ref, "notes", err, text=body)
    return await done(session, ref, "notes")


@router.post("/notes/{note_id}/revisions")
async def edit_note(
    session: CurrentSession, note_id: NoteId, version: Annotated[int, Form()], body: Words = ""
) -> Response:
    """Nothing is lost: words that cannot be kept stay in the open editor."""
    note = await note_queries.get_note(session.tx, note_id)
    try:
        async with session.tx.savepoint():
            await notes.update_note(session.tx, note_id, body, version=version)
    except (Stale, Unprocessable) as err:
        return await _refused(session, note.record, "notes", err, edited_id=note_id, text=body)
    return await done(session, note.record, "notes")


@router.post("/notes/{note_id}/removal")
async def remove_note(session: CurrentSession, note_id: NoteId) -> Response:
    note = await notes.remove_note(session.tx, note_id)
    said = session.words.gettext("The note is removed.")
    return await done(session, note.record, "notes", said, f"/notes/{note_id}/restoration")


@router.post("/notes/{note_id}/restoration")
async def restore_note(session: CurrentSession, note_id: NoteId) -> Response:
    note = await notes.restore_note(session.tx, note_id)
    return await done(session, note.record, "notes")


@router.post("/records/{record_kind}/{record_id}/files")
async def add_file(
    session: CurrentSession,
    record_kind: RecordKind,
    record_id: UUID,
    file: Annotated[UploadFile, File()],
) -> Response:
    ref = RecordRef(record_kind, record_id)
    try:
        async with session.tx.savepoint():
            name = clean_name(file.filename or "")
            content = await file.read(files.MAX_BYTES + 1)
            files.check_size(name, len(content))
            key = await session.services.blobs.put(session.tx.organization_id, content)
            new = NewFile(name, file.content_type or files.UNKNOWN, len(content), key)
            await files.add_file(session.tx, ref, new)
    except (TooLarge, Unprocessable) as err:
        return await _refused(session, ref, "files", err)
    return await done(session, ref, "files")


@router.get("/files/{file_id}/content")
async def show_file(session: CurrentSession, file_id: FileId) -> Response:
    """The file as it was uploaded; nothing in it can run under our address."""
    file = await file_queries.get_file(session.tx, file_id)
    content = await session.services.blobs.get(session.tx.organization_id, file.blob_key)
    is_shown = file.mime in _SHOWN
    return Response(
        content,
        media_type=file.mime if is_shown else files.UNKNOWN,
        headers={
            "Content-Disposition": f"{'inline' if is_shown else 'attachment'}; filename*=UTF-8''{quote(file.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


@router.post("/files/{file_id}/removal")
async def remove_file(session: CurrentSession, file_id: FileId) -> Response:
    file = await files.remove_file(session.tx, file_id)
    said = session.words.gettext("%(name)s is removed.", name=file.name)
    return await done(session, file.record, "files", said, f"/files/{file_id}/restoration")


@router.post("/files/{file_id}/restoration")
async def restore_file(session: CurrentSession, file_id: FileId) -> Response:
    file = await files.restore_file(session.tx, file_id)
    return await done(session, file.record, "files")


async def _refused(session: Session, ref: RecordRef, part: str, err: AppError, **kept: Any) -> Response:
    say = session.words.gettext
    match err:
        case TooLarge():
            error = say(N_("A file has at most %(size)s."), size=session.words.size(files.MAX_BYTES))
        case Stale():
            error = say(
                N_("Somebody changed this note meanwhile. Your words are below: compare and save again.")
            )
        case _ if part == "files":
            error = say(N_("The file is empty or has no name. Choose another one."))
        case _:
            error = say(N_("A note needs words, at most 20,000 characters of them."))
    return await render(session, ref, part, status=err.status.value, error=error, **kept)
