"""What a route can ask for: the services, the signed-in account and a transaction that commits before the answer."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis

from api import cookies, forgery
from api.cookies import SESSION_COOKIE
from api.hub import Hub
from api.origins import door_of, origin_of
from api.sightings import Sightings
from core import access_tokens, crypto
from core.blobs import Blobs
from core.db import Database, Tx
from core.errors import Forbidden, Unauthorized
from core.lockout import Lockout
from core.principal import Principal, Via
from core.pubsub import PubSub
from core.ratelimit import RateLimiter, Rule
from core.settings import Settings
from crm.api_keys import actions as api_keys
from crm.api_keys.models import Credential
from crm.api_keys.queries import find_key_holder, list_credentials_in_force
from crm.identity import profiles
from crm.identity.models import Account
from crm.identity.queries import find_session
from graph.store import GraphStore
from memory.embeddings.base import Embedder


@dataclass(frozen=True)
class Services:
    """The parts of the web process, built once at its start."""

    settings: Settings
    db: Database
    redis: Redis
    pubsub: PubSub
    blobs: Blobs
    graph: GraphStore
    embedder: Embedder
    limiter: RateLimiter
    lockout: Lockout
    hub: Hub
    sightings: Sightings


def get_services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return get_services(request)


def session_token(request: Request) -> str:
    """The token of the page's session, or '' when the browser sent none."""
    return cookies.read(request, get_services(request).settings, SESSION_COOKIE)


async def find_account(request: Request) -> Account | None:
    """Who the session cookie belongs to, or None; asked once per request."""
    if not hasattr(request.state, "account"):
        token = session_token(request)
        found = await find_session(get_services(request).db, token) if token else None
        if found is not None:
            found = replace(found, origin=origin_of(request, Via.PAGE, found.session_id))
        request.state.account = found
    account: Account | None = request.state.account
    return account


async def get_account(account: Annotated[Account | None, Depends(find_account)]) -> Account:
    """Raises: Unauthorized when nobody is signed in."""
    if account is None:
        raise Unauthorized("Nobody is signed in; sign in first.")
    return account


async def get_principal(account: Annotated[Account, Depends(get_account)]) -> Principal:
    return account.principal


async def get_tx(
    request: Request, principal: Annotated[Principal, Depends(get_principal)]
) -> AsyncIterator[Tx]:
    """The request's transaction."""
    async with get_services(request).db.transaction(principal, "request") as tx:
        yield tx


_bearer = HTTPBearer(
    scheme_name="ApiKey",
    description="A key of `getsale user key EMAIL`, or an access token of `POST /api/v1/auth/tokens`.",
    auto_error=False,
)
_cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    scheme_name="Session",
    description="The page's session. Everything but reading also takes the page's token in `X-CSRF-Token`.",
    auto_error=False,
)


async def get_caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> Credential:
    """Who calls the API, by a key or by the page's session; a key that is wrong is not passed over.

    Raises: Unauthorized; Forbidden for a page of another site; Limited.
    """
    caller = (
        await _bearer_caller(request) if "Authorization" in request.headers else await _page_caller(request)
    )
    await _spend(request, caller, by_key=bearer is not None)
    request.state.caller = caller
    return caller


async def _bearer_caller(request: Request) -> Credential:
    scheme, _, secret = request.headers["Authorization"].partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Unauthorized("The header Authorization is `Bearer` and a key or an access token.")
    # a signed token has parts, which a key has not
    caller = await (_token_caller if "." in secret else _key_caller)(get_services(request), secret)
    origin = origin_of(request, door_of(request), caller.id)
    return replace(caller, principal=caller.principal.coming_from(origin))


async def _key_caller(services: Services, secret: str) -> Credential:
    holder = await find_key_holder(services.db, secret)
    if holder is None:
        raise Unauthorized("This API key is unknown or revoked; make one with `getsale user key EMAIL`.")
    if holder.is_use_unnoted:
        async with services.db.transaction(holder.principal, "api_key.use") as tx:
            await api_keys.note_use(tx, holder.key_id)
    return Credential(holder.key_id, holder.principal)


async def _token_caller(services: Services, text: str) -> Credential:
    """A good signature is not enough: the session is asked for at every call, so that it ends at once."""
    token = access_tokens.read(services.settings, text)
    for credential in await list_credentials_in_force(services.db, [token.session_id]):
        if (credential.principal.id, credential.principal.organization_id) == (
            token.user_id,
            token.organization_id,
        ):
            return credential
    raise Unauthorized("The session of this access token has ended; sign in again.")


async def refuse_other_sites(request: Request) -> None:
    """Raises: Forbidden when a browser says that another site made it ask."""
    forgery.refuse_other_sites(request, get_services(request).settings.public_url)


async def _page_caller(request: Request) -> Credential:
    account = await find_account(request)
    if account is None:
        raise Unauthorized("Nobody is signed in; send an API key or sign in on the page.")
    if request.method not in forgery.SAFE_METHODS:
        settings = get_services(request).settings
        forgery.refuse_other_sites(request, settings.public_url)
        token = forgery.csrf_token(settings.secret_key.get_secret_value(), session_token(request))
        if not crypto.same(request.headers.get("X-CSRF-Token", "").encode(), token.encode()):
            raise Forbidden("The header X-CSRF-Token is not this session's; reload the page and try again.")
    return Credential(account.session_id, account.principal)


async def _spend(request: Request, caller: Credential, *, by_key: bool) -> None:
    """Count the call against the key, the person and the organization; api/middleware.py tells what is left."""
    services = get_services(request)
    settings, person = services.settings, caller.principal
    key = Rule("key", person.organization_id, caller.id, settings.api_key_per_minute)
    rules = (
        *((key,) if by_key else ()),
        Rule("person", person.organization_id, person.id, settings.api_person_per_minute),
        Rule(
            "organization",
            person.organization_id,
            person.organization_id,
            settings.api_organization_per_minute,
        ),
    )
    request.state.standing = standing = await services.limiter.spend(rules)
    if standing is not None:
        standing.require_room()


async def get_api_tx(
    request: Request, caller: Annotated[Credential, Depends(get_caller)]
) -> AsyncIterator[Tx]:
    """The transaction of a call of the API; what answers the call can find it: api/answers.py."""
    async with get_services(request).db.transaction(caller.principal, "api") as tx:
        request.state.api_tx = tx
        yield tx


def short_transactions(
    services: Services, principal: Principal, label: str
) -> Callable[[], AbstractAsyncContextManager[Tx]]:
    """For what waits for another server in between and may hold no transaction meanwhile."""
    return lambda: services.db.transaction(principal, label)


async def remember_locale(services: Services, account: Account, locale: str) -> None:
    """Keep a member's language. Raises: Unprocessable when the product does not speak it."""
    async with services.db.transaction(account.principal, "set_locale") as tx:
        await profiles.set_locale(tx, account, locale)


CurrentServices = Annotated[Services, Depends(_services)]
CurrentAccount = Annotated[Account, Depends(get_account)]
MaybeAccount = Annotated[Account | None, Depends(find_account)]
CurrentPrincipal = Annotated[Principal, Depends(get_principal)]
# scope="function": the transaction commits before the response is sent. A plain Depends commits after it,
# and the client would hear of a success that can still fail.
CurrentTx = Annotated[Tx, Depends(get_tx, scope="function")]
Caller = Annotated[Credential, Depends(get_caller)]
ApiTx = Annotated[Tx, Depends(get_api_tx, scope="function")]
