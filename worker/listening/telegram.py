"""Listening to a bot: Bot API polling, or seeing to it that its webhook is set."""

from datetime import timedelta

import structlog

from channels.telegram.client import TelegramClient
from channels.telegram.inbound import Understood, parse
from core.errors import Unprocessable
from crm.channel_accounts import actions as accounts
from crm.channel_accounts.models import AccountStatus, webhook_secret
from crm.conversations.actions import receive_message
from worker.listening.line import Line, Rest

log = structlog.get_logger()

# How often a webhook account is looked at again, in case its address or secret was lost at the provider.
WEBHOOK_CHECK = timedelta(hours=1)


async def listen(line: Line, client: TelegramClient) -> Rest:
    """Take updates in as long as the lease lasts; a webhook is set and left alone for a while."""
    if line.account.delivery == "webhook" and line.settings.public_url:
        return await _set_webhook(line, client)
    await client.delete_webhook(line.credentials)
    await line.note(AccountStatus.CONNECTED)
    cursor = line.account.cursor
    while True:
        updates = await client.get_updates(
            line.credentials, offset=cursor + 1, timeout_seconds=line.settings.telegram_poll_seconds
        )
        for update in updates:
            cursor = max(cursor, await _take(line, update))


async def _take(line: Line, update: dict[str, object]) -> int:
    """Store one update and the cursor in one transaction; what is refused is logged by name and passed over."""
    raw_id = update.get("update_id")
    update_id = raw_id if isinstance(raw_id, int) else 0
    try:
        inbound = parse(update, file_limit_bytes=line.settings.telegram_file_limit_bytes)
        async with line.transaction("listen.receive") as tx:
            if not isinstance(inbound, Understood):
                await receive_message(tx, line.account, inbound)
            await accounts.advance_cursor(tx, line.account.id, update_id)
    except Unprocessable as err:
        log.warning("update.refused", account_id=str(line.account.id), update_id=update_id, reason=err.detail)
        async with line.transaction("listen.refuse") as tx:
            await accounts.advance_cursor(tx, line.account.id, update_id)
    return update_id


async def _set_webhook(line: Line, client: TelegramClient) -> Rest:
    secret = webhook_secret(line.settings.secret_key.get_secret_value(), line.account.id)
    url = f"{line.settings.public_url.rstrip('/')}/webhooks/telegram/{line.account.id}"
    await client.set_webhook(line.credentials, url, secret)
    await line.note(AccountStatus.CONNECTED)
    return Rest(WEBHOOK_CHECK, "webhook is set")
