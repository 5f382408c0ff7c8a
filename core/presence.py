"""Signs of life: one Redis key per kind of process, renewed while one runs."""

import asyncio
import contextlib

from redis.asyncio import Redis
from redis.exceptions import RedisError

# Three beats fit into the life of a key, so that one lost beat is not a death.
ALIVE_SECONDS = 6


async def beat(redis: Redis, process: str) -> None:
    """Say that a process of this kind runs, until cancelled."""
    while True:
        # The next beat tells again; readiness reports a Redis that is away.
        with contextlib.suppress(RedisError):
            await redis.set(_key(process), b"1", ex=ALIVE_SECONDS)
        await asyncio.sleep(ALIVE_SECONDS / 3)


async def is_alive(redis: Redis, process: str) -> bool:
    return bool(await redis.exists(_key(process)))


def _key(process: str) -> str:
    return f"getsale:alive:{process}"
