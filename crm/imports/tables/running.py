"""Works on an import of a table to its end, chunk by chunk; each chunk is one short transaction of the caller's."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from pathlib import Path

from core.db import Tx
from core.errors import Conflict, NotFound
from core.tables import reader
from core.tables.models import Row, Unreadable
from crm.imports.models import ImportStatus
from crm.imports.tables import steps, undo
from crm.imports.tables.actions import begin_anew
from crm.imports.tables.models import Prepared
from crm.imports.tables.prepare import Preparer
from crm.imports.tables.steps import Task
from events.ids import ImportId

CHUNK = 1000
_TRIES = 3
# After these many chunks a table has grown enough for the planner to look at it anew.
_GROWN = {4**power for power in range(10)}


@dataclass(frozen=True)
class Desk:
    """How an import is worked on: where its transactions and its file come from.

    `guard` ends each transaction that writes and raises when somebody else has taken the work over. It comes last
    because it holds the row of the lease, which is renewed beside us for as long as a chunk takes.
    """

    transaction: Callable[[str], AbstractAsyncContextManager[Tx]]
    guard: Callable[[Tx], Awaitable[None]]
    find_file: Callable[[str], Path]
    erased_key: bytes


async def work(desk: Desk, import_id: ImportId, *, seconds: float) -> bool:
    """Check, run or undo: whatever the import waits for; True when time is up and something is left.

    What is committed is not done again, however often this is killed and called again.
    """
    task = await _begin(desk, import_id)
    match task.current.status if task else None:
        case ImportStatus.CHECKING | ImportStatus.RUNNING if task:
            return await _take_rows(desk, task, seconds)
        case ImportStatus.UNDOING:
            return await _take_back(desk, import_id, seconds)
        case _:
            return False


async def _begin(desk: Desk, import_id: ImportId) -> Task | None:
    """What there is to do. A check that was interrupted begins anew: what it saw was in memory only."""
    try:
        async with desk.transaction("load") as tx:
            task = await steps.load(tx, import_id)
            if task.current.status is ImportStatus.CHECKING and task.current.position:
                await begin_anew(tx, import_id, ImportStatus.CHECKING)
                task = await steps.load(tx, import_id)
    except NotFound:
        return None
    return task


@dataclass
class _Turn:
    """The rows of one turn at an import."""

    desk: Desk
    task: Task
    preparer: Preparer
    position: int
    ends_at: float
    seen: set[int] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at and self.task.current.status is ImportStatus.RUNNING


async def _take_rows(desk: Desk, task: Task, seconds: float) -> bool:
    current = task.current
    turn = _Turn(desk, task, Preparer(task.reading), current.position, time.monotonic() + seconds)
    try:
        path = desk.find_file(current.blob_key or "")
        chunks = reader.rows(path, current.layout, chunk=CHUNK, skip=current.position)
        async with aclosing(_prepared(chunks, turn.preparer)) as ahead:
            async for rows, prepared in ahead:
                if not await _take_chunk(turn, rows, prepared):
                    return False
                await _tell_planner(turn)
                if turn.is_over:
                    return True
    except (Unreadable, NotFound) as err:
        async with desk.transaction("unreadable") as tx:
            await steps.fail(tx, current.id, err if isinstance(err, Unreadable) else None)
            await desk.guard(tx)
        return False
    async with desk.transaction("finish") as tx:
        await steps.finish(tx, current.id)
        await desk.guard(tx)
    return False


async def _prepared(
    chunks: AsyncIterator[list[Row]], preparer: Preparer
) -> AsyncGenerator[tuple[list[Row], list[Prepared]]]:
    """Chunk after chunk with what its rows mean; the next one is read while the caller writes this one."""

    async def read() -> tuple[list[Row], list[Prepared]] | None:
        rows = await anext(chunks, None)
        return None if rows is None else (rows, await asyncio.to_thread(_prepare, preparer, rows))

    reading = asyncio.create_task(read())
    try:
        while (chunk := await reading) is not None:
            reading = asyncio.create_task(read())
            yield chunk
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def _tell_planner(turn: _Turn) -> None:
    if turn.task.current.status is ImportStatus.RUNNING and turn.position // CHUNK in _GROWN:
        async with turn.desk.transaction("statistics") as tx:
            await steps.refresh_statistics(tx)


async def _take_chunk(turn: _Turn, rows: Sequence[Row], prepared: list[Prepared]) -> bool:
    """Commit a chunk; False when the import was stopped. One that meets records just made by others is tried again."""
    for _ in range(_TRIES):
        try:
            async with turn.desk.transaction("chunk") as tx:
                goes_on = await steps.take_chunk(
                    tx, turn.task, turn.position, prepared, turn.seen, erased_key=turn.desk.erased_key
                )
                await turn.desk.guard(tx)
        except Conflict as err:
            refused = err
            prepared = await asyncio.to_thread(_prepare, turn.preparer, rows)
            continue
        turn.position += len(rows)
        return goes_on
    raise refused


def _prepare(preparer: Preparer, rows: Sequence[Row]) -> list[Prepared]:
    return [preparer.prepare(row) for row in rows]


async def _take_back(desk: Desk, import_id: ImportId, seconds: float) -> bool:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        async with desk.transaction("take_back") as tx:
            goes_on = await undo.take_back_chunk(tx, import_id)
            await desk.guard(tx)
        if not goes_on:
            return False
    return True
