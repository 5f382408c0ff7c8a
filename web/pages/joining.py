"""The organizations of a person: going from one to another, making one, and accepting an invitation."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import doors, joining
from api.deps import CurrentAccount, CurrentServices, MaybeAccount, Services
from api.joining import Newcomer
from core.errors import AppError, Conflict, Forbidden, Unprocessable
from crm.conversations.inbox import count_folders
from crm.identity.invitations import Offer, require_offer
from crm.identity.models import Account
from crm.identity.queries import list_memberships
from events.ids import OrganizationId
from web import roles_view, security
from web.pages.session import keep_session
from web.refusals import refusal_text
from web.viewer import CurrentSession, CurrentVisit, Visit

router = APIRouter()
Refused = (Conflict, Forbidden, Unprocessable)
Line = Annotated[str, Form(max_length=200)]


@router.get("/organizations")
async def show_organizations(session: CurrentSession, services: CurrentServices) -> Response:
    """Where the reader is a member, and a form for one more."""
    return session.page(
        "organizations/index.html",
        section="organizations",
        counts=await count_folders(session.tx),
        memberships=await list_memberships(services.db, session.account.user_id),
        view=roles_view,
    )


@router.post("/organizations")
async def found(
    request: Request, services: CurrentServices, account: CurrentAccount, name: Line = ""
) -> Response:
    return _enter(services, await joining.found(services, account, name, doors.sighting(request)), "/inbox")


@router.post("/organizations/{organization_id}/entry")
async def enter(
    request: Request, services: CurrentServices, account: CurrentAccount, organization_id: OrganizationId
) -> Response:
    return _enter(
        services, await joining.enter(services, account, organization_id, doors.sighting(request)), "/inbox"
    )


@router.get("/join/{secret}")
async def show_offer(
    request: Request, visit: CurrentVisit, services: CurrentServices, account: MaybeAccount, secret: str
) -> Response:
    """What an invitation offers, with a form to accept as oneself, or to make an account."""
    offer = await require_offer(services.db, secret)
    return _offer(request, visit, offer, account, secret)


def _offer(
    request: Request,
    visit: Visit,
    offer: Offer,
    account: Account | None,
    secret: str,
    err: AppError | None = None,
    name: str = "",
    email: str = "",
) -> Response:
    response = visit.page(
        "organizations/join.html",
        status=err.status.value if err else 200,
        problem=refusal_text(err, visit.words) if err else "",
        offer=offer,
        account=account,
        is_for_another=bool(account and offer.email and offer.email != account.email),
        secret=secret,
        name=name,
        email=email,
        view=roles_view,
    )
    security.keep_csrf_seed(request, response)
    return response


@router.post("/join/{secret}")
async def join(
    request: Request, visit: CurrentVisit, services: CurrentServices, account: CurrentAccount, secret: str
) -> Response:
    """Accept as whoever is signed in."""
    offer = await require_offer(services.db, secret)
    try:
        return _enter(
            services, await joining.join(services, offer, account, doors.sighting(request)), "/inbox"
        )
    except Refused as err:
        return _offer(request, visit, offer, account, secret, err)


@router.post("/join/{secret}/account")
async def sign_up(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    secret: str,
    name: Line = "",
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Accept as somebody new."""
    offer = await require_offer(services.db, secret)
    try:
        new = Newcomer(email, name, password, visit.words.locale)
        token = await joining.sign_up(services, offer, new, doors.sighting(request))
    except Refused as err:
        return _offer(request, visit, offer, None, secret, err, name, email)
    return _enter(services, token, "/inbox")


def _enter(services: Services, token: str, place: str) -> Response:
    """Go on in the organization whose session was just opened."""
    response = RedirectResponse(place, 303)
    keep_session(response, services, token)
    return response
