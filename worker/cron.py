"""Claims due work and hands it to the queue; the system's schedules are rows, not timers."""

from collections.abc import Sequence

from core.db import Database
from core.settings import Settings
from events import due
from worker.queue import Queue
from worker.routes import DUE

BATCH = 200
# Even with nothing due, look again this often: a NOTIFY may be lost with its connection.
LONGEST_SLEEP_SECONDS = 5.0


async def claim_due(
    db: Database, queue: Queue, settings: Settings, kinds: Sequence[str] = tuple(DUE)
) -> float:
    """Lease what is due and enqueue it; returns the seconds until the next look."""
    async with db.across_tenants("cron.claim") as connection:
        claimed = await due.claim(connection, list(kinds), BATCH, settings.lease_seconds)
        seconds = None if claimed else await due.seconds_to_next(connection, list(kinds))
    if claimed:
        await queue.enqueue([[work] for work in claimed])
        return 0.0
    if seconds is None:
        return LONGEST_SLEEP_SECONDS
    return min(LONGEST_SLEEP_SECONDS, max(0.02, seconds))
