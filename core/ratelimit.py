"""How often somebody may call: sliding windows in Redis, shared by every process.

Redis away means that calls are served and not counted, and said so in the log: a limit protects the product from a
caller, and must not become the reason why nobody is served. Other parts need Redis only for speed, too.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import Limited

log = structlog.get_logger()
WINDOW_SECONDS = 60
# A limit may not make a call slow: past this it is as if Redis were away.
_PATIENCE_SECONDS = 0.25
_WARN_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Rule:
    """So many calls a minute for one key, person or organization."""

    name: str
    organization_id: UUID
    subject_id: UUID
    per_minute: int


@dataclass(frozen=True)
class Standing:
    """Where a caller stands with a rule; `reset_seconds` is when calls that count now no longer do."""

    rule: Rule
    remaining: int
    reset_seconds: int
    is_used_up: bool = False

    def require_room(self) -> None:
        """Raises: Limited when the call was one too many."""
        if self.is_used_up:
            raise Limited(
                f"More than {self.rule.per_minute} calls a minute for one {self.rule.name}; "
                f"wait {self.reset_seconds} seconds.",
                retry_after_seconds=self.reset_seconds,
            )


class RateLimiter:
    """Counts calls against rules."""

    def __init__(self, redis: Redis) -> None:
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="getsale:limits",
            # one pool for everything that the process asks Redis; `limits` types options as plain values
            connection_pool=redis.connection_pool,  # type: ignore[arg-type]
        )
        self._windows = SlidingWindowCounterRateLimiter(storage)
        self._warned_at = -math.inf

    async def spend(self, rules: Sequence[Rule]) -> Standing | None:
        """Count one call against every rule, in this order, and say where the caller stands with the first one, or
        with the one that is used up, after which none is charged. None when Redis is away.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for rule in rules:
                    if not await self._windows.hit(_item(rule), *_key(rule)):
                        return await self._standing(rule, is_used_up=True)
                return await self._standing(rules[0])
        except (RedisError, TimeoutError, OSError) as err:
            self._warn(err)
            return None

    async def _standing(self, rule: Rule, *, is_used_up: bool = False) -> Standing:
        window = await self._windows.get_window_stats(_item(rule), *_key(rule))
        wait = max(1, math.ceil(window.reset_time - time.time()))
        return Standing(rule, max(0, window.remaining), min(wait, WINDOW_SECONDS), is_used_up)

    def _warn(self, err: Exception) -> None:
        """Once in a while: an outage must not fill the log with one line a call."""
        if time.monotonic() - self._warned_at > _WARN_EVERY_SECONDS:
            self._warned_at = time.monotonic()
            log.warning("limits.not_counted", part="redis", error=type(err).__name__)


def _item(rule: Rule) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(rule.per_minute)


def _key(rule: Rule) -> tuple[str, str, str]:
    return str(rule.organization_id), rule.name, str(rule.subject_id)
