"""Long-lived channel connections, one lease per account: Bot API polling and the setting of webhooks."""

import asyncio
import signal
from datetime import timedelta
from uuid import UUID

import psycopg
import structlog
from redis.asyncio import Redis

from channels.base import AccountFault, ChannelError, Credentials, Limited
from channels.telegram.client import TelegramClient
from channels.telegram.inbound import Understood, parse
from core import telemetry
from core.db import Database
from core.errors import AppError, Unavailable, Unprocessable
from core.principal import system
from core.settings import Settings
from core.settings import load as load_settings
from crm.channel_accounts import actions as accounts
from crm.channel_accounts import queries as account_queries
from crm.channel_accounts.models import AccountStatus, ChannelAccount, webhook_secret
from crm.conversations.actions import receive_message
from events import due, leases
from events.due import DueWork
from events.ids import ChannelAccountId
from worker import health
from worker.relay import pump

log = structlog.get_logger()

# How often a webhook account is looked at again, in case its address or secret was lost at the provider.
WEBHOOK_CHECK = timedelta(hours=1)


class Listener:
    """Holds one account's connection as long as its lease lasts."""

    def __init__(self, db: Database, settings: Settings, client: TelegramClient, work: DueWork) -> None:
        self._db = db
        self._settings = settings
        self._client = client
        self._work = work
        self._principal = system(work.organization_id)
        self._account_id = ChannelAccountId(work.subject_id)

    async def run(self) -> None:
        """Listen until the lease is lost; give the account back on every kind of fault."""
        renewal = asyncio.create_task(self._keep_lease(asyncio.current_task()))
        delay, reason = timedelta(seconds=1), "stopped"
        try:
            delay, reason = await self._listen()
        except Limited as err:
            delay, reason = timedelta(seconds=err.retry_after_seconds), err.reason
        except (ChannelError, AppError) as err:
            delay, reason = timedelta(seconds=5), str(err)
            fault = isinstance(err, AccountFault | Unprocessable)
            await self._note(AccountStatus.REAUTH_REQUIRED if fault else AccountStatus.ERROR, reason)
            log.warning("listener.interrupted", account_id=str(self._account_id), reason=reason)
        finally:
            renewal.cancel()
            async with self._db.transaction(self._principal, "listen.release") as tx:
                await leases.postpone(tx, self._work.lease, delay, reason, counts=False)

    async def _listen(self) -> tuple[timedelta, str]:
        async with self._db.transaction(self._principal, "listen.begin") as tx:
            if not await leases.begin(tx, self._work.lease, self._settings.lease_seconds):
                return timedelta(seconds=1), "held elsewhere"
            account = await account_queries.get_channel_account(tx, self._account_id)
            key = self._settings.secret_key.get_secret_value()
            credentials = Credentials(account.id, await account_queries.open_secret(tx, account.id, key))
        if account.delivery == "webhook" and self._settings.public_url:
            return await self._set_webhook(account, credentials)
        await self._client.delete_webhook(credentials)
        await self._note(AccountStatus.CONNECTED)
        cursor = account.cursor
        while True:
            updates = await self._client.get_updates(
                credentials, offset=cursor + 1, timeout_seconds=self._settings.telegram_poll_seconds
            )
            for update in updates:
                cursor = max(cursor, await self._take(account, update))

    async def _take(self, account: ChannelAccount, update: dict[str, object]) -> int:
        """Store one update and the cursor in one transaction; what is refused is logged by name and passed over."""
        raw_id = update.get("update_id")
        update_id = raw_id if isinstance(raw_id, int) else 0
        try:
            inbound = parse(update, file_limit_bytes=self._settings.telegram_file_limit_bytes)
            async with self._db.transaction(self._principal, "listen.receive") as tx:
                if not isinstance(inbound, Understood):
                    await receive_message(tx, account, inbound)
                await accounts.advance_cursor(tx, account.id, update_id)
        except Unprocessable as err:
            log.warning("update.refused", account_id=str(account.id), update_id=update_id, reason=err.detail)
            async with self._db.transaction(self._principal, "listen.refuse") as tx:
                await accounts.advance_cursor(tx, account.id, update_id)
        return update_id

    async def _set_webhook(self, account: ChannelAccount, credentials: Credentials) -> tuple[timedelta, str]:
        secret = webhook_secret(self._settings.secret_key.get_secret_value(), account.id)
        url = f"{self._settings.public_url.rstrip('/')}/webhooks/telegram/{account.id}"
        await self._client.set_webhook(credentials, url, secret)
        await self._note(AccountStatus.CONNECTED)
        return WEBHOOK_CHECK, "webhook is set"

    async def _note(self, status: AccountStatus, reason: str = "") -> None:
        async with self._db.transaction(self._principal, "listen.note") as tx:
            await accounts.record_status(tx, self._account_id, status, reason)

    async def _keep_lease(self, listening: asyncio.Task[None] | None) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            async with self._db.transaction(self._principal, "listen.renew") as tx:
                held = await leases.renew(tx, self._work.lease, self._settings.lease_seconds)
            if not held and listening is not None:
                listening.cancel()
                return


class Switchboard:
    """All listeners of this process."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._client = TelegramClient(settings)
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def claim(self) -> float:
        """Take up accounts that nobody holds; returns the seconds until the next look."""
        async with self._db.across_tenants("listen.claim") as connection:
            claimed = await due.claim(connection, [accounts.LISTEN], 50, self._settings.lease_seconds)
        for work in claimed:
            listener = Listener(self._db, self._settings, self._client, work)
            self._tasks[work.id] = asyncio.create_task(listener.run())
        for id, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[id]
                _report(task)
        return 1.0

    async def close(self) -> None:
        """Stop listening and give the accounts back."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._client.close()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("listener.crashed", error=f"{type(error).__name__}: {error}")


async def main(settings: Settings | None = None) -> None:
    """Run the listeners until SIGTERM."""
    settings = settings or load_settings()
    telemetry.set_up(settings, "listen")
    db = await Database(settings.database_url_worker, size=4).open()
    redis = Redis.from_url(settings.redis_url)
    switchboard = Switchboard(db, settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with health.serve(settings, "listen", db, redis):
            claiming = asyncio.create_task(pump(db, "due_work", switchboard.claim))
            await stop.wait()
            claiming.cancel()
            await switchboard.close()
    finally:
        await redis.aclose()
        try:
            await db.close()
        except psycopg.Error as err:
            raise Unavailable("PostgreSQL went away while the listeners stopped.") from err
