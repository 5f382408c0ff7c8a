"""Counting what failed: so many wrong passwords in a while, and whoever brings more waits until the while is over.

Each try is counted before it is looked at, so that many at once are no more than one after the other; a good one takes
its count back. Redis away means that nothing is counted, as with limits: docs/decisions/0014.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()
WHILE = timedelta(minutes=15)
_PATIENCE_SECONDS = 0.25


@dataclass(frozen=True)
class Bucket:
    """What is counted together: `kind` and whose it is; `most` may fail in a while."""

    kind: str
    whose: str
    most: int


@dataclass(frozen=True)
class Tried:
    """Where a bucket stands with this try in it."""

    bucket: Bucket
    count: int
    wait_seconds: int

    @property
    def is_too_many(self) -> bool:
        return self.count > self.bucket.most

    @property
    def is_last(self) -> bool:
        """Whether the next one will have to wait."""
        return self.count == self.bucket.most


class Lockout:
    """Counts tries in Redis, shared by every process."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def try_once(self, buckets: Sequence[Bucket]) -> list[Tried]:
        """Count one try in every bucket; nothing is counted, and nobody waits, while Redis is away."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._redis.pipeline(transaction=False) as trip:
                for bucket in buckets:
                    trip.set(_key(bucket), 0, ex=int(WHILE.total_seconds()), nx=True)
                    trip.incr(_key(bucket))
                    trip.ttl(_key(bucket))
                answers = await trip.execute()
        except (RedisError, TimeoutError, OSError) as err:
            log.warning("lockout.not_counted", part="redis", error=type(err).__name__)
            return [Tried(bucket, 0, 0) for bucket in buckets]
        return [
            Tried(bucket, count, max(1, wait))
            for bucket, count, wait in zip(buckets, answers[1::3], answers[2::3], strict=True)
        ]

    async def take_back(self, buckets: Sequence[Bucket]) -> None:
        """The try was a good one."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._redis.pipeline(transaction=False) as trip:
                for bucket in buckets:
                    # its while may be over by now: what is counted must always have an end
                    trip.set(_key(bucket), 0, ex=int(WHILE.total_seconds()), nx=True)
                    trip.decr(_key(bucket))
                await trip.execute()
        except (RedisError, TimeoutError, OSError) as err:
            log.warning("lockout.not_counted", part="redis", error=type(err).__name__)


def _key(bucket: Bucket) -> str:
    """Without the address itself: what is kept in Redis names nobody."""
    return f"getsale:lockout:{bucket.kind}:{hashlib.sha256(bucket.whose.encode()).hexdigest()[:32]}"
