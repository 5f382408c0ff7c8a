"""What agents suggest: the page of all, the cards on other pages, and the two verbs."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Forbidden
from crm.suggestions import actions as suggestions
from crm.suggestions.models import Suggestion, SuggestionStatus
from crm.suggestions.queries import get_suggestion
from events.ids import SuggestionId
from web import suggestions_view
from web.pages import records
from web.pages.preferences import safe_path
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/suggestions")
Status = Annotated[SuggestionStatus, Query()]
Back = Annotated[str, Form(max_length=1000)]
SHOWN = 50


@router.get("")
async def show_suggestions(
    session: CurrentSession, status: Status = SuggestionStatus.OPEN, part: str = ""
) -> Response:
    """All that waits, or all that was decided; `part=few` are the newest, to stand on a page of something else."""
    limit = suggestions_view.FEW if part == "few" else SHOWN
    cards = await suggestions_view.load_cards(session.tx, session.words, status=status, limit=limit)
    if part:
        return session.page("suggestions/_list.html", cards=cards, is_few=part == "few")
    return session.page(
        "suggestions/index.html",
        cards=cards,
        shown=status,
        is_few=False,
        **await records.frame(session, "suggestions"),
    )


@router.get("/{suggestion_id}")
async def show_suggestion(session: CurrentSession, suggestion_id: SuggestionId) -> Response:
    """One of them, alone or as a card for whatever page it stands in."""
    return await _show(session, suggestion_id)


@router.post("/{suggestion_id}/acceptance")
async def accept(
    session: CurrentSession,
    suggestion_id: SuggestionId,
    is_checked: Annotated[bool, Form()] = False,
    back: Back = "",
) -> Response:
    """A worker does at once what it suggests; the card says how that ended."""
    return await _decide(
        session,
        suggestion_id,
        back,
        lambda: suggestions.accept_suggestion(session.tx, suggestion_id, is_checked=is_checked),
    )


@router.post("/{suggestion_id}/dismissal")
async def dismiss(
    session: CurrentSession,
    suggestion_id: SuggestionId,
    reason: Annotated[str, Form(max_length=suggestions.MAX_REASON)] = "",
    back: Back = "",
) -> Response:
    """It is not suggested again for a while."""
    return await _decide(
        session,
        suggestion_id,
        back,
        lambda: suggestions.dismiss_suggestion(session.tx, suggestion_id, reason=reason),
    )


async def _decide(
    session: Session,
    suggestion_id: SuggestionId,
    back: str,
    verb: Callable[[], Awaitable[Suggestion]],
) -> Response:
    """Try it; a refusal is said at the card, where it still stands as it is by now."""
    status, notice = 200, ""
    try:
        async with session.tx.savepoint():
            await verb()
    except (Conflict, Forbidden) as err:
        status, notice = err.status.value, refusal_text(err, session.words)
    if not session.is_fragment and status < 400:
        return RedirectResponse(safe_path(back), 303)
    return await _show(session, suggestion_id, status=status, notice=notice)


async def _show(
    session: Session, suggestion_id: SuggestionId, *, status: int = 200, notice: str = ""
) -> Response:
    found = await get_suggestion(session.tx, suggestion_id)
    (card,) = await suggestions_view.cards_of(session.tx, session.words, [found])
    if session.is_fragment:
        return session.page("suggestions/_card.html", status=status, card=card, notice=notice)
    return session.page(
        "suggestions/show.html",
        status=status,
        card=card,
        notice=notice,
        **await records.frame(session, "suggestions"),
    )
