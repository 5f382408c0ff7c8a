"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import cookies, doors
from api.cookies import SESSION_COOKIE
from api.deps import CurrentServices, MaybeAccount, Services
from core.errors import Unauthorized
from crm.identity import passwords, sessions
from web import security
from web.pages.preferences import safe_path
from web.viewer import CurrentSession, CurrentVisit, Visit

router = APIRouter(prefix="/session")


@router.get("/new")
async def show_sign_in(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    account: MaybeAccount,
    back: str = "/inbox",
) -> Response:
    if account is not None:
        return RedirectResponse(safe_path(back), 303)
    response = _door(visit, services, back=safe_path(back))
    security.keep_csrf_seed(request, response)
    return response


@router.post("")
async def sign_in(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    email: Annotated[str, Form(max_length=320)],
    password: Annotated[str, Form(max_length=1024)],
    back: Annotated[str, Form()] = "/inbox",
) -> Response:
    try:
        credentials = await passwords.check_password(services.db, email.strip(), password)
    except Unauthorized as err:
        error = visit.words.gettext("The email and the password do not match.")
        return _door(visit, services, status=err.status.value, back=safe_path(back), email=email, error=error)
    response = RedirectResponse(safe_path(back), 303)
    keep_session(
        response, services, await doors.start_session(services, credentials, doors.sighting(request))
    )
    return response


def _door(
    visit: Visit, services: Services, *, back: str, status: int = 200, email: str = "", error: str = ""
) -> Response:
    return visit.page(
        "session/new.html",
        status=status,
        back=back,
        email=email,
        error=error,
        may_sign_up=services.settings.sign_up,
    )


def keep_session(response: Response, services: Services, token: str) -> None:
    """Give the browser the session that was just opened."""
    lifetime = int(sessions.SESSION_LIFETIME.total_seconds())
    cookies.write(response, services.settings, SESSION_COOKIE, token, max_age=lifetime)


@router.post("/end")
async def sign_out(session: CurrentSession) -> Response:
    await sessions.close_session(session.tx, session.account)
    response = RedirectResponse("/session/new", 303)
    cookies.forget(response, session.services.settings, SESSION_COOKIE)
    return response
