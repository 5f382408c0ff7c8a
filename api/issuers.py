"""Coming in by an issuer of OpenID Connect: the installation's for everybody, or an organization's own for its people.

An identity that nobody here has is never linked by its address alone: a link to that address, or a press on one's own
profile, does so. docs/decisions/0025-who-lets-people-in.md says why.
"""

import base64
import binascii
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from api import gate
from api.deps import Services
from api.gate import Knock
from api.origins import sighted
from core import clock, crypto, jsons, oidc
from core.addresses import OPERATOR, tenant_reach
from core.errors import Forbidden, NotFound, Unprocessable
from core.oidc import Client, Flow, Returned
from core.principal import Principal, PrincipalKind, Via, system
from crm.identity import identities, mails, passwords, providers
from crm.identity.emails import checked_email
from crm.identity.identities import Vouched
from crm.identity.letters import letter
from crm.identity.models import Account
from crm.identity.queries import Credentials, find_credentials, get_organization, get_person
from crm.identity.sessions import Sighting
from events.ids import OrganizationId, UserId

COOKIE = "getsale_issuer"
LIFETIME = timedelta(minutes=10)
LINK_LIFETIME = timedelta(hours=1)
_FLOW, _LINK = "issuer flow", "issuer link"


@dataclass(frozen=True)
class Provider:
    """Who vouches for people: an issuer, by the name on its button; `organization_id` is whose own it is."""

    organization_id: OrganizationId | None
    name: str
    client: Client


@dataclass(frozen=True)
class Begun:
    """A sign-in under way, as the browser that began it carries it, sealed."""

    flow: Flow
    organization_id: OrganizationId | None
    back: str
    # whose profile it was begun on: the identity is to be linked to that session's person
    session_id: UUID | None = None


def installation_name(services: Services) -> str:
    """What stands on the button for everybody; '' without an issuer of the installation's."""
    settings = services.settings
    return settings.oidc_issuer and (settings.oidc_name or urlsplit(settings.oidc_issuer).netloc)


async def get_provider(services: Services, organization_id: OrganizationId | None) -> Provider:
    """An organization's own, or the installation's. Raises: NotFound."""
    settings = services.settings
    if organization_id is None:
        if not settings.oidc_issuer:
            raise NotFound("This installation has no sign-in service.")
        secret = settings.oidc_client_secret.get_secret_value()
        client = Client(settings.oidc_issuer, settings.oidc_client_id, secret, OPERATOR)
        return Provider(None, installation_name(services), client)
    async with services.db.transaction(system(organization_id), "issuer") as tx:
        found = await providers.find_provider(tx)
        if found is None:
            raise NotFound("This organization has no sign-in service of its own.")
        secret = await providers.open_secret(tx, found, keys=services.settings.keyring)
    client = Client(found.issuer, found.client_id, secret, tenant_reach(settings))
    return Provider(organization_id, found.name, client)


def redirect_uri(site: str) -> str:
    """Where every issuer sends browsers back to."""
    return f"{site}/session/issuer/return"


async def begin(
    services: Services, provider: Provider, *, site: str, back: str, session_id: UUID | None = None
) -> tuple[str, str]:
    """Where to send the browser, and what it carries meanwhile. Raises: IssuerUnavailable; AddressRefused."""
    flow = Flow.new()
    url = await oidc.authorization_url(provider.client, flow, redirect_uri(site))
    content = {
        "flow": asdict(flow),
        "organization_id": provider.organization_id,
        "back": back,
        "session_id": session_id,
    }
    return url, _sealed(services, content, _FLOW, LIFETIME)


def begun(services: Services, cookie: str) -> Begun:
    """Raises: Unprocessable for a browser that has begun nothing, or too long ago."""
    content = _opened(services, cookie, _FLOW)
    if content is None:
        raise Unprocessable("This sign-in was not begun in this browser, or too long ago; begin again.")
    return Begun(
        Flow(**content["flow"]),
        _organization(content["organization_id"]),
        content["back"],
        UUID(content["session_id"]) if content["session_id"] else None,
    )


async def finish(
    services: Services, provider: Provider, one: Begun, returned: Returned, *, site: str
) -> Vouched:
    """Whom the issuer vouches for. Raises: IdentityRefused; IssuerUnavailable; Forbidden without a confirmed address."""
    said = await oidc.identify(provider.client, one.flow, redirect_uri(site), returned)
    if not said.email or not said.is_email_verified:
        raise Forbidden(
            f"{provider.name} has not confirmed your mail address; confirm it there and begin again."
        )
    email = checked_email(said.email)
    return Vouched(provider.organization_id, provider.client.issuer, said.subject, email, said.name[:200])


async def let_in(services: Services, who: Knock, credentials: Credentials) -> None:
    """An account that has to wait after wrong passwords waits here too. Raises: Limited; Forbidden."""
    async with gate.counted(services, who, credentials) as is_refused:
        if is_refused:
            raise Forbidden("Too much was wrong here lately; wait a while, and begin again.")


async def link_own(
    services: Services, account: Account, provider: Provider, vouched: Vouched, *, site: str
) -> None:
    """Link an identity to whoever is signed in. Raises: Conflict; Forbidden."""
    if provider.organization_id is None:
        account.require_whole()
    async with services.db.transaction(account.principal, "identity.link") as tx:
        await identities.link(
            tx, account.user_id, vouched, provider=provider.name, site=site, key=_key(services)
        )


async def unlink_own(services: Services, account: Account, identity_id: UUID) -> None:
    """Raises: NotFound; Conflict for the last way in; Forbidden."""
    account.require_whole()
    known = await find_credentials(services.db, account.email)
    async with services.db.transaction(account.principal, "identity.unlink") as tx:
        has_password = known is not None and known.has_password
        await identities.unlink(tx, account.user_id, identity_id, has_password=has_password)


async def ask_by_mail(services: Services, provider: Provider, vouched: Vouched, *, site: str) -> None:
    """Write to the address of an identity that nobody here has: whoever reads it says whether it is theirs.

    Raises: NotFound without an account; Forbidden for whom an organization's own issuer may not bring.
    """
    known = await find_credentials(services.db, vouched.email)
    if provider.organization_id is not None:
        writer = system(provider.organization_id)
    elif known is not None:
        writer = passwords.signing_in(known)
    else:
        raise NotFound(f"Nobody here has the address {vouched.email}; sign up, or ask for an invitation.")
    token = _sealed(services, {**asdict(vouched), "provider": provider.name}, _LINK, LINK_LIFETIME)
    async with services.db.transaction(writer, "identity.ask") as tx:
        if provider.organization_id is not None:
            await identities.require_welcome(tx, vouched.email, vouched.issuer)
            locale = (await get_organization(tx)).locale
        else:
            locale = (await get_person(tx, UserId(writer.id))).locale
        asked = letter(
            "identity", locale, provider=provider.name, link=f"{site}/session/issuer/link?token={token}"
        )
        await mails.queue_mail(tx, vouched.email, asked, key=_key(services))


def read_link(services: Services, token: str) -> tuple[Vouched, str]:
    """What a link of a mail asks, and the name of the service. Raises: NotFound for one that is over or none."""
    content = _opened(services, token, _LINK)
    if content is None:
        raise NotFound("This link is older than an hour, or not whole; sign in again to get another.")
    name = content.pop("provider")
    return Vouched(**content | {"provider_of": _organization(content["provider_of"])}), name


async def link_by_mail(services: Services, token: str, seen: Sighting, *, site: str) -> None:
    """Link the identity that a mail asked about, and let its person join where they may.

    Raises: NotFound; Conflict; Forbidden.
    """
    vouched, name = read_link(services, token)
    known = await find_credentials(services.db, vouched.email)
    if vouched.provider_of is None:
        if known is None:
            raise NotFound(f"Nobody here has the address {vouched.email}; sign up, or ask for an invitation.")
        person = passwords.signing_in(known)
    elif known is not None:
        person = Principal(PrincipalKind.USER, known.user_id, vouched.provider_of)
    else:
        person = system(vouched.provider_of)
    person = person.coming_from(sighted(seen, Via.PAGE))
    async with services.db.transaction(person, "identity.link") as tx:
        if vouched.provider_of is not None:
            user_id = await identities.join(tx, vouched, known.user_id if known else None)
        else:
            user_id = UserId(person.id)
        await identities.link(tx, user_id, vouched, provider=name, site=site, key=_key(services))


def _sealed(services: Services, content: dict[str, Any], context: str, lifetime: timedelta) -> str:
    until = {"until": clock.now() + lifetime}
    sealed = crypto.encrypt(_key(services), jsons.dumps(content | until), context)
    return base64.urlsafe_b64encode(sealed).decode()


def _opened(services: Services, text: str, context: str) -> dict[str, Any] | None:
    """None for what we have not sealed for this, and for what is over."""
    try:
        content: dict[str, Any] = jsons.loads(
            crypto.decrypt(_key(services), base64.urlsafe_b64decode(text), context)
        )
    except (Unprocessable, binascii.Error, ValueError):
        return None
    return content if datetime.fromisoformat(content.pop("until")) > clock.now() else None


def _organization(text: str | None) -> OrganizationId | None:
    return OrganizationId(UUID(text)) if text else None


def _key(services: Services) -> str:
    return services.settings.secret_key.get_secret_value()
