"""The organization's settings, and handing it over."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from api import accounts, doors
from api.proofs import require_proof
from core.errors import Conflict, Limited, Stale, Unprocessable
from crm.bidi import workspace
from crm.bidi.models import WEEKDAYS
from crm.bidi.workspace import KEPT, Workspace, WorkspaceEdit
from crm.conversations.inbox import count_folders
from crm.identity import deletion, second_factors
from crm.identity.members import list_colleagues
from crm.identity.roles import Role
from crm.identity.transfer import transfer_organization
from events.ids import MemberId
from web.phrases import N_
from web.refusals import refusal_text
from web.seats_view import read_hours
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/organization")
HOME = "/settings/organization"
KEPT_LABELS = {
    "messages_kept_days": N_("Conversations that rest, with their files"),
    "traces_kept_days": N_("What models were told, and traces of runs"),
    "chats_kept_days": N_("Chats with the copilot"),
    "notifications_kept_days": N_("Notifications"),
    "deliveries_kept_days": N_("What webhooks were told"),
    "imports_kept_days": N_("Rows of imports, and taking them back"),
    "trash_kept_days": N_("The trash"),
    "sign_ins_kept_days": N_("Sessions that are over, and from where members acted"),
}
Refused = (Conflict, Stale, Unprocessable)


@router.get("")
async def show_organization(session: CurrentSession) -> Response:
    return await _show(session)


async def _show(
    session: Session, *, status: int = 200, problem: str = "", form: Mapping[str, Any] | None = None
) -> Response:
    current = await workspace.get_workspace(session.tx)
    return session.page(
        "organizations/settings.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        problem=problem,
        current=current,
        values=_values(current) | {name: str(value) for name, value in (form or {}).items()},
        may_write=session.principal.may("organization:write"),
        may_delete=session.principal.may("organization:delete"),
        deletion=await deletion.find_deletion(session.tx),
        grace_days=session.services.settings.organization_deletion_days,
        has_factor=await second_factors.is_on(session.tx, session.account.user_id),
        may_transfer=session.principal.may("organization:transfer"),
        heirs=[
            one
            for one in await list_colleagues(session.tx)
            if one.role is not Role.OWNER and one.disabled_at is None
        ],
        weekdays=WEEKDAYS,
        kept=KEPT_LABELS,
        zones=sorted(available_timezones()),
    )


@router.post("")
async def change_organization(session: CurrentSession) -> Response:
    form = await session.request.form()
    try:
        async with session.tx.savepoint():
            edit, version = _read(form), int(str(form.get("version", "0")) or 0)
            await workspace.update_workspace(session.tx, edit, version=version)
    except Refused as err:
        problem = refusal_text(err, session.words)
        return await _show(session, status=err.status, problem=problem, form=form)
    return RedirectResponse(HOME, 303)


@router.post("/transfer")
async def transfer(
    session: CurrentSession,
    member_id: Annotated[MemberId, Form()],
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Hand it over; whoever did so is an administrator, and their page says so."""
    try:
        async with session.tx.savepoint():
            await transfer_organization(session.tx, member_id, confirmed_name=name)
    except Refused as err:
        return await _show(session, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse("/settings/members", 303)


@router.post("/deletion")
async def delete_organization(
    request: Request,
    session: CurrentSession,
    name: Annotated[str, Form(max_length=200)] = "",
    proof: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Close it now, and have it removed after a while in which the owner can take that back."""
    settings = session.services.settings
    try:
        knock = doors.knock(request, settings, session.account.email)
        await require_proof(session.services, session.principal, knock, proof)
        async with session.tx.savepoint():
            await deletion.close_organization(
                session.tx,
                confirmed_name=name,
                grace=timedelta(days=settings.organization_deletion_days),
                site=accounts.site_url_if_known(request, settings),
                key=settings.secret_key.get_secret_value(),
            )
    except (*Refused, Limited) as err:
        return await _show(session, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse(HOME, 303)


@router.post("/deletion/end")
async def keep_organization(request: Request, session: CurrentSession) -> Response:
    settings = session.services.settings
    try:
        async with session.tx.savepoint():
            await deletion.keep_organization(
                session.tx,
                site=accounts.site_url_if_known(request, settings),
                key=settings.secret_key.get_secret_value(),
            )
    except Refused as err:
        return await _show(session, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse(HOME, 303)


def _values(current: Workspace) -> dict[str, str]:
    """What stands in the fields."""
    spans = {day: current.working_hours.get(day, ["", ""]) for day in WEEKDAYS}
    return {
        "name": current.name,
        "locale": current.locale,
        "time_zone": current.time_zone,
        "holidays": "\n".join(day.isoformat() for day in current.holidays),
        **{name: str(getattr(current, name) or "") for name in KEPT},
        **{f"{day}_begins": span[0] for day, span in spans.items()},
        **{f"{day}_ends": span[1] for day, span in spans.items()},
    }


def _read(form: FormData) -> WorkspaceEdit:
    """What the form asks for. Raises: Unprocessable for what is not written as it should be."""
    sent = {name: str(value) for name, value in form.items()}
    return WorkspaceEdit(
        name=sent.get("name", ""),
        locale=sent.get("locale", ""),
        time_zone=sent.get("time_zone", ""),
        working_hours=read_hours(sent),
        holidays=[_day(word) for word in sent.get("holidays", "").replace(",", " ").split()],
        **{name: _days(sent.get(name, ""), name) for name in KEPT},
    )


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError as err:
        raise Unprocessable(f"{word!r} is no date; write 2026-12-25.", field="holidays") from err


def _days(text: str, name: str) -> int | None:
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise Unprocessable(f"{text.strip()!r} is no number of days.", field=name)
    return int(text)
