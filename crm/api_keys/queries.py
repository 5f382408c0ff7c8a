"""Reading API keys; the lookups that run before a tenant is known."""

from collections.abc import Collection
from uuid import UUID

from core import crypto
from core.db import Database, Tx
from crm.api_keys.models import ApiKey, Credential, KeyHolder
from crm.identity.models import Role, member_principal
from events.ids import ApiKeyId, OrganizationId, UserId


async def list_api_keys(tx: Tx, user_id: UserId) -> list[ApiKey]:
    """Every key that a member ever had, the newest first."""
    return await tx.all(
        ApiKey,
        """
        SELECT id, user_id, name, prefix, created_at, last_used_at, revoked_at
          FROM api_keys
         WHERE user_id = %(user_id)s
         ORDER BY created_at DESC, id DESC
        """,
        user_id=user_id,
    )


async def find_key_holder(db: Database, secret: str) -> KeyHolder | None:
    """The member behind a key, or None when the key is unknown or revoked."""
    async with db.across_tenants("find_key_holder") as connection:
        cursor = await connection.execute(
            """
            SELECT key_id, user_id, organization_id, role, last_used_at
              FROM api_key_account(%(key_hash)s)
            """,
            {"key_hash": crypto.hash_token(secret)},
        )
        row = await cursor.fetchone()
    return KeyHolder(**{**row, "role": Role(row["role"])}) if row else None


async def list_credentials_in_force(db: Database, ids: Collection[UUID]) -> list[Credential]:
    """Which of these sessions and keys still let somebody in, and whom."""
    async with db.across_tenants("credentials_in_force") as connection:
        cursor = await connection.execute(
            """
            SELECT credential_id, user_id, organization_id, role
              FROM credentials_in_force(%(ids)s)
            """,
            {"ids": list(ids)},
        )
        rows = await cursor.fetchall()
    return [
        Credential(
            row["credential_id"], member_principal(row["user_id"], row["organization_id"], Role(row["role"]))
        )
        for row in rows
    ]


async def find_organization_of_key(db: Database, key_id: ApiKeyId) -> OrganizationId | None:
    """The organization that a key belongs to, or None."""
    async with db.across_tenants("find_organization_of_key") as connection:
        cursor = await connection.execute("SELECT organization_of_api_key(%(id)s) AS id", {"id": key_id})
        row = await cursor.fetchone()
    return OrganizationId(row["id"]) if row and row["id"] else None
