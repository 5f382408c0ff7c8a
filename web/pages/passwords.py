"""A new password for whoever has forgotten the old one."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api import accounts
from api.deps import CurrentServices
from api.doors import sighting
from core.errors import NotFound, Unprocessable
from web import security
from web.refusals import refusal_text
from web.viewer import CurrentVisit

router = APIRouter(prefix="/password")


@router.get("/forgotten")
async def show_forgotten(request: Request, visit: CurrentVisit) -> Response:
    response = visit.page("passwords/forgotten.html")
    security.keep_csrf_seed(request, response)
    return response


@router.post("/forgotten")
async def ask_for_link(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    email: Annotated[str, Form(max_length=320)] = "",
) -> Response:
    """The same answer, after the same time, whether or not the address has an account."""
    site = accounts.site_url(request, services.settings)
    await accounts.request_reset(services, email, sighting(request), site=site)
    return visit.page("passwords/sent.html", email=email, shows_mails=services.settings.show_mails)


@router.get("/new")
async def show_new(request: Request, visit: CurrentVisit, token: str = "") -> Response:
    response = visit.page("passwords/new.html", token=token, problem="", is_over=False)
    security.keep_csrf_seed(request, response)
    return response


@router.post("/new")
async def set_new(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    token: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Nobody is signed in by it: whoever has the mail may still lack the second factor."""
    site = accounts.site_url(request, services.settings)
    try:
        await accounts.reset_password(services, token, password, sighting(request), site=site)
    except (NotFound, Unprocessable) as err:
        return visit.page(
            "passwords/new.html",
            status=err.status.value,
            token=token,
            problem=refusal_text(err, visit.words),
            is_over=isinstance(err, NotFound),
        )
    return visit.page("passwords/done.html")
