"""Seats: who works here, people and agents, how they do, what each may do, and stopping them."""

from collections.abc import Sequence
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from core.errors import Conflict, Stale, Unprocessable
from crm.bidi import actions as seats
from crm.bidi import day_limits
from crm.bidi.models import WEEKDAYS, Bidi, BidiEdit, BidiKind, NewBidi
from crm.bidi.queries import get_bidi, list_seats
from crm.channel_accounts.queries import list_channel_accounts
from crm.drafts import earning
from crm.drafts.models import IncidentKind
from crm.identity.queries import get_organization, list_members
from crm.language_models.actions import assign_language_model
from crm.language_models.models import BUILT_IN
from crm.language_models.queries import list_language_models
from crm.runs import halting
from events.ids import BidiId, DraftId, UserId
from web import seats_view
from web.pages import records
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/seats")
Line = Annotated[str, Form(max_length=200)]


@router.get("")
async def show_seats(session: CurrentSession, cursor: str = "") -> Response:
    """Every seat with its state, what it has in hand, and how it did in the last thirty days."""
    return await _list(session, cursor)


async def _list(
    session: Session,
    cursor: str = "",
    *,
    status: int = 200,
    problem: str = "",
    form: FormData | None = None,
) -> Response:
    page = await list_seats(session.tx, cursor=cursor or None)
    return session.page(
        "seats/index.html",
        status=status,
        problem=problem,
        lines=await seats_view.load_lines(session.tx, page.items),
        next_cursor=page.next_cursor,
        limits=seats_view.limits_of(await day_limits.get_day_limits(session.tx), form),
        **await _frame(session),
    )


@router.post("/pause")
async def pause_agents(session: CurrentSession) -> Response:
    """The kill switch."""
    await halting.pause_agents(session.tx)
    return RedirectResponse("/seats", 303)


@router.post("/day-limits")
async def set_day_limits(session: CurrentSession) -> Response:
    """What all seats together may use in a day; an empty field is no limit."""
    form = await session.request.form()
    try:
        await day_limits.set_day_limits(session.tx, seats_view.read_limits(form))
    except Unprocessable as err:
        return await _list(session, status=err.status, problem=refusal_text(err, session.words), form=form)
    return RedirectResponse("/seats#day-limits", 303)


@router.get("/new")
async def show_new_seat(session: CurrentSession) -> Response:
    return await _new(session, NewBidi(BidiKind.AI, "", "inbox", responsible_user_id=session.account.user_id))


@router.post("")
async def create_seat(
    session: CurrentSession,
    kind: Annotated[BidiKind, Form()],
    member: Annotated[UserId, Form()],
    name: Line = "",
    agent: Line = "",
) -> Response:
    is_agent = kind is BidiKind.AI
    new = NewBidi(
        kind,
        name,
        agent if is_agent else None,
        user_id=None if is_agent else member,
        responsible_user_id=member if is_agent else None,
    )
    try:
        made = await seats.create_bidi(session.tx, new, BidiEdit())
    except (Conflict, Unprocessable) as err:
        return await _new(session, new, status=err.status, problem=refusal_text(err, session.words))
    return _back(made.id)


async def _new(session: Session, new: NewBidi, *, status: int = 200, problem: str = "") -> Response:
    session.principal.require("bidi:manage")
    return session.page(
        "seats/new.html",
        status=status,
        problem=problem,
        new=new,
        agents=tuple(seats.AGENT_SCOPES),
        members=await list_members(session.tx),
        **await _frame(session),
    )


@router.get("/{bidi_id}")
async def show_seat(session: CurrentSession, bidi_id: BidiId) -> Response:
    return await _show(session, bidi_id)


@router.post("/{bidi_id}")
async def update_seat(
    session: CurrentSession,
    bidi_id: BidiId,
    version: Annotated[int, Form()],
    model: Annotated[str | None, Form(max_length=100)] = None,
) -> Response:
    """One form for all of it, so that a person sees what the seat is while changing it."""
    form = await session.request.form()
    try:
        await seats.update_bidi(session.tx, bidi_id, seats_view.read_form(form), version=version)
        if model is not None:
            await assign_language_model(session.tx, bidi_id, model or None)
    except (Conflict, Stale, Unprocessable) as err:
        problem = refusal_text(err, session.words)
        return await _show(session, bidi_id, status=err.status, problem=problem, form=form)
    return _back(bidi_id)


@router.post("/{bidi_id}/pause")
async def pause_seat(session: CurrentSession, bidi_id: BidiId) -> Response:
    await halting.pause_seat(session.tx, bidi_id)
    return _back(bidi_id)


@router.post("/{bidi_id}/resume")
async def resume_seat(session: CurrentSession, bidi_id: BidiId) -> Response:
    await seats.resume_bidi(session.tx, bidi_id)
    return _back(bidi_id)


@router.post("/{bidi_id}/promotion")
async def promote(session: CurrentSession, bidi_id: BidiId, intent: Line) -> Response:
    """Let it answer one more kind of message by itself."""
    try:
        await earning.promote_intent(session.tx, bidi_id, intent)
    except Conflict as err:
        return await _show(session, bidi_id, status=err.status, problem=refusal_text(err, session.words))
    return _back(bidi_id, "#autopilot")


@router.post("/{bidi_id}/demotion")
async def demote(session: CurrentSession, bidi_id: BidiId, intent: Line) -> Response:
    await earning.demote_intent(session.tx, bidi_id, intent)
    return _back(bidi_id, "#autopilot")


@router.post("/{bidi_id}/incidents")
async def note_incident(
    session: CurrentSession,
    bidi_id: BidiId,
    draft_id: Annotated[DraftId, Form()],
    kind: Annotated[IncidentKind, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say that one of its replies was wrong; what it answers by itself is taken back at once."""
    try:
        await earning.note_incident(session.tx, draft_id, kind, note.strip())
    except Conflict as err:
        return await _show(session, bidi_id, status=err.status, problem=refusal_text(err, session.words))
    return _back(bidi_id, "#autopilot")


@router.post("/{bidi_id}/archive")
async def archive_seat(session: CurrentSession, bidi_id: BidiId) -> Response:
    await halting.archive_seat(session.tx, bidi_id)
    return RedirectResponse("/seats", 303)


def _back(bidi_id: BidiId, place: str = "") -> Response:
    return RedirectResponse(f"/seats/{bidi_id}{place}", 303)


async def _show(
    session: Session,
    bidi_id: BidiId,
    *,
    status: int = 200,
    problem: str = "",
    form: FormData | None = None,
) -> Response:
    """Raises: NotFound."""
    bidi = await get_bidi(session.tx, bidi_id)
    accounts = await list_channel_accounts(session.tx)
    return session.page(
        "seats/show.html",
        status=status,
        problem=problem,
        seat=bidi,
        line=(await seats_view.load_lines(session.tx, [bidi]))[0],
        performance=await seats_view.load_performance(session.tx, bidi_id),
        values=seats_view.values_of(bidi, form),
        members=await list_members(session.tx),
        accounts=accounts,
        models=[
            *(one.name for one in await list_language_models(session.tx)),
            *sorted(BUILT_IN - {"scripted"}),
        ],
        zones=sorted(available_timezones()),
        scopes=_scopes(bidi.agent, bidi.scopes),
        history=await seats_view.load_history(session.tx, bidi, session.words),
        **await _autopilot(session, bidi),
        **await _frame(session),
    )


async def _autopilot(session: Session, bidi: Bidi) -> dict[str, Any]:
    """Of an agent that answers contacts; the copilot answers colleagues."""
    if bidi.agent not in seats.AGENT_SCOPES:
        return {"autopilot": None}
    organization = await get_organization(session.tx)
    return await seats_view.load_autopilot(session.tx, bidi, organization, session.words)


def _scopes(agent: str | None, held: Sequence[str]) -> list[str]:
    return sorted({*seats.AGENT_SCOPES.get(agent or "", seats.COPILOT_SCOPES), *held})


async def _frame(session: Session) -> dict[str, Any]:
    return {
        **await records.frame(session, "seats"),
        "people": {member.user_id: member.name for member in await list_members(session.tx)},
        "may_manage": session.principal.may("bidi:manage"),
        "may_instruct": session.principal.may("bidi:instruct"),
        "may_report": session.principal.may("drafts:approve"),
        "days": seats_view.DAYS,
        "weekdays": WEEKDAYS,
    }
