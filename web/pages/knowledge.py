"""The organization's documents: add, replace, remove, read as agents read them, and try what they would find."""

import time
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import RedirectResponse, Response

from api.deps import CurrentServices, short_transactions
from core.errors import TooLarge, Unprocessable
from crm.conversations.inbox import count_folders
from crm.knowledge import actions as knowledge
from crm.knowledge import queries
from crm.knowledge.models import File as StoredFile
from crm.knowledge.models import Uploaded
from events.ids import DocumentId
from memory.documents import limits
from memory.knowledge import list_passages
from memory.models import MemoryKind
from memory.recall import Memories, Recall
from web import knowledge_view
from web.viewer import CurrentReader, CurrentSession, Session

router = APIRouter(prefix="/knowledge")
MAX_FILES = 50
PASSAGES = 6
Uploads = Annotated[list[UploadFile], File()]


@router.get("")
async def show_documents(
    session: CurrentSession, cursor: str = "", removed: DocumentId | None = None, part: str = ""
) -> Response:
    """Every document, the latest first; `removed` is the one that was just taken away and can be brought back."""
    page = await queries.list_documents(session.tx, cursor=cursor or None)
    if part == "list":
        return session.page("knowledge/_list.html", documents=page)
    undo = await queries.get_document(session.tx, removed) if removed else None
    return session.page(
        "knowledge/index.html",
        documents=page,
        removed=undo if undo and undo.removed_at else None,
        trash=await queries.list_documents(session.tx, is_removed=True, limit=20),
        notes=[],
        **await _frame(session),
    )


@router.post("")
async def add_documents(
    session: CurrentSession, files: Uploads, is_publishable: Annotated[bool, Form()] = False
) -> Response:
    """Take in every file that can be taken; the others are named with what to do, and nothing else is lost."""
    notes: list[str] = []
    for upload in files[:MAX_FILES]:
        try:
            stored = await _store(session, upload)
            _, outcome = await knowledge.add_document(session.tx, stored, is_publishable=is_publishable)
        except (TooLarge, Unprocessable) as err:
            notes.append(_refusal_note(session, upload, err))
            continue
        if outcome is Uploaded.UNCHANGED:
            notes.append(session.words.gettext("%(name)s is here already, unchanged.", name=stored.name))
    if len(files) > MAX_FILES:
        notes.append(
            session.words.gettext("Only %(count)s files fit at once; add the rest now.", count=MAX_FILES)
        )
    if not notes:
        return RedirectResponse("/knowledge", 303)
    return session.page(
        "knowledge/index.html",
        status=422,
        documents=await queries.list_documents(session.tx),
        removed=None,
        trash=await queries.list_documents(session.tx, is_removed=True, limit=20),
        notes=notes,
        **await _frame(session),
    )


@router.get("/answers")
async def show_answers(
    reader: CurrentReader,
    services: CurrentServices,
    question: Annotated[str, Query(alias="q", max_length=500)] = "",
) -> Response:
    """What an agent would find for a question; no transaction is open while the model is asked."""
    found = None
    if question.strip():
        memories = Memories(services.embedder)
        asked = Recall(question.strip(), limits={MemoryKind.CHUNK: PASSAGES})
        transactions = short_transactions(services, reader.principal, "knowledge.answers")
        began = time.perf_counter()
        recollection = await memories.recall(reader.principal, transactions, asked)
        found = knowledge_view.answers(recollection, time.perf_counter() - began)
    template = "knowledge/_answers.html" if reader.is_fragment else "knowledge/answers.html"
    return reader.page(template, found=found, question=question)


@router.get("/{document_id}")
async def show_document(
    session: CurrentSession,
    document_id: DocumentId,
    quoted: Annotated[str, Query(alias="quote")] = "",
    part: str = "",
) -> Response:
    """One document with its versions and its passages; `quote` is the line that a draft cites."""
    context = await _document(session, document_id, quoted)
    if part == "document":
        return session.page("knowledge/_document.html", **context)
    return session.page("knowledge/show.html", notes=[], **context)


@router.post("/{document_id}/versions")
async def replace_document(session: CurrentSession, document_id: DocumentId, files: Uploads) -> Response:
    """The first file becomes the next version."""
    try:
        outcome = await knowledge.replace_document(session.tx, document_id, await _store(session, files[0]))
    except (TooLarge, Unprocessable) as err:
        notes = [_refusal_note(session, files[0], err)]
    else:
        if outcome is not Uploaded.UNCHANGED:
            return RedirectResponse(f"/knowledge/{document_id}", 303)
        notes = [session.words.gettext("%(name)s is here already, unchanged.", name=files[0].filename)]
    context = await _document(session, document_id, "")
    return session.page("knowledge/show.html", status=422, notes=notes, **context)


@router.get("/{document_id}/versions/{number}/file")
async def download_version(session: CurrentSession, document_id: DocumentId, number: int) -> Response:
    """The file as it was uploaded; it is saved, never opened in the browser under our address."""
    version = await queries.get_version(session.tx, document_id, number)
    content = await session.services.blobs.get(session.tx.organization_id, version.sha256)
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(version.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


@router.post("/{document_id}/audience")
async def change_audience(
    session: CurrentSession, document_id: DocumentId, is_publishable: Annotated[bool, Form()]
) -> Response:
    await knowledge.set_publishable(session.tx, document_id, is_publishable=is_publishable)
    return RedirectResponse(f"/knowledge/{document_id}", 303)


@router.post("/{document_id}/removal")
async def remove_document(session: CurrentSession, document_id: DocumentId) -> Response:
    await knowledge.remove_document(session.tx, document_id)
    return RedirectResponse(f"/knowledge?removed={document_id}", 303)


@router.post("/{document_id}/restoration")
async def restore_document(session: CurrentSession, document_id: DocumentId) -> Response:
    await knowledge.restore_document(session.tx, document_id)
    return RedirectResponse(f"/knowledge/{document_id}", 303)


async def _store(session: Session, upload: UploadFile) -> StoredFile:
    """Put an uploaded file into storage. Raises: TooLarge, Unprocessable."""
    name = knowledge.clean_name(upload.filename or "")
    content = await upload.read(limits.FILE_BYTES + 1)
    if len(content) > limits.FILE_BYTES:
        raise TooLarge(
            f"{name} is larger than {limits.FILE_BYTES // 1024**2} MB; split it and add the parts."
        )
    key = await session.services.blobs.put(session.tx.organization_id, content)
    return StoredFile(name, key, len(content))


def _refusal_note(session: Session, upload: UploadFile, err: TooLarge | Unprocessable) -> str:
    if isinstance(err, TooLarge):
        size = session.words.size(limits.FILE_BYTES)
        pattern = "%(name)s is larger than %(size)s. Split it and add the parts."
        return session.words.gettext(pattern, name=upload.filename, size=size)
    return session.words.gettext("A file has no name, or none was chosen. Choose one and add it again.")


async def _document(session: Session, document_id: DocumentId, quoted: str) -> dict[str, Any]:
    """What the page of a document shows. Raises: NotFound."""
    document = await queries.get_document(session.tx, document_id)
    versions = await queries.list_versions(session.tx, document_id)
    return {
        "document": document,
        "versions": versions,
        "newest": versions[0],
        "live": next((version for version in versions if version.id == document.live_version_id), None),
        "passages": knowledge_view.passages(await list_passages(session.tx, document_id)),
        "quoted": quoted,
        **await _frame(session),
    }


async def _frame(session: Session) -> dict[str, Any]:
    """What every page of the section carries around its own content."""
    return {
        "section": "knowledge",
        "counts": await count_folders(session.tx),
        "since": session.since,
        "may_change": session.principal.may("knowledge:write"),
    }
