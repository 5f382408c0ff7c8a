"""How a form about a conversation is answered: fragments for htmx, a redirect or the whole page without it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.responses import RedirectResponse, Response

from web import inbox_view
from web.pages.inbox import load_context, render
from web.viewer import Session


@dataclass(frozen=True)
class Outcome:
    """What to say after a form: `said` passes by, `notice` stays at the draft, `editor` stays open, `undo` takes it back."""

    status: int = 200
    said: str = ""
    notice: str = ""
    editor: str = ""
    undo: str = ""


async def answer(
    session: Session, conversation_id: UUID, folder: str, outcome: Outcome, **kept: Any
) -> Response:
    """Show the conversation as it is now, and what came of the form."""
    if session.is_fragment:
        return await _fragments(session, conversation_id, folder, outcome, kept)
    if outcome.status < 400:
        return RedirectResponse(f"/inbox/{conversation_id}?folder={folder}", 303)
    list_view = await inbox_view.load_list(session.tx, session.words, folder, "")
    context = await load_context(session, list_view, conversation_id)
    return render(
        session,
        status=outcome.status,
        pane="thread",
        editor=outcome.editor,
        notice=outcome.notice,
        **context,
        **kept,
    )


async def _fragments(
    session: Session, conversation_id: UUID, folder: str, outcome: Outcome, kept: dict[str, Any]
) -> Response:
    context = await inbox_view.load_changes(session.tx, session.words, conversation_id, folder)
    html = session.text(
        "inbox/_changes.html",
        editor=outcome.editor,
        notice=outcome.notice,
        toast=outcome.said or (outcome.notice if not context["thread"].draft else ""),
        is_refused=outcome.status >= 400,
        undo=outcome.undo,
        **context,
        **kept,
    )
    return Response(html, status_code=outcome.status, media_type="text/html")
