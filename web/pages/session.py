"""Signing in and out, with a second factor where an account has one."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import accounts, challenges, cookies, devices, doors, gate, issuers
from api.cookies import SESSION_COOKIE
from api.deps import CurrentServices, MaybeAccount, Services
from api.gate import Knock
from core.errors import Limited, Unauthorized
from crm.identity import sessions
from crm.identity.queries import Credentials
from crm.identity.second_factors import SecondFactorRequired
from web import security
from web.pages.preferences import safe_path
from web.refusals import refusal_text
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
    knock, place = doors.knock(request, services.settings, email), safe_path(back)
    try:
        credentials = await gate.check_password(services, knock, password)
    except Unauthorized as err:
        error = visit.words.gettext("The email and the password do not match.")
        return _door(visit, services, status=err.status.value, back=place, email=email, error=error)
    except Limited as err:
        error = refusal_text(err, visit.words)
        return _door(visit, services, status=err.status.value, back=place, email=email, error=error)
    try:
        site = accounts.site_url_if_known(request, services.settings)
        token = await doors.start_session(services, knock, credentials, site=site)
    except SecondFactorRequired:
        return ask_code(services, knock, credentials, place)
    return entered(services, knock, token, place)


@router.get("/code")
async def show_code(request: Request, visit: CurrentVisit, back: str = "/inbox") -> Response:
    response = visit.page("session/code.html", back=safe_path(back), error="")
    security.keep_csrf_seed(request, response)
    return response


@router.post("/code")
async def give_code(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    code: Annotated[str, Form(max_length=100)] = "",
    back: Annotated[str, Form()] = "/inbox",
) -> Response:
    """The second step. Without the first, or too long after it, one begins again."""
    place, settings = safe_path(back), services.settings
    passed = await challenges.redeem(services, cookies.read(request, settings, challenges.COOKIE))
    if passed is None:
        return RedirectResponse(f"/session/new?back={place}", 303)
    email, credentials = passed
    knock = doors.knock(request, settings, email)
    try:
        site = accounts.site_url_if_known(request, settings)
        # no code is a wrong one: only the first step may come without
        token = await doors.start_session(services, knock, credentials, code=code or "-", site=site)
    except (Unauthorized, Limited) as err:
        error = refusal_text(err, visit.words)
        return visit.page("session/code.html", status=err.status.value, back=place, error=error)
    response = entered(services, knock, token, place)
    cookies.forget(response, settings, challenges.COOKIE)
    return response


@router.post("/end")
async def sign_out(session: CurrentSession) -> Response:
    await sessions.close_session(session.tx, session.account)
    response = RedirectResponse("/session/new", 303)
    cookies.forget(response, session.services.settings, SESSION_COOKIE)
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
        issuer=issuers.installation_name(services),
    )


def ask_code(services: Services, knock: Knock, credentials: Credentials, place: str) -> Response:
    """On to the second step, in the browser that has done the first."""
    response = RedirectResponse(f"/session/code?{urlencode({'back': place})}", 303)
    seconds = int(challenges.LIFETIME.total_seconds())
    challenge = challenges.issue(services, knock.email, credentials)
    cookies.write(response, services.settings, challenges.COOKIE, challenge, max_age=seconds)
    return response


def entered(services: Services, knock: Knock, token: str, place: str) -> Response:
    """On to where somebody wanted to go, in a browser that is known from now on."""
    settings, response = services.settings, RedirectResponse(place, 303)
    keep_session(response, services, token)
    key = settings.secret_key.get_secret_value()
    mark = devices.marked(knock.device_cookie, knock.email, key=key)
    cookies.write(response, settings, devices.COOKIE, mark, max_age=devices.YEAR_SECONDS)
    return response


def keep_session(response: Response, services: Services, token: str) -> None:
    """Give the browser the session that was just opened."""
    lifetime = int(sessions.SESSION_LIFETIME.total_seconds())
    cookies.write(response, services.settings, SESSION_COOKIE, token, max_age=lifetime)
