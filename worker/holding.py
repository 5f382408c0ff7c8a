"""Holding a lease while its work goes on, through the moments in which the database is away."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import psycopg
import structlog

from core.db import Tx
from core.errors import AppError
from events import leases
from events.leases import Lease

log = structlog.get_logger()


async def hold(
    lease: Lease, transaction: Callable[[], AbstractAsyncContextManager[Tx]], seconds: float
) -> None:
    """Renew the lease for as long as that can be done; whoever works under it must stop when this returns.

    It returns when somebody else has the row, and when the lease has run out because the database stayed away.
    """
    ends = time.monotonic() + seconds
    pause = seconds / 3
    while True:
        await asyncio.sleep(max(0.0, min(pause, ends - time.monotonic())))
        asked = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, ends - asked)), transaction() as tx:
                is_held = await leases.renew(tx, lease, seconds)
        except (AppError, psycopg.Error, OSError) as err:  # a TimeoutError is an OSError
            log.warning("lease.not_renewed", id=str(lease.id), error=type(err).__name__)
            if time.monotonic() >= ends:
                return
            pause = seconds / 12
            continue
        if not is_held:
            return
        ends, pause = asked + seconds, seconds / 3
