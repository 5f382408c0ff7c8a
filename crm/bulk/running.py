"""Works on a bulk edit to its end, chunk by chunk; each chunk is one short transaction of the caller's."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from core.db import Tx
from core.errors import NotFound
from crm.bulk.steps import take_chunk
from events.ids import BulkEditId


async def work(
    transaction: Callable[[str], AbstractAsyncContextManager[Tx]],
    guard: Callable[[Tx], Awaitable[None]],
    edit_id: BulkEditId,
    *,
    seconds: float,
) -> bool:
    """Try, run or undo: whatever the edit waits for; True when time is up and something is left.

    `guard` ends each transaction and raises when somebody else has taken the work over. It comes last because it holds
    the row of the lease, which is renewed beside us for as long as a chunk takes. What is committed is not done again,
    however often this is killed and called again.
    """
    ends_at = time.monotonic() + seconds
    try:
        while time.monotonic() < ends_at:
            async with transaction("chunk") as tx:
                goes_on = await take_chunk(tx, edit_id)
                await guard(tx)
            if not goes_on:
                return False
    except NotFound:
        return False
    return True
