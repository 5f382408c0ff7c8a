"""Signing in by an issuer: off to it, back from it, and the link of a mail that says whose an identity is."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import accounts, cookies, doors, issuers
from api.deps import CurrentServices, MaybeAccount, Services
from api.issuers import Begun, Provider
from core.errors import AppError, NotFound, Unprocessable
from core.oidc import Returned
from crm.identity.identities import Vouched, find_account
from crm.identity.models import Account
from crm.identity.queries import find_organization_id
from crm.identity.second_factors import SecondFactorRequired
from events.ids import OrganizationId
from web import security
from web.pages.preferences import safe_path
from web.pages.session import ask_code, entered
from web.refusals import refusal_text
from web.viewer import CurrentVisit, Visit

router = APIRouter(prefix="/session")
Text = Annotated[str, Form(max_length=4000)]
PROFILE = "/profile?saved=identity"


@router.get("/organization/{slug}")
async def show_door(request: Request, visit: CurrentVisit, services: CurrentServices, slug: str) -> Response:
    """An organization's own door, by the address that its administrators give to its people."""
    provider = await issuers.get_provider(services, await _organization(services, slug))
    response = visit.page("issuers/door.html", name=provider.name, slug=slug)
    security.keep_csrf_seed(request, response)
    return response


@router.post("/issuer")
async def leave(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    slug: Text = "",
    back: Text = "/inbox",
) -> Response:
    """Off to the installation's issuer, or to an organization's own."""
    organization_id = await _organization(services, slug) if slug else None
    return await send_off(request, visit, services, organization_id, back=safe_path(back))


async def send_off(
    request: Request,
    visit: Visit,
    services: Services,
    organization_id: OrganizationId | None,
    *,
    back: str,
    session_id: UUID | None = None,
) -> Response:
    """A page that leads on to the issuer by itself: by our policy a form leads nowhere but to ourselves."""
    try:
        provider = await issuers.get_provider(services, organization_id)
        site = accounts.site_url(request, services.settings)
        url, sealed = await issuers.begin(services, provider, site=site, back=back, session_id=session_id)
    except AppError as err:
        return _refused(visit, err)
    response = visit.page("issuers/leaving.html", name=provider.name, url=url)
    response.headers["Refresh"] = f"0; url={url}"
    seconds = int(issuers.LIFETIME.total_seconds())
    cookies.write(response, services.settings, issuers.COOKIE, sealed, max_age=seconds)
    return response


@router.get("/issuer/return")
async def come_back(
    request: Request,
    visit: CurrentVisit,
    services: CurrentServices,
    account: MaybeAccount,
    state: str = "",
    code: str = "",
    iss: str = "",
    error: str = "",
) -> Response:
    """Back from the issuer, in the browser that was sent there."""
    try:
        one = issuers.begun(services, cookies.read(request, services.settings, issuers.COOKIE))
        provider = await issuers.get_provider(services, one.organization_id)
        site = accounts.site_url(request, services.settings)
        returned = Returned(state, code, iss, error)
        vouched = await issuers.finish(services, provider, one, returned, site=site)
        response = await _arrive(request, visit, services, account, one, provider, vouched, site)
    except AppError as err:
        response = _refused(visit, err)
    cookies.forget(response, services.settings, issuers.COOKIE)
    return response


async def _arrive(
    request: Request,
    visit: Visit,
    services: Services,
    account: Account | None,
    one: Begun,
    provider: Provider,
    vouched: Vouched,
    site: str,
) -> Response:
    """In, if the identity is somebody's; to the profile, if it was begun there; else a mail asks whose it is."""
    if one.session_id is not None:
        if account is None or account.session_id != one.session_id:
            raise Unprocessable("You have signed out meanwhile; sign in and link it again.")
        await issuers.link_own(services, account, provider, vouched, site=site)
        return RedirectResponse(PROFILE, 303)
    found = await find_account(services.db, vouched)
    if found is None:
        await issuers.ask_by_mail(services, provider, vouched, site=site)
        shows_mails = services.settings.show_mails
        return visit.page(
            "issuers/sent.html", email=vouched.email, name=provider.name, shows_mails=shows_mails
        )
    email, credentials = found
    knock = doors.knock(request, services.settings, email)
    await issuers.let_in(services, knock, credentials)
    try:
        token = await doors.start_session(services, knock, credentials, site=site)
    except SecondFactorRequired:
        return ask_code(services, knock, credentials, one.back)
    return entered(services, knock, token, one.back)


@router.get("/issuer/link")
async def show_link(
    request: Request, visit: CurrentVisit, services: CurrentServices, token: str = ""
) -> Response:
    """Programs that look into mails follow links; only a press links anything."""
    try:
        vouched, name = issuers.read_link(services, token)
    except NotFound as err:
        return _refused(visit, err)
    response = visit.page("issuers/link.html", email=vouched.email, name=name, token=token)
    security.keep_csrf_seed(request, response)
    return response


@router.post("/issuer/link")
async def link(
    request: Request, visit: CurrentVisit, services: CurrentServices, token: Text = ""
) -> Response:
    try:
        _, name = issuers.read_link(services, token)
        site = accounts.site_url_if_known(request, services.settings)
        await issuers.link_by_mail(services, token, doors.sighting(request), site=site)
    except AppError as err:
        return _refused(visit, err)
    return visit.page("issuers/linked.html", name=name)


async def _organization(services: Services, slug: str) -> OrganizationId:
    """Raises: NotFound, in the same words as for one without an issuer."""
    found = await find_organization_id(services.db, slug)
    if found is None:
        raise NotFound("This organization has no sign-in service of its own.")
    return found


def _refused(visit: Visit, err: AppError) -> Response:
    return visit.page("issuers/refused.html", status=err.status.value, problem=refusal_text(err, visit.words))
