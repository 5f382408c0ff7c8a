"""Accounts that come to be, and passwords that are set anew: what is done by a link that came by mail."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from api.deps import Services
from api.origins import sighted
from core.errors import NotFound, Unavailable
from core.ids import uuid7
from core.principal import Via, system
from core.settings import Settings
from crm.identity import passwords, resets, signing_up
from crm.identity.emails import checked_email
from crm.identity.queries import find_credentials
from crm.identity.sessions import Sighting
from crm.identity.signing_up import NewSignUp

# Every answer that must not tell whether an account is there comes after this, however little there was to do.
SAME_SECONDS = 0.4


def site_url(request: Request, settings: Settings) -> str:
    """Where links in mails lead. The Host header is the caller's to choose, so only a caller of this very machine is
    believed without PUBLIC_URL.

    Raises: Unavailable when it is not known.
    """
    if settings.public_url:
        return settings.public_url.rstrip("/")
    if request.url.hostname in ("127.0.0.1", "localhost", "::1"):
        return str(request.base_url).rstrip("/")
    raise Unavailable("Mails with links need PUBLIC_URL; whoever runs this installation can set it.")


def site_url_if_known(request: Request, settings: Settings) -> str:
    """The same for mails that have to go out in any case; without it their links say only which page."""
    try:
        return site_url(request, settings)
    except Unavailable:
        return ""


@dataclass(frozen=True)
class SignUp:
    """What somebody typed who wants an account and an organization."""

    email: str
    password: str
    name: str
    organization: str
    locale: str


@asynccontextmanager
async def same_time() -> AsyncIterator[None]:
    """What happens inside takes as long for an address that is known as for one that is not."""
    until = time.monotonic() + SAME_SECONDS
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, until - time.monotonic()))


async def sign_up(services: Services, wanted: SignUp, seen: Sighting, *, site: str) -> None:
    """Mail a link that makes the account; the same work and the same answer for an address that has one already.

    Raises: Unprocessable, for what anybody can see.
    """
    signing_up.require_names(wanted.name, wanted.organization)
    new = NewSignUp(
        email=checked_email(wanted.email),
        name=wanted.name.strip(),
        password_hash=await passwords.hash_new(wanted.password),
        organization_name=wanted.organization.strip(),
        locale=wanted.locale,
    )
    key = services.settings.secret_key.get_secret_value()
    async with same_time():
        known = await find_credentials(services.db, new.email)
        owner = system(known.organization_id if known else uuid7()).coming_from(sighted(seen, Via.PAGE))
        async with services.db.transaction(owner, "sign_up") as tx:
            if known is None:
                await signing_up.request_sign_up(tx, new, site=site, key=key)
            else:
                await signing_up.tell_owner(tx, new.email, new.locale, site=site, key=key)


async def confirm_sign_up(services: Services, token: str, seen: Sighting) -> None:
    """Raises: NotFound for a link that is used, over or none; Conflict when the address has an account by now."""
    organization_id = await signing_up.find_organization(services.db, token)
    if organization_id is None:
        raise NotFound("This link was used or is older than two days; sign up again.")
    founder = system(organization_id).coming_from(sighted(seen, Via.PAGE))
    async with services.db.transaction(founder, "sign_up") as tx:
        await signing_up.confirm_sign_up(tx, token)


async def request_reset(services: Services, email: str, seen: Sighting, *, site: str) -> None:
    """Mail a link for a new password to whoever has an account under this address."""
    key = services.settings.secret_key.get_secret_value()
    async with same_time():
        known = await find_credentials(services.db, email.strip())
        if known is not None:
            person = passwords.signing_in(known).coming_from(sighted(seen, Via.PAGE))
            async with services.db.transaction(person, "reset") as tx:
                await resets.request_reset(tx, known.user_id, site=site, key=key)


async def reset_password(services: Services, token: str, password: str, seen: Sighting, *, site: str) -> None:
    """Raises: NotFound for a link that is used, over or none; Unprocessable for a password that will not do."""
    hashed = await passwords.hash_new(password)
    organization_id = await resets.find_organization(services.db, token)
    if organization_id is None:
        raise NotFound("This link was used or is older than an hour; ask for a new one.")
    key = services.settings.secret_key.get_secret_value()
    holder = system(organization_id).coming_from(sighted(seen, Via.PAGE))
    async with services.db.transaction(holder, "reset") as tx:
        await resets.reset_password(tx, token, hashed, site=site, key=key)
