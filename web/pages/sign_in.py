"""The organization's own sign-in service: how its administrators set it up."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import accounts, issuers
from core.addresses import tenant_reach
from core.errors import Stale, Unprocessable
from crm.conversations.inbox import count_folders
from crm.identity import providers
from crm.identity.providers import JOINING, MAX_LINE, NewProvider
from crm.identity.queries import get_organization
from crm.identity.roles import Role
from web.refusals import refusal_text
from web.roles_view import ROLES
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/sign-in")
HOME = "/settings/sign-in"
Line = Annotated[str, Form(max_length=MAX_LINE)]


@router.get("")
async def show_service(request: Request, session: CurrentSession, saved: str = "") -> Response:
    return await _show(request, session, saved=bool(saved))


@router.post("")
async def set_service(
    request: Request,
    session: CurrentSession,
    version: Annotated[int, Form()],
    name: Line = "",
    issuer: Annotated[str, Form(max_length=500)] = "",
    client_id: Line = "",
    client_secret: Annotated[str, Form(max_length=1000)] = "",
    domain: Line = "",
    role: Annotated[Role, Form()] = Role.VIEWER,
) -> Response:
    settings = session.services.settings
    wanted = NewProvider(name, issuer, client_id, client_secret, domain, role)
    try:
        async with session.tx.savepoint():
            await providers.set_provider(
                session.tx,
                wanted,
                version=version,
                reach=tenant_reach(settings),
                keys=settings.keyring,
            )
    except (Stale, Unprocessable) as err:
        problem = refusal_text(err, session.words)
        return await _show(request, session, status=err.status.value, problem=problem, typed=vars(wanted))
    return RedirectResponse(f"{HOME}?saved=1", 303)


@router.post("/removal")
async def remove_service(session: CurrentSession) -> Response:
    await providers.remove_provider(session.tx)
    return RedirectResponse(HOME, 303)


async def _show(
    request: Request,
    session: Session,
    *,
    status: int = 200,
    problem: str = "",
    saved: bool = False,
    typed: Mapping[str, Any] | None = None,
) -> Response:
    provider = await providers.find_provider(session.tx)
    site = accounts.site_url_if_known(request, session.services.settings)
    slug = (await get_organization(session.tx)).slug
    return session.page(
        "sign_in/service.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        problem=problem,
        saved=saved,
        provider=provider,
        values=typed or provider or NewProvider("", "", ""),
        roles=JOINING,
        names=ROLES,
        return_url=issuers.redirect_uri(site),
        door_url=f"{site}/session/organization/{slug}",
    )
