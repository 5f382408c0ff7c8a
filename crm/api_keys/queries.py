"""Reading API keys; the lookups that run before a tenant is known."""

from collections.abc import Collection
from uuid import UUID

from core import crypto
from core.db import Database, Tx
from core.errors import NotFound
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.api_keys.models import ApiKey, Credential, KeyHolder
from crm.identity.models import Role, member_principal
from events.ids import ApiKeyId, OrganizationId, UserId


async def list_api_keys(tx: Tx, user_id: UserId) -> list[ApiKey]:
    """Every key that a member ever had, the newest first."""
    return await tx.all(
        ApiKey,
        """
        SELECT id, user_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
          FROM api_keys
         WHERE user_id = %(user_id)s
         ORDER BY created_at DESC, id DESC
        """,
        user_id=user_id,
    )


async def list_api_key_page(
    tx: Tx, *, cursor: str | None = None, limit: int = 25, is_in_force: bool = False
) -> Page[ApiKey]:
    """The keys that the principal may see, the newest first: its own, or everybody's for who manages them."""
    size = page_size(limit)
    keys = await tx.all(
        ApiKey,
        """
        SELECT id, user_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
          FROM api_keys
         WHERE (user_id = %(user_id)s OR %(sees_all)s)
           AND (NOT %(is_in_force)s OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())))
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        user_id=tx.principal.id,
        sees_all=tx.principal.may("api_keys:manage"),
        is_in_force=is_in_force,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(keys, size, after=lambda key: encode_cursor(key.id))


async def get_api_key(tx: Tx, key_id: ApiKeyId) -> ApiKey:
    """Raises: NotFound, also for a key of somebody else's that the principal may not see."""
    key = await tx.find(
        ApiKey,
        """
        SELECT id, user_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
          FROM api_keys
         WHERE id = %(key_id)s
           AND (user_id = %(user_id)s OR %(sees_all)s)
        """,
        key_id=key_id,
        user_id=tx.principal.id,
        sees_all=tx.principal.may("api_keys:manage"),
    )
    if key is None:
        raise NotFound("No such API key in this organization.")
    return key


async def find_key_holder(db: Database, secret: str) -> KeyHolder | None:
    """The member behind a key, or None when the key is unknown, revoked or out of date."""
    rows = await db.look_up(
        """
        SELECT key_id, user_id, organization_id, role, scopes, last_used_at
          FROM api_key_account(%(key_hash)s)
        """,
        key_hash=crypto.hash_token(secret),
    )
    return KeyHolder(**{**rows[0], "role": Role(rows[0]["role"])}) if rows else None


async def list_credentials_in_force(db: Database, ids: Collection[UUID]) -> list[Credential]:
    """Which of these sessions and keys still let somebody in, and whom."""
    rows = await db.look_up(
        """
        SELECT credential_id, user_id, organization_id, role, scopes
          FROM credentials_in_force(%(ids)s)
        """,
        ids=list(ids),
    )
    return [
        Credential(
            row["credential_id"],
            member_principal(row["user_id"], row["organization_id"], Role(row["role"]), within=row["scopes"]),
        )
        for row in rows
    ]


async def find_organization_of_key(db: Database, key_id: ApiKeyId) -> OrganizationId | None:
    """The organization that a key belongs to, or None."""
    rows = await db.look_up("SELECT organization_of_api_key(%(id)s) AS id", id=key_id)
    return OrganizationId(rows[0]["id"]) if rows[0]["id"] else None
