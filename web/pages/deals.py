"""The board of deals: what stands where, moves, and what a refused move is missing."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Stale, Unprocessable
from crm.conversations.inbox import count_folders
from crm.deals.queries import get_deal
from events.ids import DealId
from web import deals_view
from web.deals_view import Board
from web.fields import DEALS
from web.moves import Refused, fill_and_move
from web.pages.moves import why
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/deals")
Choice = Annotated[str, Form(max_length=50)]
Shown = Annotated[Sequence[Annotated[str, Form(max_length=50)]], Form(max_length=100)]


@router.get("")
async def show_deals(
    session: CurrentSession,
    pipeline: UUID | None = None,
    owner: Annotated[str, Query(max_length=50)] = "",
    stage: UUID | None = None,
    cursor: Annotated[str, Query(max_length=1000)] = "",
    part: str = "",
    shown: Annotated[Sequence[Annotated[str, Query(max_length=50)]], Query(max_length=100)] = (),
) -> Response:
    """The board of one pipeline; with `stage` and `cursor` the next cards of one stage.

    `shown` says for stages of which more cards were asked for before how many there are on the page.
    """
    board = await deals_view.load_board(
        session.tx, pipeline, _id(owner), stage_id=stage, cursor=cursor or None, shown=_shown(shown)
    )
    if board is None:
        return session.page("deals/empty.html", **await _frame(session))
    template = {"board": "deals/_board.html", "cards": "deals/_cards.html"}.get(part, "deals/index.html")
    return await _show(session, board, template)


@router.post("/{deal_id}/stage")
async def move_deal(
    session: CurrentSession,
    deal_id: DealId,
    stage_id: Annotated[UUID, Form()],
    version: Annotated[int, Form()],
    owner: Choice = "",
    shown: Shown = (),
) -> Response:
    """Fill in what the form brought along, then move; a refused move keeps what was filled in."""
    deal = await get_deal(session.tx, deal_id)
    given = await session.request.form()
    refused, status, note = None, 200, ""
    try:
        async with session.tx.savepoint():
            refused = await fill_and_move(session.tx, session.words, DEALS, deal_id, stage_id, version, given)
        status = 422 if refused else 200
    except (Stale, Conflict, Unprocessable) as err:
        status, note = err.status.value, why(session, err)
    if status == 200 and not session.is_fragment:
        back = f"&owner={chosen}" if (chosen := _id(owner)) else ""
        return RedirectResponse(f"/deals?pipeline={deal.pipeline_id}{back}#deal-{deal_id}", 303)
    board = await deals_view.load_board(session.tx, deal.pipeline_id, _id(owner), shown=_shown(shown))
    if board is None:
        raise RuntimeError("the deal's own pipeline is gone")
    template = "deals/_board.html" if session.is_fragment else "deals/index.html"
    return await _show(session, board, template, status=status, refused=refused, note=note)


async def _show(
    session: Session,
    board: Board,
    template: str,
    *,
    status: int = 200,
    refused: Refused | None = None,
    note: str = "",
) -> Response:
    return session.page(
        template,
        status=status,
        is_part=session.is_fragment,
        board=board,
        refused=refused,
        note=note,
        **await _frame(session),
    )


async def _frame(session: Session) -> dict[str, Any]:
    """What every page of the section carries around its own content."""
    return {
        "section": "deals",
        "counts": await count_folders(session.tx),
        "since": session.since,
        "may_change": session.principal.may("deals:write"),
        "may_set_up": session.principal.may("pipelines:write"),
    }


def _id(text: str) -> UUID | None:
    """The id in a field that may be empty. Raises: Unprocessable."""
    if not text.strip():
        return None
    try:
        return UUID(text)
    except ValueError as err:
        raise Unprocessable(f"{text[:50]!r} is no id.") from err


def _shown(texts: Sequence[str]) -> dict[UUID, int]:
    """How many cards of which stages the page shows already. Raises: Unprocessable."""
    counts = {}
    for text in texts:
        stage, _, count = text.partition(":")
        stage_id = _id(stage)
        if stage_id is None or not count.isdecimal():
            raise Unprocessable(f"{text[:50]!r} does not say how many cards of a stage are shown.")
        counts[stage_id] = int(count[:6])
    return counts
