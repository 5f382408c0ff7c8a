"""An organization's own issuer of OpenID Connect, by which its people sign in; one at most."""

import re
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit
from uuid import UUID

from core import envelopes
from core.addresses import Reach
from core.db import Tx
from core.envelopes import Keyring, Place
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.identity.roles import Role
from events.ids import OrganizationId
from events.outbox import emit
from events.types import IdentityProviderRemoved, IdentityProviderSet

SCOPE = "organization:write"
# Whoever joins by their address alone administers nothing.
JOINING = (Role.SUPERVISOR, Role.BIDI, Role.VIEWER)
MAX_LINE = 200
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")


@dataclass(frozen=True)
class IdentityProvider:
    """How it is set up; its secret is never read back."""

    id: UUID
    name: str
    issuer: str
    client_id: str
    domain: str | None
    role: Role
    version: int

    def admits(self, email: str) -> bool:
        """Whether somebody with this address may join by signing in."""
        return self.domain is not None and email.rpartition("@")[2] == self.domain


@dataclass(frozen=True)
class NewProvider:
    """How it is to be set up; without a secret the one that is there stays."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = ""
    domain: str | None = None
    role: Role = Role.VIEWER


_PROVIDER: LiteralString = "SELECT id, name, issuer, client_id, domain, role, version FROM identity_providers"


async def find_provider(tx: Tx) -> IdentityProvider | None:
    """The organization's own, or None."""
    return await tx.find(IdentityProvider, _PROVIDER)


async def get_provider(tx: Tx) -> IdentityProvider:
    """Raises: NotFound; Forbidden."""
    tx.principal.require(SCOPE)
    return await tx.one(IdentityProvider, _PROVIDER)


async def open_secret(tx: Tx, provider: IdentityProvider, *, keys: Keyring) -> str:
    """What we show to the issuer."""
    sealed = await tx.value("SELECT client_secret FROM identity_providers")
    return envelopes.unseal(keys, sealed, _place(tx, provider.id))


async def set_provider(
    tx: Tx, wanted: NewProvider, *, version: int, reach: Reach, keys: Keyring
) -> IdentityProvider:
    """Set it up, or change it; `version` is 0 where there is none. Who is signed in stays so.

    Raises: Forbidden; Stale; Unprocessable, naming the field.
    """
    tx.principal.require(SCOPE)
    await tx.execute("SELECT FROM organizations FOR UPDATE")
    current = await find_provider(tx)
    if (current.version if current else 0) != version:
        raise Stale("The sign-in service was changed meanwhile; reload and try again.")
    checked = _checked(wanted, reach)
    if current is None and not checked.client_secret:
        raise Unprocessable(
            "The issuer has given you a secret for this client; fill it in.", field="client_secret"
        )
    if current is not None and current.issuer != checked.issuer and not checked.client_secret:
        # a secret is never shown to another issuer than it was given by
        raise Unprocessable("Another issuer has another secret; fill it in.", field="client_secret")
    provider_id = current.id if current else uuid7()
    await _write(tx, provider_id, checked, keys=keys)
    await emit(tx, IdentityProviderSet(OrganizationId(tx.organization_id)), _changes(current, checked))
    return await get_provider(tx)


async def _write(tx: Tx, provider_id: UUID, wanted: NewProvider, *, keys: Keyring) -> None:
    sealed = envelopes.seal(keys, wanted.client_secret, _place(tx, provider_id))
    await tx.execute(
        """
        INSERT INTO identity_providers AS p (organization_id, id, name, issuer, client_id, client_secret, domain, role)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(issuer)s, %(client_id)s, %(sealed)s, %(domain)s, %(role)s)
            ON CONFLICT (organization_id)
            DO UPDATE SET name = EXCLUDED.name, issuer = EXCLUDED.issuer, client_id = EXCLUDED.client_id,
                          domain = EXCLUDED.domain, role = EXCLUDED.role, version = p.version + 1,
                          client_secret = CASE WHEN %(has_secret)s THEN EXCLUDED.client_secret ELSE p.client_secret END
        """,
        organization_id=tx.organization_id,
        id=provider_id,
        name=wanted.name,
        issuer=wanted.issuer,
        client_id=wanted.client_id,
        sealed=sealed,
        domain=wanted.domain,
        role=wanted.role,
        has_secret=bool(wanted.client_secret),
    )


async def remove_provider(tx: Tx) -> None:
    """Nobody is let in by it any more, and what it vouched for is forgotten. Raises: NotFound; Forbidden."""
    provider = await get_provider(tx)
    await tx.execute("DELETE FROM identities WHERE provider_of = %(id)s", id=tx.organization_id)
    await tx.execute(
        """
        UPDATE sessions
           SET revoked_at = now()
         WHERE is_confined
           AND revoked_at IS NULL
        """
    )
    await tx.execute("DELETE FROM identity_providers WHERE id = %(id)s", id=provider.id)
    changes = {"issuer": (provider.issuer, None), "name": (provider.name, None)}
    await emit(tx, IdentityProviderRemoved(OrganizationId(tx.organization_id)), changes)


def _changes(before: IdentityProvider | None, after: NewProvider) -> dict[str, tuple[object, object]]:
    """What is different; of a secret only that it is another one."""
    fields = ("name", "issuer", "client_id", "domain", "role")
    pairs = {name: (getattr(before, name, None), getattr(after, name)) for name in fields}
    changes: dict[str, tuple[object, object]] = {
        name: (old, new) for name, (old, new) in pairs.items() if old != new
    }
    if after.client_secret:
        changes["client_secret"] = (None, "***")
    return changes


def _checked(wanted: NewProvider, reach: Reach) -> NewProvider:
    name, client_id = " ".join(wanted.name.split()), wanted.client_id.strip()
    if not 0 < len(name) <= MAX_LINE:
        raise Unprocessable("The sign-in service needs a name; it stands on its button.", field="name")
    if not 0 < len(client_id) <= MAX_LINE:
        raise Unprocessable("The issuer has given you an id for this client; fill it in.", field="client_id")
    domain = (wanted.domain or "").strip().lower().removeprefix("@") or None
    if domain is not None and not _DOMAIN.fullmatch(domain):
        raise Unprocessable("This is no domain; write one such as example.com.", field="domain")
    if wanted.role not in JOINING:
        raise Unprocessable(
            "Whoever joins by their address is a supervisor, a seller or a viewer.", field="role"
        )
    secret = wanted.client_secret.strip()
    return NewProvider(name, _issuer(wanted.issuer, reach), client_id, secret, domain, wanted.role)


def _issuer(text: str, reach: Reach) -> str:
    """An address by https, unless whoever runs the installation has named its host. It is compared as it is written."""
    issuer = text.strip()
    try:
        parts = urlsplit(issuer)
        is_named = reach.admits(parts.hostname or "", parts.port or 80)
    except ValueError:
        parts, is_named = urlsplit(""), False
    is_sealed = parts.scheme == "https" or (parts.scheme == "http" and is_named)
    if (
        not is_sealed
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
        or len(issuer) > 500
    ):
        raise Unprocessable("Write the issuer's address as it gives it, with https://.", field="issuer")
    return issuer


def _place(tx: Tx, provider_id: UUID) -> Place:
    return Place(tx.organization_id, "identity_providers", provider_id, "client_secret")


def require_issuer(provider: IdentityProvider, issuer: str) -> None:
    """Raises: Conflict when the organization has another one by now."""
    if provider.issuer != issuer:
        raise Conflict("Your organization has another sign-in service by now; begin again.")
