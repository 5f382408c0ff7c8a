"""Making, using and revoking API keys."""

from dataclasses import dataclass

from core import clock, crypto
from core.db import Tx
from core.errors import NotFound
from core.ids import uuid7
from crm.api_keys.models import USE_NOTED_EVERY, ApiKey
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


async def create_api_key(tx: Tx, user_id: UserId, *, name: str = "") -> NewApiKey:
    """Make a key that acts as a member; only the secret's hash and its first letters are kept."""
    secret = _MARK + crypto.new_token()
    key = await tx.one(
        ApiKey,
        """
        INSERT INTO api_keys (organization_id, id, user_id, name, prefix, key_hash)
        VALUES (%(organization_id)s, %(id)s, %(user_id)s, %(name)s, %(prefix)s, %(key_hash)s)
        RETURNING id, user_id, name, prefix, created_at, last_used_at, revoked_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        user_id=user_id,
        name=name,
        prefix=secret[: len(_MARK) + _SHOWN],
        key_hash=crypto.hash_token(secret),
    )
    await emit(tx, ApiKeyCreated(key.id))
    return NewApiKey(key, secret)


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


async def revoke_api_key(tx: Tx, key_id: ApiKeyId) -> None:
    """Shut a key off at once; a second call changes nothing. Raises: NotFound."""
    if await tx.value("SELECT id FROM api_keys WHERE id = %(key_id)s", key_id=key_id) is None:
        raise NotFound(f"There is no API key {key_id} in this organization.")
    revoked = await tx.execute(
        "UPDATE api_keys SET revoked_at = %(now)s WHERE id = %(key_id)s AND revoked_at IS NULL",
        now=clock.now(),
        key_id=key_id,
    )
    if revoked:
        await emit(tx, ApiKeyRevoked(key_id))
