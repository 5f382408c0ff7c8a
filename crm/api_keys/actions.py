"""Making, using and revoking API keys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from core import clock, crypto
from core.db import Tx
from core.errors import NotFound, Unprocessable
from core.ids import uuid7
from crm.api_keys.models import USE_NOTED_EVERY, ApiKey
from crm.api_keys.queries import get_api_key
from crm.identity.models import ALL_SCOPES, SCOPES, Role
from events.ids import ApiKeyId, UserId
from events.outbox import emit
from events.types import ApiKeyCreated, ApiKeyRevoked

_MARK = "gsk_"
_SHOWN = 8


@dataclass(frozen=True)
class NewApiKey:
    """A key at the only moment when its secret is known."""

    key: ApiKey
    secret: str


async def create_api_key(
    tx: Tx,
    user_id: UserId,
    *,
    name: str = "",
    scopes: Collection[str] | None = None,
    expires_at: datetime | None = None,
) -> NewApiKey:
    """Make a key that acts as a member; only the secret's hash and its first letters are kept.

    `scopes` is what it may do at most; None is whatever the member may, now and later.

    Raises: Forbidden for a scope that the maker does not hold; NotFound when the person is no member; Unprocessable.
    """
    tx.principal.require("api_keys:write")
    _check(scopes, expires_at)
    role = await tx.value("SELECT role FROM members WHERE user_id = %(user_id)s", user_id=user_id)
    if role is None:
        raise NotFound("There is no such member in this organization.")
    for scope in sorted(SCOPES[Role(role)] if scopes is None else scopes):
        tx.principal.require(scope)
    secret = _MARK + crypto.new_token()
    key = await tx.one(
        ApiKey,
        """
        INSERT INTO api_keys (organization_id, id, user_id, name, prefix, key_hash, scopes, expires_at)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(name)s, %(prefix)s, %(key_hash)s, %(scopes)s,
                %(expires_at)s)
        RETURNING id, user_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=user_id,
        name=name,
        prefix=secret[: len(_MARK) + _SHOWN],
        key_hash=crypto.hash_token(secret),
        scopes=None if scopes is None else sorted(set(scopes)),
        expires_at=expires_at,
    )
    await emit(tx, ApiKeyCreated(key.id))
    return NewApiKey(key, secret)


def _check(scopes: Collection[str] | None, expires_at: datetime | None) -> None:
    """Raises: Unprocessable, naming what cannot be."""
    if scopes is not None and not scopes:
        raise Unprocessable("Choose at least one scope; a key without any could do nothing.", field="scopes")
    for scope in sorted(scopes or ()):
        if scope not in ALL_SCOPES:
            raise Unprocessable(
                f"{scope!r} is no scope; there are {', '.join(sorted(ALL_SCOPES))}.", field="scopes"
            )
    if expires_at is not None and expires_at <= clock.now():
        raise Unprocessable("The key would be out of date already; choose a later time.", field="expires_at")


async def note_use(tx: Tx, key_id: ApiKeyId) -> None:
    """Remember that a key is in use; of many calls at once only the first writes."""
    await tx.execute(
        """
        UPDATE api_keys
           SET last_used_at = %(now)s
         WHERE id = %(key_id)s
           AND (last_used_at IS NULL OR last_used_at < %(noted_before)s)
        """,
        now=clock.now(),
        noted_before=clock.now() - USE_NOTED_EVERY,
        key_id=key_id,
    )


async def revoke_api_key(tx: Tx, key_id: ApiKeyId) -> ApiKey:
    """Shut a key off at once; a second call changes nothing.

    Raises: NotFound, also for a key of somebody else's that the principal does not manage; Forbidden.
    """
    tx.principal.require("api_keys:write")
    await get_api_key(tx, key_id)
    revoked = await tx.execute(
        "UPDATE api_keys SET revoked_at = %(now)s WHERE id = %(key_id)s AND revoked_at IS NULL",
        now=clock.now(),
        key_id=key_id,
    )
    if revoked:
        await emit(tx, ApiKeyRevoked(key_id))
    return await get_api_key(tx, key_id)
