"""Signing up: an account with an organization of its own, once the address has shown to be its person's."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import accounts
from api.accounts import SignUp
from api.deps import CurrentServices, Services
from api.doors import sighting
from core.errors import Conflict, NotFound, Unprocessable
from web import security
from web.refusals import refusal_text
from web.viewer import CurrentVisit, Visit

router = APIRouter(prefix="/sign-up")


@router.get("")
async def show_sign_up(request: Request, visit: CurrentVisit, services: CurrentServices) -> Response:
    _require_open(services)
    response = visit.page("sign_up/new.html", problem="", typed={})
    security.keep_csrf_seed(request, response)
    return response


@router.post("")
async def sign_up(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    organization: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The same answer whether or not the address has an account."""
    _require_open(services)
    wanted = SignUp(email, password, name, organization, visit.words.locale)
    try:
        site = accounts.site_url(request, services.settings)
        await accounts.sign_up(services, wanted, sighting(request), site=site)
    except Unprocessable as err:
        typed = {"email": email, "name": name, "organization": organization}
        problem = refusal_text(err, visit.words)
        return visit.page("sign_up/new.html", status=422, problem=problem, typed=typed)
    return _sent(visit, services, email)


@router.get("/confirmation")
async def show_confirmation(request: Request, visit: CurrentVisit, token: str = "") -> Response:
    """A button: programs that look through mails follow links, and press nothing."""
    response = visit.page("sign_up/confirmation.html", token=token)
    security.keep_csrf_seed(request, response)
    return response


@router.post("/confirmation")
async def confirm(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    token: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    try:
        await accounts.confirm_sign_up(services, token, sighting(request))
    except (NotFound, Conflict) as err:
        return visit.page(
            "sign_up/over.html", status=err.status.value, problem=refusal_text(err, visit.words)
        )
    return visit.page("sign_up/done.html")


def _sent(visit: Visit, services: Services, email: str) -> Response:
    return visit.page("sign_up/sent.html", email=email, shows_mails=services.settings.show_mails)


def _require_open(services: Services) -> None:
    """Raises: NotFound where nobody may sign up."""
    if not services.settings.sign_up:
        raise NotFound("Here people are invited; ask whoever runs this installation.")
