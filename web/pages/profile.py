"""A person's own name, time zone and password."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import accounts, doors, issuers
from api.deps import CurrentAccount, CurrentServices
from core.errors import Conflict, Forbidden, Limited, Unauthorized, Unprocessable
from crm.conversations.inbox import count_folders
from crm.identity import identities, profiles
from crm.identity.providers import find_provider
from web.pages.issuers import send_off
from web.pages.session import keep_session
from web.refusals import refusal_text
from web.viewer import CurrentReader, CurrentSession, CurrentVisit, Session

router = APIRouter(prefix="/profile")


@dataclass(frozen=True)
class Offered:
    """An issuer that a person can link."""

    issuer: str
    name: str
    is_organizations: bool


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


@router.post("/identities")
async def link_identity(
    request: Request,
    visit: CurrentVisit,
    account: CurrentAccount,
    services: CurrentServices,
    own: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Off to the issuer, whose answer is linked to whoever is signed in; `own` is the organization's."""
    organization_id = account.organization_id if own else None
    return await send_off(
        request, visit, services, organization_id, back="/profile", session_id=account.session_id
    )


@router.post("/identities/{identity_id}/removal")
async def unlink_identity(
    reader: CurrentReader, account: CurrentAccount, services: CurrentServices, identity_id: UUID
) -> Response:
    try:
        await issuers.unlink_own(services, account, identity_id)
    except (Conflict, Forbidden) as err:
        return _refused(refusal_text(err, reader.words), reader, status=err.status.value)
    return RedirectResponse("/profile", 303)


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


def _refused(problem: str, reader: CurrentReader, *, status: int = 422) -> Response:
    """A page of its own: nothing that was typed is shown again."""
    return reader.page("profile/refused.html", status=status, problem=problem)


async def _page(session: Session, *, status: int = 200, problem: str = "", saved: str = "") -> Response:
    linked = await identities.list_identities(session.tx, session.account.user_id)
    issuers_here = await _list_issuers(session)
    return session.page(
        "profile/show.html",
        status=status,
        section="preferences",
        counts=await count_folders(session.tx),
        zones=sorted(zone for zone in available_timezones() if "/" in zone),
        problem=problem,
        saved=saved,
        identities=linked,
        names={(one.issuer, one.is_organizations): one.name for one in issuers_here},
        offered=[
            one
            for one in issuers_here
            if (one.issuer, one.is_organizations)
            not in {(its.issuer, its.is_organizations) for its in linked}
        ],
    )


async def _list_issuers(session: Session) -> list[Offered]:
    """By which a person here can sign in: the installation's issuer, and the organization's own."""
    services, own = session.services, await find_provider(session.tx)
    found = [Offered(services.settings.oidc_issuer, issuers.installation_name(services), False)]
    if own is not None:
        found.append(Offered(own.issuer, own.name, True))
    return [one for one in found if one.issuer]
