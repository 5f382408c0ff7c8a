"""Coming in and going out: what happens before there is a session whose transaction a route could ask for."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import HTTPConnection

from api.deps import Services
from core import access_tokens
from core.access_tokens import AccessToken
from core.errors import Unauthorized
from core.principal import Principal
from crm.identity import passwords, refreshing, resets, sessions
from crm.identity.models import Account
from crm.identity.queries import Credentials
from crm.identity.refreshing import Refresh
from crm.identity.sessions import Sighting


@dataclass(frozen=True)
class Tokens:
    """What a program carries: an access token for its calls, and a refresh token for the next one."""

    access_token: str
    refresh_token: str
    refresh_expires_at: datetime


def sighting(connection: HTTPConnection) -> Sighting:
    """Where a request comes from."""
    address = connection.client.host if connection.client else ""
    return Sighting.of(connection.headers.get("User-Agent", ""), address)


async def start_session(services: Services, credentials: Credentials, seen: Sighting) -> str:
    """A page's session for somebody whose password was just checked; returns its token."""
    async with services.db.transaction(passwords.signing_in(credentials), "sign_in") as tx:
        return await sessions.open_session(tx, seen)


async def change_password(
    services: Services, account: Account, *, old: str, new: str, seen: Sighting, site: str
) -> str:
    """Another password for somebody who knows the old one. All their sessions end, whatever organization they are in;
    the token of a new one for the page that asked is returned.

    Raises: Unauthorized when the old one is wrong; Unprocessable for a new one that will not do.
    """
    credentials = await passwords.check_password(services.db, account.email, old)
    hashed = await passwords.hash_new(new)
    async with services.db.transaction(account.principal, "password") as tx:
        await passwords.set_password(tx, credentials.user_id, hashed)
        key = services.settings.secret_key.get_secret_value()
        await resets.tell_changed(tx, credentials.user_id, site=site, key=key)
        return await sessions.open_session(tx, seen)


async def start_program(services: Services, credentials: Credentials, seen: Sighting) -> Tokens:
    """A program's session for somebody whose password was just checked."""
    principal = passwords.signing_in(credentials)
    async with services.db.transaction(principal, "sign_in") as tx:
        refresh = await refreshing.open_family(tx, _derive(services), seen)
    return _tokens(services, principal, refresh)


async def refresh(services: Services, secret: str) -> Tokens:
    """Raises: Unauthorized when the token is unknown, over, or was used before."""
    holder = await refreshing.find_holder(services.db, secret)
    if holder is not None:
        # a token that was stolen ends its session, so the transaction has to commit before anybody is refused
        async with services.db.transaction(holder.principal, "refresh") as tx:
            refreshed = await refreshing.refresh(tx, _derive(services), holder.token_id)
        if refreshed is not None:
            return _tokens(services, holder.principal, refreshed)
    raise Unauthorized("This refresh token is unknown, used or over; sign in again.")


async def end_program(services: Services, secret: str) -> None:
    """End the session of a refresh token; one that is unknown or over already changes nothing."""
    holder = await refreshing.find_holder(services.db, secret)
    if holder is not None:
        async with services.db.transaction(holder.principal, "sign_out") as tx:
            await refreshing.end_family(tx, holder.token_id)


def _derive(services: Services) -> refreshing.Derive:
    return refreshing.derive_with(services.settings.secret_key.get_secret_value())


def _tokens(services: Services, principal: Principal, refresh: Refresh) -> Tokens:
    carried = AccessToken(principal.id, principal.organization_id, refresh.session_id)
    return Tokens(access_tokens.mint(services.settings, carried), refresh.secret, refresh.expires_at)
