"""Coming in and going out: what happens before there is a session whose transaction a route could ask for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import HTTPConnection

from api import cookies, devices, gate
from api.deps import Services
from api.gate import Knock
from api.origins import sighted
from core import access_tokens
from core.access_tokens import AccessToken
from core.db import Tx
from core.errors import Unauthorized
from core.principal import Principal, Via
from core.settings import Settings
from crm.identity import mails, passwords, refreshing, resets, second_factors, sessions
from crm.identity.letters import letter
from crm.identity.models import Account
from crm.identity.queries import Credentials, get_person
from crm.identity.refreshing import Refresh
from crm.identity.second_factors import SecondFactorRequired
from crm.identity.sessions import Sighting
from events.ids import UserId


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


def knock(connection: HTTPConnection, settings: Settings, email: str) -> Knock:
    """Somebody who says that they are this person, from where and in which browser."""
    return Knock(email.strip(), sighting(connection), cookies.read(connection, settings, devices.COOKIE))


async def start_session(
    services: Services, who: Knock, credentials: Credentials, *, code: str = "", site: str = ""
) -> str:
    """A page's session for somebody whose password or issuer was just checked; returns its token.

    Raises: SecondFactorRequired when a code is needed and none was given; Unauthorized for a wrong one; Limited.
    """
    key = services.settings.secret_key.get_secret_value()
    is_known = devices.known_as(who.device_cookie, who.email, key=key) is not None
    async with _entering(services, who, credentials, code, Via.PAGE) as tx:
        is_new = not is_known and await sessions.is_new_place(tx)
        if is_new:
            await _tell_of_device(tx, who, site=site, key=key)
        return await sessions.open_session(
            tx, who.seen, issuer=credentials.issuer, is_confined=credentials.is_confined
        )


async def start_program(
    services: Services, who: Knock, credentials: Credentials, *, code: str = "", site: str = ""
) -> Tokens:
    """A program's session for somebody whose password was just checked. Raises: as `start_session`."""
    async with _entering(services, who, credentials, code, Via.API) as tx:
        if await sessions.is_new_place(tx, who.seen.device):
            key = services.settings.secret_key.get_secret_value()
            await _tell_of_device(tx, who, site=site, key=key)
        refresh = await refreshing.open_family(tx, _derive(services), who.seen)
    return _tokens(services, passwords.signing_in(credentials), refresh)


@asynccontextmanager
async def _entering(
    services: Services, who: Knock, credentials: Credentials, code: str, via: Via
) -> AsyncIterator[Tx]:
    """The transaction in which somebody comes in, once a code was used up where their account asks for one."""
    principal = passwords.signing_in(credentials).coming_from(sighted(who.seen, via))
    user_id = credentials.user_id
    async with services.db.transaction(principal, "sign_in") as tx:
        if await second_factors.is_on(tx, user_id):
            if not code:
                raise SecondFactorRequired(
                    "The password is right; give a code of your authenticator app too."
                )
            async with gate.counted(services, who, credentials) as is_refused:
                given = "" if is_refused else code
                await second_factors.use_code(tx, user_id, given, keys=services.settings.keyring)
        yield tx


async def _tell_of_device(tx: Tx, who: Knock, *, site: str, key: str) -> None:
    person = await get_person(tx, UserId(tx.principal.id))
    news = letter(
        "new_device",
        person.locale,
        device=who.seen.device or "?",
        address=who.seen.address or "?",
        link=f"{site}/sessions",
    )
    await mails.queue_mail(tx, person.email, news, key=key)


async def change_password(
    services: Services, account: Account, who: Knock, *, old: str, new: str, site: str
) -> str:
    """Another password for somebody who knows the old one. All their sessions end, whatever organization they are in;
    the token of a new one for the page that asked is returned.

    Raises: Unauthorized when the old one is wrong; Limited; Unprocessable for a new one that will not do.
    """
    credentials = await gate.check_password(services, who, old)
    hashed = await passwords.hash_new(new)
    async with services.db.transaction(account.principal, "password") as tx:
        await passwords.set_password(tx, credentials.user_id, hashed)
        key = services.settings.secret_key.get_secret_value()
        await resets.tell_changed(tx, credentials.user_id, site=site, key=key)
        return await sessions.open_session(tx, who.seen)


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
