"""Claims deliveries and due work from Postgres and wakes workers for them."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import psycopg
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import telemetry
from core.crashpoint import reach
from core.db import Database
from core.errors import Unavailable
from core.settings import Settings
from core.settings import load as load_settings
from events import outbox
from events.outbox import Delivery
from worker import cron, health
from worker.queue import Queue
from worker.routes import names_by_event, pieces_per_job, unordered_handlers

log = structlog.get_logger()

BATCH = 200
# A sweep without a notification: finds expired leases and whatever a lost NOTIFY hid.
SWEEP_SECONDS = 1.0


async def relay_once(db: Database, queue: Queue, settings: Settings) -> int:
    """Fan events out, lease what is due and enqueue it; returns how much there was to do."""
    async with db.across_tenants("relay.route") as connection:
        routed = await outbox.route(connection, names_by_event(), BATCH)
    async with db.across_tenants("relay.claim") as connection:
        claimed = await outbox.claim(connection, BATCH, settings.lease_seconds, unordered_handlers())
    if claimed:
        reach("relay.enqueue.before")
        await queue.enqueue(_jobs(claimed))
        reach("relay.enqueue.after")
    return routed + len(claimed)


def _jobs(claimed: list[Delivery]) -> list[list[Delivery]]:
    """Group what was claimed into jobs: short work of one handler shares a job, long work has one of its own."""
    by_handler: dict[str, list[Delivery]] = {}
    for delivery in claimed:
        by_handler.setdefault(delivery.handler, []).append(delivery)
    jobs = []
    for deliveries in by_handler.values():
        size = pieces_per_job(deliveries[0])
        jobs += [deliveries[start : start + size] for start in range(0, len(deliveries), size)]
    return jobs


async def pump(db: Database, channel: str, step: Callable[[], Awaitable[float]]) -> None:
    """Call `step` whenever Postgres notifies `channel`, and after the seconds that the last step returned.

    Servers that go away are only a delay: the loop waits and starts over.
    """
    while True:
        try:
            async with db.listen(channel) as connection:
                while True:
                    wait = await step()
                    if wait > 0:
                        async for _ in connection.notifies(timeout=wait, stop_after=1):
                            pass
        except (psycopg.OperationalError, RedisError, Unavailable, OSError) as err:
            log.warning("relay.interrupted", channel=channel, error=type(err).__name__)
            await asyncio.sleep(0.5)


async def main(settings: Settings | None = None) -> None:
    """Run the relay and the schedule until SIGTERM."""
    settings = settings or load_settings()
    telemetry.set_up(settings, "relay")
    db = await Database(settings.database_url_worker, size=4).open()
    queue = await Queue.connect(settings)
    redis = Redis.from_url(settings.redis_url)
    try:
        async with health.serve(settings, "relay", db, redis):
            await _run_until_signalled(db, queue, settings)
    finally:
        await queue.close()
        await redis.aclose()
        await db.close()


async def _run_until_signalled(db: Database, queue: Queue, settings: Settings) -> None:
    async def relay_step() -> float:
        return 0.0 if await relay_once(db, queue, settings) else SWEEP_SECONDS

    async def schedule_step() -> float:
        return await cron.claim_due(db, queue, settings)

    tasks = [
        asyncio.create_task(pump(db, "event_deliveries", relay_step)),
        asyncio.create_task(pump(db, "due_work", schedule_step)),
    ]
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waiter = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, waiter], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiter):
        task.cancel()
    await asyncio.gather(*tasks, waiter, return_exceptions=True)
    for task in done - {waiter}:
        task.result()  # a loop that ended by itself is a bug: crash loudly
