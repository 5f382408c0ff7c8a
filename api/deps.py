"""What a route can ask for: the services, the signed-in account and a transaction that commits before the answer."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis

from core.blobs import Blobs
from core.db import Database, Tx
from core.errors import Unauthorized
from core.principal import Principal
from core.pubsub import PubSub
from core.settings import Settings
from crm.identity import actions as identity
from crm.identity.models import Account
from crm.identity.queries import Credentials, find_session
from graph.store import GraphStore

SESSION_COOKIE = "getsale_session"


@dataclass(frozen=True)
class Services:
    """The parts of the web process, built once at its start."""

    settings: Settings
    db: Database
    redis: Redis
    pubsub: PubSub
    blobs: Blobs
    graph: GraphStore


def get_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def find_account(request: Request) -> Account | None:
    """Who the session cookie belongs to, or None; asked once per request."""
    if not hasattr(request.state, "account"):
        token = request.cookies.get(SESSION_COOKIE)
        request.state.account = await find_session(get_services(request).db, token) if token else None
    account: Account | None = request.state.account
    return account


async def get_account(account: Annotated[Account | None, Depends(find_account)]) -> Account:
    """Raises: Unauthorized when nobody is signed in."""
    if account is None:
        raise Unauthorized("Nobody is signed in; sign in first.")
    return account


def get_principal(account: Annotated[Account, Depends(get_account)]) -> Principal:
    return account.principal


async def get_tx(
    request: Request, principal: Annotated[Principal, Depends(get_principal)]
) -> AsyncIterator[Tx]:
    """The request's transaction."""
    async with get_services(request).db.transaction(principal, "request") as tx:
        yield tx


async def start_session(services: Services, credentials: Credentials) -> str:
    """A session for somebody whose password was just checked; returns its token."""
    async with services.db.transaction(identity.signing_in(credentials), "sign_in") as tx:
        return await identity.open_session(tx)


async def remember_locale(services: Services, account: Account, locale: str) -> None:
    """Keep a member's language. Raises: Unprocessable when the product does not speak it."""
    async with services.db.transaction(account.principal, "set_locale") as tx:
        await identity.set_locale(tx, account, locale)


CurrentServices = Annotated[Services, Depends(get_services)]
CurrentAccount = Annotated[Account, Depends(get_account)]
MaybeAccount = Annotated[Account | None, Depends(find_account)]
CurrentPrincipal = Annotated[Principal, Depends(get_principal)]
# scope="function": the transaction commits before the response is sent. A plain Depends commits after it,
# and the client would hear of a success that can still fail.
CurrentTx = Annotated[Tx, Depends(get_tx, scope="function")]
