"""Commissions: what partners are owed, and at which rate each of them works."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Unprocessable
from crm.bidi import partners
from crm.commissions import queries
from crm.conversations.inbox import count_folders
from events.ids import BidiId
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/commissions")


@router.get("")
async def show_commissions(session: CurrentSession, cursor: str = "") -> Response:
    return await _show(session, cursor=cursor)


@router.post("/{partner_id}/rate")
async def set_rate(
    session: CurrentSession, partner_id: BidiId, commission: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Another rate, for deals that are won from now on."""
    try:
        async with session.tx.savepoint():
            await partners.set_rate(session.tx, partner_id, partners.basis_points_of(commission))
    except (Conflict, Unprocessable) as err:
        return await _show(session, status=err.status.value, problem=refusal_text(err, session.words))
    return RedirectResponse("/commissions", 303)


async def _show(session: Session, *, cursor: str = "", status: int = 200, problem: str = "") -> Response:
    manages = session.principal.may("bidi:manage")
    page = await queries.list_commissions(session.tx, cursor=cursor or None)
    return session.page(
        "commissions/index.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        problem=problem,
        manages=manages,
        partners=await partners.list_partners(session.tx) if manages else [],
        commissions=page.items,
        next_cursor=page.next_cursor,
        totals=await queries.sum_commissions(session.tx),
        percent_of=partners.percent_of,
    )
