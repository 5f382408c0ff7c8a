"""The board of deals: what stands where, moves, and what a refused move is missing."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from core.edits import KEEP
from core.errors import AppError, Unprocessable
from core.money import parse_amount
from crm.conversations.inbox import count_folders, latest_event_id
from crm.deals import actions as deals
from crm.deals.models import Deal, DealEdit, NewDeal
from crm.deals.queries import get_deal, list_stakeholders
from crm.pipelines.moves import ActionRefused, MoveRefused
from crm.pipelines.queries import list_stages, list_visits
from crm.pipelines.rules import ROLES
from events.ids import ContactId, DealId, MemberId, RecordKind
from web import deals_view
from web.deals_view import Board, Refused
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/deals")
_GIVEN = ("name", "amount", "currency", "close_date", "next_step")
Choice = Annotated[str, Form(max_length=50)]
Words = Annotated[str, Form(max_length=500)]


@router.get("")
async def show_deals(
    session: CurrentSession,
    pipeline: UUID | None = None,
    owner: Annotated[str, Query(max_length=50)] = "",
    stage: UUID | None = None,
    cursor: Annotated[str, Query(max_length=1000)] = "",
    part: str = "",
) -> Response:
    """The board of one pipeline; with `stage` and `cursor` the next cards of one stage."""
    board = await deals_view.load_board(
        session.tx, pipeline, _id(owner), stage_id=stage, cursor=cursor or None
    )
    if board is None:
        return session.page("deals/empty.html", **await _frame(session))
    template = {"board": "deals/_board.html", "cards": "deals/_cards.html"}.get(part, "deals/index.html")
    return await _show(session, board, template)


@router.post("")
async def create_deal(
    session: CurrentSession,
    name: Annotated[str, Form(max_length=200)],
    stage_id: Annotated[UUID, Form()],
    currency: Annotated[str, Form(max_length=3)] = "EUR",
    amount: Choice = "",
    close_date: Choice = "",
    next_step: Words = "",
    owner_id: Choice = "",
) -> Response:
    """Add a deal; what is wrong or missing is said above the board, with the form as it was."""
    try:
        minor = parse_amount(amount, currency.upper()) if amount.strip() else 0
        new = NewDeal(
            name, stage_id, amount_minor=minor, currency=currency, next_step=next_step,
            close_date=_day(close_date), owner_id=MemberId(chosen) if (chosen := _id(owner_id)) else None,
        )  # fmt: skip
        deal = await deals.create_deal(session.tx, new)
    except Unprocessable as err:
        board = await deals_view.load_board(session.tx, None, None)
        if board is None:
            raise
        given = {
            "name": name, "amount": amount, "currency": currency, "close_date": close_date, "next_step": next_step
        }  # fmt: skip
        return await _show(session, board, "deals/index.html", status=422, note=err.detail, given=given)
    return RedirectResponse(f"/deals?pipeline={deal.pipeline_id}#deal-{deal.id}", 303)


@router.get("/{deal_id}")
async def show_deal(session: CurrentSession, deal_id: DealId) -> Response:
    """One deal: what it is, who has a say, and how long it stood where."""
    return session.page(
        "deals/show.html",
        deal=await get_deal(session.tx, deal_id),
        stakeholders=await list_stakeholders(session.tx, deal_id),
        visits=await list_visits(session.tx, RecordKind.DEAL, deal_id),
        **await _frame(session),
    )


@dataclass
class _Filled:
    """What the form of a refused move may bring along."""

    amount: Choice = ""
    currency: Choice = ""
    close_date: Choice = ""
    next_step: Words = ""
    lost_reason: Words = ""
    probability: Choice = ""
    owner_id: Choice = ""
    stakeholder_id: Choice = ""
    stakeholder_role: Choice = ""


@router.post("/{deal_id}/stage")
async def move_deal(
    session: CurrentSession,
    deal_id: DealId,
    stage_id: Annotated[UUID, Form()],
    version: Annotated[int, Form()],
    owner: Choice = "",
    amount: Choice = "",
    currency: Choice = "",
    close_date: Choice = "",
    next_step: Words = "",
    lost_reason: Words = "",
    probability: Choice = "",
    owner_id: Choice = "",
    stakeholder_id: Choice = "",
    stakeholder_role: Choice = "",
) -> Response:
    """Fill in what the form brought along, then move; a refused move keeps what was filled in."""
    filled = _Filled(
        amount, currency, close_date, next_step, lost_reason, probability, owner_id, stakeholder_id, stakeholder_role
    )  # fmt: skip
    deal = await get_deal(session.tx, deal_id, lock=True)
    refused, status, note = None, 200, ""
    try:
        deal = await _fill(session, deal, filled, version)
        deal = await deals.move_stage(session.tx, deal_id, stage_id, version=deal.version)
    except (MoveRefused, ActionRefused) as err:
        status = err.status.value
        stages = await list_stages(session.tx, deal.pipeline_id)
        refused = deals_view.refused_move(deal_id, stages, stage_id, err)
    except AppError as err:
        status, note = err.status.value, err.detail
    if status == 200 and not session.is_fragment:
        back = f"&owner={chosen}" if (chosen := _id(owner)) else ""
        return RedirectResponse(f"/deals?pipeline={deal.pipeline_id}{back}#deal-{deal_id}", 303)
    board = await deals_view.load_board(session.tx, deal.pipeline_id, _id(owner))
    if board is None:
        raise RuntimeError("the deal's own pipeline is gone")
    template = "deals/_board.html" if session.is_fragment else "deals/index.html"
    return await _show(session, board, template, status=status, refused=refused, note=note)


async def _fill(session: Session, deal: Deal, filled: _Filled, version: int) -> Deal:
    """Write what the form brought along. Raises: Unprocessable, Stale, ActionRefused."""
    currency = filled.currency or deal.currency
    owner_id, contact_id = _id(filled.owner_id), _id(filled.stakeholder_id)
    edit = DealEdit(
        amount_minor=parse_amount(filled.amount, currency) if filled.amount.strip() else KEEP,
        currency=currency if filled.amount.strip() else KEEP,
        close_date=_day(filled.close_date) or KEEP,
        next_step=filled.next_step.strip() or KEEP,
        lost_reason=filled.lost_reason.strip() or KEEP,
        probability=int(filled.probability) if filled.probability.isdecimal() else KEEP,
        owner_id=MemberId(owner_id) if owner_id else KEEP,
    )
    deal = await deals.update_deal(session.tx, deal.id, edit, version=version)
    if contact_id and filled.stakeholder_role:
        await deals.add_stakeholder(session.tx, deal.id, ContactId(contact_id), filled.stakeholder_role)
        deal = await get_deal(session.tx, deal.id)
    return deal


async def _show(
    session: Session,
    board: Board,
    template: str,
    *,
    status: int = 200,
    refused: Refused | None = None,
    note: str = "",
    given: dict[str, str] | None = None,
) -> Response:
    return session.page(
        template,
        status=status,
        is_part=session.is_fragment,
        board=board,
        refused=refused,
        note=note,
        given={**dict.fromkeys(_GIVEN, ""), **(given or {})},
        has_given=given is not None,
        roles=ROLES,
        **await _frame(session),
    )


async def _frame(session: Session) -> dict[str, Any]:
    """What every page of the section carries around its own content."""
    return {
        "section": "deals",
        "counts": await count_folders(session.tx),
        "since": await latest_event_id(session.tx) or "",
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


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as err:
        raise Unprocessable(
            f"{text[:50]!r} is no date; write it as in 2026-12-01.", field="close_date"
        ) from err
