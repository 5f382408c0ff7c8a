"""Moves of leads and deals on their own pages: to another stage, and from a lead to a deal; who has a say in a deal."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import AppError, Conflict, Stale, Unprocessable
from crm.deals import actions as deals
from crm.deals.conversion import convert_lead
from crm.deals.models import Conversion
from crm.deals.queries import get_deal
from crm.leads.queries import get_lead
from events.ids import ContactId, DealId, LeadId, RecordKind
from web import fields, moves
from web.fields import DEALS, LEADS, Sheet
from web.pages.cards import Version, done, render
from web.phrases import N_
from web.refusals import refusal_text
from web.values import given_money
from web.viewer import CurrentSession, Session

router = APIRouter()
Text = Annotated[str, Form(max_length=500)]
Role = Annotated[str, Form(max_length=50)]


def _route(sheet: Sheet) -> None:
    """The moves of one kind of record."""

    @router.get(f"{sheet.path}/{{record_id}}/move", name=f"try_{sheet.kind}_move")
    async def try_move(session: CurrentSession, record_id: UUID, stage_id: UUID) -> Response:
        """What a move there would be missing, with the form that fills it in."""
        refused = await moves.look_ahead(session.tx, session.words, sheet, record_id, stage_id)
        return await render(session, sheet, record_id, refused=refused)

    @router.post(f"{sheet.path}/{{record_id}}/move", name=f"move_{sheet.kind}")
    async def move(
        session: CurrentSession, record_id: UUID, stage_id: Annotated[UUID, Form()], version: Version
    ) -> Response:
        """Fill in what the form brought along, then move; a refused move keeps what was filled in."""
        given = await session.request.form()
        try:
            async with session.tx.savepoint():
                refused = await moves.fill_and_move(
                    session.tx, session.words, sheet, record_id, stage_id, version, given
                )
        except (Stale, Conflict, Unprocessable) as err:
            return await render(
                session, sheet, record_id, err.status.value, problems={"stages": why(session, err)}
            )
        if refused is not None:
            return await render(session, sheet, record_id, 422, refused=refused)
        return await done(session, sheet, record_id)


_route(LEADS)
_route(DEALS)


@router.post("/deals/{deal_id}/stakeholders")
async def add_stakeholder(
    session: CurrentSession, deal_id: DealId, role: Role, contact: Annotated[list[str], Form(max_length=2)]
) -> Response:
    """Somebody who has a say, by name; several of that name are asked back."""
    deal = await get_deal(session.tx, deal_id)
    opened = await fields.open_sheet(session.tx, DEALS, session.words)
    shown = moves.person_input(session.words, role)
    typed = await fields.read_link(session.tx, opened, RecordKind.CONTACT, shown, tuple(contact))
    if typed.error or typed.value is None:
        again = fields.refused(shown, typed)
        return await render(session, DEALS, deal.id, 422, asked_person=again, asked_role=role)
    await deals.add_stakeholder(session.tx, deal_id, ContactId(UUID(str(typed.value))), role)
    return await done(session, DEALS, deal_id)


@router.post("/deals/{deal_id}/stakeholders/{contact_id}")
async def change_stakeholder(
    session: CurrentSession, deal_id: DealId, contact_id: ContactId, before: Role, role: Role = ""
) -> Response:
    """Another role in place of the one before; none takes the person out."""
    if role != before:
        if role:
            await deals.add_stakeholder(session.tx, deal_id, contact_id, role)
        await deals.remove_stakeholder(session.tx, deal_id, contact_id, before)
    return await done(session, DEALS, deal_id)


@router.post("/leads/{lead_id}/conversion")
async def convert(
    session: CurrentSession,
    lead_id: LeadId,
    version: Version,
    name: Text = "",
    amount: Text = "",
    currency: Annotated[str, Form(max_length=3)] = "EUR",
    close_date: Role = "",
    stage_id: Role = "",
) -> Response:
    """Make a deal of a lead; what is missing or wrong is said above the form as it was."""
    given = {"name": name, "amount": amount, "currency": currency, "close_date": close_date}
    try:
        new = Conversion(
            name,
            UUID(stage_id) if stage_id else None,
            close_date=moves.day(close_date),
            **(moves.amount_of(given_money(amount, currency))),
        )
        async with session.tx.savepoint():
            deal = await convert_lead(session.tx, lead_id, new, version=version)
    except (Stale, Conflict, Unprocessable, ValueError) as err:
        await get_lead(session.tx, lead_id)
        conversion = {**given, "problem": why(session, err)}
        status = err.status.value if isinstance(err, AppError) else 422
        return await render(session, LEADS, lead_id, status, conversion=conversion)
    place = f"/deals/{deal.id}"
    if session.is_fragment:
        return Response(status_code=200, headers={"HX-Redirect": place})
    return RedirectResponse(place, 303)


def why(session: Session, err: Exception) -> str:
    """Why a record stays as it is, in the reader's words."""
    say = session.words.gettext
    match err:
        case Stale():
            return say(N_("Somebody changed it meanwhile. Look at it as it is now and try again."))
        case AppError():
            return refusal_text(err, session.words)
        case _:
            return say(N_("Look at the fields: one of them cannot be kept."))
