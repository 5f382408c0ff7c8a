"""Who may try to come in: wrong passwords and codes are counted by account, address and organization.

Whoever is too often wrong waits; an account that exists and one that does not are told the same. A browser in which the
person has signed in before has a count of its own, so that nobody's guesses elsewhere keep them out of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from api import devices
from api.deps import Services
from core import crypto
from core.errors import Limited, Unauthorized
from core.lockout import Bucket, Tried
from core.principal import Principal, PrincipalKind
from crm.identity.queries import Credentials, find_credentials
from crm.identity.sessions import Sighting
from events.ids import OrganizationId, UserId
from events.outbox import emit
from events.types import SignInLocked

PER_ACCOUNT, PER_DEVICE, PER_ADDRESS, PER_ORGANIZATION = 10, 10, 100, 300


@dataclass(frozen=True)
class Knock:
    """Somebody at the door: as whom, from where, and in which browser."""

    email: str
    seen: Sighting = field(default_factory=Sighting)
    device_cookie: str = ""


async def check_password(services: Services, knock: Knock, password: str) -> Credentials:
    """Raises: Unauthorized when the email or the password is wrong; Limited when that was so too often."""
    found = await find_credentials(services.db, knock.email)
    async with counted(services, knock, found) as is_refused:
        # hashed in any case, so that a refusal takes no less time
        hashed = found.password_hash if found and not is_refused else None
        if not await crypto.verify_password(password, hashed) or found is None:
            raise Unauthorized("The email or the password is wrong.")
    return found


class Somebody(Protocol):
    """An account that is there."""

    @property
    def user_id(self) -> UserId: ...
    @property
    def organization_id(self) -> OrganizationId: ...


@asynccontextmanager
async def counted(services: Services, knock: Knock, found: Somebody | None) -> AsyncIterator[bool]:
    """A try at a password or code, which counts as wrong if the block raises Unauthorized.

    Yields whether it is refused whatever it brings: too much was wrong in the whole organization. To say so would tell
    that the account is there. Raises: Limited.
    """
    buckets = _buckets(services, knock, found)
    tried = await services.lockout.try_once(buckets)
    for one in tried:
        if one.is_too_many and one.bucket.kind != "organization":
            await services.lockout.take_back(buckets)
            minutes = -(-one.wait_seconds // 60)
            raise Limited(
                f"Too many wrong passwords or codes; wait {minutes} min, or use a browser you have signed in with before.",
                retry_after_seconds=one.wait_seconds,
            )
    try:
        yield any(one.is_too_many for one in tried)
    except Unauthorized:
        await _note_lock(services, found, tried)
        raise
    await services.lockout.take_back(buckets)


def _buckets(services: Services, knock: Knock, found: Somebody | None) -> list[Bucket]:
    key = services.settings.secret_key.get_secret_value()
    device = devices.known_as(knock.device_cookie, knock.email, key=key)
    if device is not None:
        return [Bucket("device", device, PER_DEVICE)]
    # as many for an account that is not there, so that counting takes as long
    organization = str(found.organization_id) if found else f"none of {knock.email.lower()}"
    return [
        Bucket("account", knock.email.strip().lower(), PER_ACCOUNT),
        Bucket("address", knock.seen.address, PER_ADDRESS),
        Bucket("organization", organization, PER_ORGANIZATION),
    ]


async def _note_lock(services: Services, found: Somebody | None, tried: list[Tried]) -> None:
    """One event when an account has to wait, with the count in it, and none for every try."""
    locked = next((one for one in tried if one.bucket.kind in ("account", "device") and one.is_last), None)
    if found is None or locked is None:
        return
    person = Principal(PrincipalKind.USER, found.user_id, found.organization_id)
    async with services.db.transaction(person, "sign_in") as tx:
        await emit(tx, SignInLocked(found.user_id), {"failures": (0, locked.count)})
