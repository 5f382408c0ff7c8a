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


@dataclass(frozen=True)
class _Window:
    """Calls of one rule in this minute, this one with them, and in the minute before; `passed` is a share of a minute."""

    rule: Rule
    minute: int
    calls: int
    before: int
    passed: float

    @property
    def used(self) -> float:
        """The minute before counts as much of its calls as would still lie within sixty seconds, evenly spread."""
        return round(self.before * (1 - self.passed) + self.calls, 6)

    @property
    def is_used_up(self) -> bool:
        return self.used > self.rule.per_minute

    def standing(self) -> Standing:
        remaining = max(0, math.floor(self.rule.per_minute - self.used))
        wait = max(1, math.ceil(round(self._wait() * WINDOW_SECONDS, 3)))
        return Standing(self.rule, remaining, min(wait, WINDOW_SECONDS), self.is_used_up)

    def _wait(self) -> float:
        """The share of a minute until there is room for a call, or until this minute counts as the one before."""
        excess = self.used - self.rule.per_minute
        if self.is_used_up and excess <= self.before * (1 - self.passed):
            return excess / self.before
        return 1 - self.passed


class RateLimiter:
    """Counts calls against rules, each in one trip to Redis: docs/decisions/0014."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._warned_at = -math.inf

    async def spend(self, rules: Sequence[Rule]) -> Standing | None:
        """Count one call against every rule and say where the caller stands with the first one, or with the first
        that is used up; neither that one nor those behind it are charged. None when Redis is away.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                windows = await self._count(rules)
                for place, window in enumerate(windows):
                    if window.is_used_up:
                        await self._give_back(windows[place:])
                        return window.standing()
                return windows[0].standing()
        except (RedisError, TimeoutError, OSError) as err:
            self._warn(err)
            return None

    async def _count(self, rules: Sequence[Rule]) -> list[_Window]:
        now = time.time() / WINDOW_SECONDS
        minute = int(now)
        async with self._redis.pipeline(transaction=False) as trip:
            for rule in rules:
                trip.incr(_key(rule, minute))
                trip.expire(_key(rule, minute), 2 * WINDOW_SECONDS)
                trip.get(_key(rule, minute - 1))
            answers = await trip.execute()
        return [
            _Window(rule, minute, calls, int(before or 0), now - minute)
            for rule, calls, before in zip(rules, answers[::3], answers[2::3], strict=True)
        ]

    async def _give_back(self, windows: Sequence[_Window]) -> None:
        async with self._redis.pipeline(transaction=False) as trip:
            for window in windows:
                trip.decr(_key(window.rule, window.minute))
            await trip.execute()

    def _warn(self, err: Exception) -> None:
        """Once in a while: an outage must not fill the log with one line a call."""
        if time.monotonic() - self._warned_at > _WARN_EVERY_SECONDS:
            self._warned_at = time.monotonic()
            log.warning("limits.not_counted", part="redis", error=type(err).__name__)


def _key(rule: Rule, minute: int) -> str:
    return f"getsale:limits:{rule.organization_id}:{rule.name}:{rule.subject_id}:{minute}"
