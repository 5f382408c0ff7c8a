"""Redis fan-out: one topic per organization, small messages, nothing kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis

from core import jsons


class PubSub:
    """Publishes to and reads from `org:<id>` topics. Losing a message costs freshness, never data."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(self, organization_id: UUID, message: dict[str, str]) -> None:
        await self._redis.publish(_topic(organization_id), jsons.dump_bytes(message))

    @asynccontextmanager
    async def subscribe(self, organization_id: UUID) -> AsyncIterator["Subscription"]:
        pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(_topic(organization_id))
        try:
            yield Subscription(pubsub)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]


class Subscription:
    """An open subscription to one organization's topic."""

    def __init__(self, pubsub: object) -> None:
        self._pubsub = pubsub

    async def next(self, timeout_seconds: float) -> dict[str, str] | None:
        """The next message, or None when none came in time."""
        message = await self._pubsub.get_message(timeout=timeout_seconds)  # type: ignore[attr-defined]
        return jsons.loads(message["data"]) if message else None


def _topic(organization_id: UUID) -> str:
    return f"org:{organization_id}"
