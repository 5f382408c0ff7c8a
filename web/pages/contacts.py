"""Beside the conversation: tasks, facts and who knows whom, and the files of messages."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from api.deps import CurrentServices
from core import clock
from crm.conversations import inbox
from crm.conversations.queries import get_attachment
from crm.facts import actions as facts
from crm.records.models import RecordRef
from crm.tasks import actions as tasks
from crm.tasks.models import NewTask
from events.ids import AttachmentId, ContactId, FactId, RecordKind
from web import inbox_view, relationships
from web.pages.drafts import FolderField
from web.viewer import CurrentReader, CurrentSession, Session

router = APIRouter()
# Shown in the browser only when nothing in it can run; everything else is downloaded.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})


@router.post("/contacts/{contact_id}/tasks")
async def add_task(
    session: CurrentSession,
    contact_id: ContactId,
    title: Annotated[str, Form(max_length=200)],
    conversation_id: Annotated[UUID, Form()],
    folder: FolderField = "mine",
) -> Response:
    """A new task is due tomorrow, the day when somebody will look at it again."""
    due_at = (session.words.local(clock.now()) + timedelta(days=1)).replace(hour=18, minute=0, second=0)
    about = RecordRef(RecordKind.CONTACT, contact_id)
    await tasks.create_task(session.tx, NewTask(title, about, due_at=due_at))
    return await _section(session, "inbox/_tasks.html", contact_id, conversation_id, folder)


@router.post("/facts/{fact_id}/confirmation")
async def confirm_fact(
    session: CurrentSession,
    fact_id: FactId,
    conversation_id: Annotated[UUID, Form()],
    folder: FolderField = "mine",
) -> Response:
    await facts.confirm_fact(session.tx, fact_id)
    thread = await inbox.get_thread(session.tx, conversation_id)
    return await _section(session, "inbox/_facts.html", thread.contact_id, conversation_id, folder)


@router.get("/contacts/{contact_id}/relationships")
async def show_relationships(
    reader: CurrentReader, services: CurrentServices, contact_id: ContactId
) -> Response:
    """Who knows whom around a contact; no transaction is open while the graph is asked."""
    picture = await relationships.draw(services.graph, reader.principal, contact_id, reader.words)
    template = "inbox/_relationships.html" if reader.is_fragment else "contacts/relationships.html"
    return reader.page(template, picture=picture, contact_id=contact_id)


@router.get("/attachments/{attachment_id}")
async def show_attachment(session: CurrentSession, attachment_id: AttachmentId) -> Response:
    attachment = await get_attachment(session.tx, attachment_id)
    content = await session.services.blobs.get(session.tx.organization_id, attachment.blob_key or "")
    is_shown = attachment.mime in _SHOWN
    return Response(
        content,
        media_type=attachment.mime if is_shown else "application/octet-stream",
        headers={
            "Content-Disposition": f"{'inline' if is_shown else 'attachment'}; filename*=UTF-8''{quote(attachment.name)}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


async def _section(
    session: Session, template: str, contact_id: UUID, conversation_id: UUID, folder: str
) -> Response:
    """A section of the panel as it is now."""
    if not session.is_fragment:
        return RedirectResponse(f"/inbox/{conversation_id}?folder={folder}&pane=about", 303)
    about = await inbox_view.load_about(session.tx, contact_id)
    return session.page(template, about=about, conversation_id=conversation_id, folder=folder)
