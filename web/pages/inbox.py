"""The inbox: a folder's conversations, one of them open, and the contact beside it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from crm.analytics import first_steps
from crm.conversations import actions as conversations
from events.ids import ConversationId
from web import inbox_view
from web.viewer import CurrentSession, Session

router = APIRouter()
Folder = Annotated[str, Query(pattern=f"^({'|'.join(inbox_view.FOLDERS)})$")]
Pane = Annotated[str, Query(pattern="^(thread|about)$")]
Editor = Annotated[str, Query(alias="draft", pattern="^(|edit|feedback|snooze|reject|aside)$")]
Search = Annotated[str, Query(max_length=100)]


@router.get("/")
async def show_start() -> Response:
    return RedirectResponse("/inbox", 303)


@router.get("/inbox")
async def show_inbox(
    session: CurrentSession, folder: Folder = "mine", q: Search = "", part: str = "", selected: str = ""
) -> Response:
    """A folder; on a wide screen its first conversation is open beside it."""
    list_view = await inbox_view.load_list(session.tx, session.words, folder, q)
    if part == "list":
        chosen = UUID(selected) if selected else None
        thread = await inbox_view.load_thread(session.tx, session.words, chosen) if chosen else None
        html = session.text("inbox/_list.html", list=list_view, thread=thread, folder=folder)
        return Response(html, media_type="text/html")
    first = list_view.ids[0] if list_view.ids else None
    context = await load_context(session, list_view, first)
    return render(session, pane="list", editor="", **context)


@router.get("/inbox/{conversation_id}")
async def show_conversation(
    session: CurrentSession,
    conversation_id: UUID,
    folder: Folder = "mine",
    q: Search = "",
    pane: Pane = "thread",
    editor: Editor = "",
) -> Response:
    """One conversation, which is then read, unless by somebody who only looks."""
    if session.principal.may("conversations:write"):
        await conversations.mark_read(session.tx, ConversationId(conversation_id))
    list_view = await inbox_view.load_list(session.tx, session.words, folder, q)
    context = await load_context(session, list_view, conversation_id)
    return render(session, pane=pane, editor=editor, **context)


async def load_context(
    session: Session, list_view: inbox_view.ListView, conversation_id: UUID | None
) -> dict[str, Any]:
    """What the inbox template needs, for one open conversation or none."""
    thread = about = None
    if conversation_id is not None:
        thread = await inbox_view.load_thread(session.tx, session.words, conversation_id)
        about = await inbox_view.load_about(session.tx, thread.head.contact_id)
    live = f"/live?folder={list_view.folder}&after={session.since}"
    return {
        "section": "inbox",
        "list": list_view,
        "counts": list_view.counts,
        "folder": list_view.folder,
        "thread": thread,
        "about": about,
        "conversation_id": conversation_id,
        "steps": await first_steps.get_first_steps(session.tx)
        if thread is None and session.principal.may(first_steps.SCOPE)
        else None,
        "marks_read": session.principal.may("conversations:write"),
        "live_url": f"{live}&conversation={conversation_id}" if conversation_id else live,
        "snooze_choices": inbox_view.snooze_choices(session.words),
    }


def render(session: Session, *, status: int = 200, **context: Any) -> Response:
    """The whole page, or only its panes when htmx goes from one conversation to another."""
    if session.is_fragment:
        return session.part("inbox/index.html", "inbox", status=status, **context)
    return session.page("inbox/index.html", status=status, **context)
