"""Connecting channel accounts and keeping their state."""

from datetime import datetime

from core import clock, envelopes
from core.db import Tx
from core.envelopes import Keyring
from core.ids import uuid7
from crm.channel_accounts.models import AccountStatus, place_of
from events import due
from events.ids import ChannelAccountId
from events.outbox import emit
from events.types import ChannelAccountConnected, ChannelAccountDisconnected, ChannelAccountRestricted

LISTEN = "channel.listen"


async def connect_telegram_bot(
    tx: Tx, *, name: str, address: str, token: str, keys: Keyring, delivery: str
) -> ChannelAccountId:
    """Store a bot; with delivery `polling` a listener takes it up, with `webhook` Telegram calls us."""
    tx.principal.require("channel_accounts:manage")
    account_id = ChannelAccountId(uuid7())
    await tx.execute(
        """
        INSERT INTO channel_accounts (organization_id, id, channel, name, address, delivery, status, secret)
        VALUES (%(organization_id)s, %(id)s, 'telegram', %(name)s, %(address)s, %(delivery)s, 'connecting', %(secret)s)
        """,
        organization_id=tx.organization_id,
        id=account_id,
        name=name,
        address=address,
        delivery=delivery,
        secret=envelopes.seal(keys, token, place_of(tx, account_id)),
    )
    # Polling and setting the webhook are both the listener's work: one lease per account.
    await due.schedule(tx, LISTEN, account_id, clock.now())
    await emit(tx, ChannelAccountConnected(account_id))
    return account_id


async def keep_imported_account(tx: Tx, *, channel: str, name: str, address: str) -> ChannelAccountId:
    """The account that imported talks belong to, made once for each address; it only keeps what was said."""
    tx.principal.require("channel_accounts:manage")
    known = await tx.value(
        """
        SELECT id
          FROM channel_accounts
         WHERE channel = %(channel)s
           AND address = %(address)s
           AND delivery = 'import'
        """,
        channel=channel,
        address=address,
    )
    if known is not None:
        return ChannelAccountId(known)
    account_id = ChannelAccountId(uuid7())
    await tx.execute(
        """
        INSERT INTO channel_accounts (organization_id, id, channel, name, address, delivery, status)
        VALUES (%(organization_id)s, %(id)s, %(channel)s, %(name)s, %(address)s, 'import', 'disconnected')
        """,
        organization_id=tx.organization_id,
        id=account_id,
        channel=channel,
        name=name,
        address=address,
    )
    await emit(tx, ChannelAccountDisconnected(account_id))
    return account_id


async def replace_secret(tx: Tx, account_id: ChannelAccountId, *, token: str, keys: Keyring) -> None:
    """Seal a new bot token for an account and let the listener start over with it."""
    tx.principal.require("channel_accounts:manage")
    await tx.execute(
        "UPDATE channel_accounts SET secret = %(secret)s, status = 'connecting' WHERE id = %(account_id)s",
        secret=envelopes.seal(keys, token, place_of(tx, account_id)),
        account_id=account_id,
    )
    await due.schedule(tx, LISTEN, account_id, clock.now())


async def record_status(
    tx: Tx, account_id: ChannelAccountId, status: AccountStatus, reason: str = ""
) -> None:
    """Note what the channel says about the account; announces changes only."""
    changed = await tx.execute(
        """
        UPDATE channel_accounts
           SET status = %(status)s, status_reason = %(reason)s
         WHERE id = %(account_id)s
           AND (status, status_reason) IS DISTINCT FROM (%(status)s, %(reason)s)
        """,
        account_id=account_id,
        status=status,
        reason=reason,
    )
    if not changed:
        return
    if status is AccountStatus.CONNECTED:
        await emit(tx, ChannelAccountConnected(account_id))
    elif status in (AccountStatus.FLOOD_WAIT, AccountStatus.SPAM_RESTRICTED):
        await emit(tx, ChannelAccountRestricted(account_id))
    else:
        await emit(tx, ChannelAccountDisconnected(account_id))


async def block_until(tx: Tx, account_id: ChannelAccountId, until: datetime) -> None:
    """The channel told this account to wait; nothing is sent over it before `until`."""
    await tx.execute(
        """
        UPDATE channel_accounts
           SET blocked_until = greatest(blocked_until, %(until)s)
         WHERE id = %(account_id)s
        """,
        account_id=account_id,
        until=until,
    )


async def advance_cursor(tx: Tx, account_id: ChannelAccountId, cursor: int) -> None:
    """Remember how far the channel's inbound stream was read."""
    await tx.execute(
        "UPDATE channel_accounts SET cursor = greatest(cursor, %(cursor)s) WHERE id = %(account_id)s",
        account_id=account_id,
        cursor=cursor,
    )
