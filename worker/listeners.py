"""Long-lived channel connections, one lease per account; worker/listening/ says how each channel is listened to."""

import asyncio
import signal
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg
import structlog
from redis.asyncio import Redis

from channels.base import AccountFault, ChannelError, Credentials, Limited
from channels.telegram.client import TelegramClient
from core import telemetry
from core.blobs import Blobs
from core.db import Database
from core.errors import AppError, Unavailable, Unprocessable
from core.principal import system
from core.settings import Settings
from core.settings import load as load_settings
from crm.channel_accounts import actions as accounts
from crm.channel_accounts import mailboxes
from crm.channel_accounts import queries as account_queries
from crm.channel_accounts.models import AccountStatus
from events import due, leases
from events.due import DueWork
from events.ids import ChannelAccountId
from worker import health
from worker.holding import hold
from worker.listening import email, telegram
from worker.listening.line import Line, Rest
from worker.relay import pump

log = structlog.get_logger()

_LONGEST_BACKOFF_SECONDS = 300.0
# A connection that lasted this long was good: the next failure is a first one.
_STEADY_SECONDS = 60.0


@dataclass(frozen=True)
class Means:
    """What all listeners of a process share; `failures` counts those of each account since it last worked."""

    db: Database
    settings: Settings
    blobs: Blobs
    telegram: TelegramClient
    failures: dict[UUID, int]


class Listener:
    """Holds one account's connection as long as its lease lasts."""

    def __init__(self, means: Means, work: DueWork) -> None:
        self._means = means
        self._db = means.db
        self._settings = means.settings
        self._work = work
        self._principal = system(work.organization_id)
        self._account_id = ChannelAccountId(work.subject_id)
        self._started = time.monotonic()

    async def run(self) -> None:
        """Listen until the lease is lost; give the account back on every kind of fault."""
        renewal = asyncio.create_task(self._keep_lease(asyncio.current_task()))
        rest = Rest(timedelta(seconds=1), "stopped")
        try:
            rest = await self._listen()
        except Limited as err:
            rest = Rest(timedelta(seconds=err.retry_after_seconds), err.reason)
        except (ChannelError, AppError) as err:
            rest = Rest(self._backoff(), str(err))
            fault = isinstance(err, AccountFault | Unprocessable)
            await self._note(AccountStatus.REAUTH_REQUIRED if fault else AccountStatus.ERROR, rest.reason)
            log.warning("listener.interrupted", account_id=str(self._account_id), reason=rest.reason)
        except (
            Exception
        ) as err:  # the listening loop: a bug at one account is shown there and tried ever less often
            rest = Rest(self._backoff(), f"Stopped by {type(err).__name__}; the log says where")
            log.exception("listener.stumbled", account_id=str(self._account_id))
            await self._note(AccountStatus.ERROR, rest.reason)
        finally:
            renewal.cancel()
            async with self._db.transaction(self._principal, "listen.release") as tx:
                await leases.postpone(tx, self._work.lease, rest.delay, rest.reason, counts=False)

    async def _listen(self) -> Rest:
        async with self._db.transaction(self._principal, "listen.begin") as tx:
            if not await leases.begin(tx, self._work.lease, self._settings.lease_seconds):
                return Rest(timedelta(seconds=1), "held elsewhere")
            account = await account_queries.get_channel_account(tx, self._account_id)
            secret = await account_queries.open_secret(tx, account.id, self._settings.keyring)
            credentials = Credentials(account.id, secret, await mailboxes.find_mailbox(tx, account.id))
        line = Line(self._db, self._settings, self._means.blobs, self._principal, account, credentials)
        if account.channel == "email":
            return await email.listen(line)
        return await telegram.listen(line, self._means.telegram)

    def _backoff(self) -> timedelta:
        """One second after a first failure, then twice as long each time, up to five minutes."""
        failures = self._means.failures
        if time.monotonic() - self._started > _STEADY_SECONDS:
            failures[self._account_id] = 0
        failures[self._account_id] += 1
        return timedelta(seconds=min(_LONGEST_BACKOFF_SECONDS, 2.0 ** (failures[self._account_id] - 1)))

    async def _note(self, status: AccountStatus, reason: str = "") -> None:
        async with self._db.transaction(self._principal, "listen.note") as tx:
            await accounts.record_status(tx, self._account_id, status, reason)

    async def _keep_lease(self, listening: asyncio.Task[None] | None) -> None:
        await hold(
            self._work.lease,
            lambda: self._db.transaction(self._principal, "listen.renew"),
            self._settings.lease_seconds,
        )
        if listening is not None:
            listening.cancel()


class Switchboard:
    """All listeners of this process."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._means = Means(db, settings, Blobs(settings.data), TelegramClient(settings), defaultdict(int))
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """One for each account that is listened to."""
        return list(self._tasks.values())

    async def claim(self) -> float:
        """Take up accounts that nobody holds; returns the seconds until the next look."""
        async with self._db.across_tenants("listen.claim") as connection:
            claimed = await due.claim(connection, [accounts.LISTEN], 50, self._settings.lease_seconds)
        for id, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[id]
                _report(task)
        for work in claimed:
            self._tasks[work.id] = asyncio.create_task(self._take_up(work, self._tasks.get(work.id)))
        return 1.0

    async def _take_up(self, work: DueWork, stale: asyncio.Task[None] | None) -> None:
        """Listen to an account, once a listener of ours that has lost its lease has stopped."""
        if stale is not None:
            stale.cancel()
            await asyncio.wait([stale])
        await Listener(self._means, work).run()

    async def close(self) -> None:
        """Stop listening and give the accounts back."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._means.telegram.close()


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
