"""Reading channel accounts and opening their secrets."""

from uuid import UUID

from core import envelopes
from core.db import Database, Tx
from core.envelopes import Keyring
from core.errors import NotFound, Unprocessable
from crm.channel_accounts.models import ChannelAccount, place_of
from events.ids import ChannelAccountId, OrganizationId


async def get_channel_account(tx: Tx, account_id: ChannelAccountId) -> ChannelAccount:
    """Raises: NotFound."""
    return await tx.one(
        ChannelAccount,
        """
        SELECT id, organization_id, channel, name, address, delivery, status, status_reason, blocked_until, cursor,
               created_at
          FROM channel_accounts
         WHERE id = %(account_id)s
        """,
        account_id=account_id,
    )


async def find_channel_account(tx: Tx, channel: str, wanted: str | None) -> ChannelAccount:
    """The account of a channel by name, address or id; without any, the channel's first account.

    Raises: NotFound.
    """
    found = await tx.find(
        ChannelAccount,
        """
        SELECT id, organization_id, channel, name, address, delivery, status, status_reason, blocked_until, cursor,
               created_at
          FROM channel_accounts
         WHERE channel = %(channel)s
           AND (%(wanted)s::text IS NULL OR %(wanted)s IN (name, address, id::text))
         ORDER BY created_at, id
         LIMIT 1
        """,
        channel=channel,
        wanted=wanted,
    )
    if found is None:
        raise NotFound(f"There is no {channel} account {wanted or ''} here; connect one first.")
    return found


async def list_channel_accounts(tx: Tx) -> list[ChannelAccount]:
    return await tx.all(
        ChannelAccount,
        """
        SELECT id, organization_id, channel, name, address, delivery, status, status_reason, blocked_until, cursor,
               created_at
          FROM channel_accounts
         ORDER BY created_at, id
        """,
    )


async def open_secret(tx: Tx, account_id: ChannelAccountId, keys: Keyring) -> str:
    """The account's secret in the clear. Raises: NotFound, Unprocessable when there is none or the key is wrong."""
    sealed = await tx.value(
        "SELECT secret FROM channel_accounts WHERE id = %(account_id)s", account_id=account_id
    )
    if sealed is None:
        raise Unprocessable(f"The channel account {account_id} has no secret; connect it again.")
    return envelopes.unseal(keys, bytes(sealed), place_of(tx, account_id))


async def find_organization_of(db: Database, account_id: UUID) -> OrganizationId | None:
    """The tenant of a webhook address, before any tenant is known."""
    rows = await db.look_up("SELECT organization_of_account(%(id)s) AS id", id=account_id)
    return OrganizationId(rows[0]["id"]) if rows[0]["id"] else None
