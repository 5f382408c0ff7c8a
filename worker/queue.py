"""The job queue: the only file that knows arq. Redis only wakes workers up; leases in Postgres hold the work."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from arq import create_pool
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker, func
from redis.exceptions import RedisError

from core import jsons
from core.settings import Settings
from events.due import DueWork
from events.outbox import Delivery

_QUEUE = "getsale:jobs"
_WAKE = "getsale:wake"
_IDS = ("id", "organization_id", "event_id", "subject_id")


class Queue:
    """Where the relay puts claimed work for any worker to take."""

    def __init__(self, pool: ArqRedis) -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, settings: Settings) -> "Queue":
        return cls(
            await create_pool(
                RedisSettings.from_dsn(settings.redis_url),
                job_serializer=jsons.dump_bytes,
                job_deserializer=jsons.loads,
                default_queue_name=_QUEUE,
            )
        )

    async def enqueue(self, jobs: Sequence[Sequence[Delivery | DueWork]]) -> None:
        """Hand over claimed work, one job for each group of pieces, and wake one worker for each job."""
        for pieces in jobs:
            await self._pool.enqueue_job("work", [_fields(piece) for piece in pieces])
            await self._pool.execute_command("RPUSH", _WAKE, b"1")  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await self._pool.aclose()


Carry = Callable[[list[Delivery | DueWork]], Awaitable[None]]


async def run_worker(settings: Settings, carry: Carry) -> None:
    """Take jobs from the queue until SIGTERM; those in hand are finished first."""

    async def work(ctx: dict[str, Any], pieces: list[dict[str, str]]) -> None:
        await carry([_piece(fields) for fields in pieces])

    worker = Worker(
        [func(work, name="work", max_tries=1)],
        queue_name=_QUEUE,
        redis_settings=RedisSettings.from_dsn(settings.redis_url),
        job_serializer=jsons.dump_bytes,
        job_deserializer=jsons.loads,
        max_jobs=settings.worker_jobs,
        # leases in Postgres decide about repetition, so arq repeats and keeps nothing
        retry_jobs=False,
        keep_result=0,
        job_timeout=settings.run_max_seconds * settings.agent_patience + 180,
        job_completion_wait=25,
        poll_delay=0.5,
        # Jobs of killed workers stay in the queue until arq's own lock ends, minutes later. By default only the
        # hundred oldest are looked at, and a hundred dead ones would hide every new one.
        queue_read_limit=10_000,
        on_startup=_start_waking,
        on_shutdown=_stop_waking,
    )
    worker.ctx["worker"] = worker
    with contextlib.suppress(asyncio.CancelledError):
        await worker.async_run()


def _fields(piece: Delivery | DueWork) -> dict[str, str]:
    return {name: str(value) for name, value in asdict(piece).items()}


def _piece(fields: dict[str, str]) -> Delivery | DueWork:
    typed: dict[str, Any] = {name: UUID(value) if name in _IDS else value for name, value in fields.items()}
    typed |= {"attempts": int(fields["attempts"]), "fence": int(fields["fence"])}
    return Delivery(**typed) if "event_id" in fields else DueWork(**typed)


async def _start_waking(ctx: dict[str, Any]) -> None:
    ctx["waking"] = asyncio.create_task(_wake(ctx["worker"]))


async def _stop_waking(ctx: dict[str, Any]) -> None:
    ctx["waking"].cancel()


async def _wake(worker: Worker) -> None:
    """Poll as soon as somebody enqueues; arq's own poll of half a second stays as the net."""
    while True:
        try:
            if await worker.pool.execute_command("BLPOP", _WAKE, 2):  # type: ignore[no-untyped-call]
                await worker._poll_iteration()
        except RedisError:
            await asyncio.sleep(0.5)
