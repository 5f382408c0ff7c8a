"""A person's own name, time zone and password."""

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import accounts, doors
from api.deps import CurrentAccount, CurrentServices
from core.errors import Limited, Unauthorized, Unprocessable
from crm.conversations.inbox import count_folders
from crm.identity import profiles
from web.pages.session import keep_session
from web.refusals import refusal_text
from web.viewer import CurrentReader, CurrentSession, Session

router = APIRouter(prefix="/profile")
MAX_NAME = 200


@router.get("")
async def show_profile(session: CurrentSession, saved: str = "") -> Response:
    return await _page(session, saved=saved)


@router.post("")
async def save_profile(
    session: CurrentSession,
    name: Annotated[str, Form(max_length=MAX_NAME)] = "",
    time_zone: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    try:
        await profiles.update_profile(session.tx, session.account, name=name, time_zone=time_zone)
    except Unprocessable as err:
        return await _page(session, status=422, problem=refusal_text(err, session.words))
    return RedirectResponse("/profile?saved=profile", 303)


@router.post("/password")
async def change_password(
    request: Request,
    reader: CurrentReader,
    account: CurrentAccount,
    services: CurrentServices,
    old: Annotated[str, Form(max_length=1024)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Every other session ends; this page goes on with a new one."""
    try:
        site = accounts.site_url_if_known(request, services.settings)
        knock = doors.knock(request, services.settings, account.email)
        token = await doors.change_password(services, account, knock, old=old, new=password, site=site)
    except Unauthorized:
        return _refused(reader.words.gettext("The password that you have now is another one."), reader)
    except (Limited, Unprocessable) as err:
        return _refused(refusal_text(err, reader.words), reader)
    response = RedirectResponse("/profile?saved=password", 303)
    keep_session(response, services, token)
    return response


def _refused(problem: str, reader: CurrentReader) -> Response:
    """A page of its own: nothing that was typed is shown again."""
    return reader.page("profile/refused.html", status=422, problem=problem)


async def _page(session: Session, *, status: int = 200, problem: str = "", saved: str = "") -> Response:
    return session.page(
        "profile/show.html",
        status=status,
        section="preferences",
        counts=await count_folders(session.tx),
        zones=sorted(zone for zone in available_timezones() if "/" in zone),
        problem=problem,
        saved=saved,
    )
