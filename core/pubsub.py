"""Redis fan-out: a topic for each organization, and for single things of it; small messages, nothing kept."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core import jsons

_CONFIRM_SECONDS = 5.0


class PubSub:
    """Publishes to and reads from `org:<id>` topics, or `org:<id>:<thing>`. Losing a message costs freshness, never
    data."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def publish(
        self, organization_id: UUID, message: Mapping[str, str], *, about: UUID | None = None
    ) -> None:
        await self._redis.publish(_topic(organization_id, about), jsons.dump_bytes(dict(message)))

    @asynccontextmanager
    async def subscribe(self, organization_id: UUID, *about: UUID | None) -> AsyncIterator["Subscription"]:
        """Whatever is published from now on to the organization's topic, or about these things of it, where None is
        the organization's own topic; the server has confirmed it. Raises: RedisError.
        """
        topics = [_topic(organization_id, one) for one in about or (None,)]
        pubsub = self._redis.pubsub()
        try:
            await pubsub.subscribe(*topics)
            for _ in topics:
                if await pubsub.get_message(timeout=_CONFIRM_SECONDS) is None:
                    raise RedisTimeoutError("Redis did not confirm a subscription.")
            yield Subscription(pubsub)
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]


class Subscription:
    """An open subscription to one organization's topic."""

    def __init__(self, pubsub: object) -> None:
        self._pubsub = pubsub

    async def next(self, timeout_seconds: float) -> dict[str, str] | None:
        """The next message, or None when none came in time.

        Raises: RedisError when the connection was lost, also if it was made again: what was published then is gone.
        """
        message = await self._pubsub.get_message(timeout=timeout_seconds)  # type: ignore[attr-defined]
        if message is None:
            return None
        if message["type"] != "message":
            raise RedisConnectionError("A subscription was interrupted.")
        published: dict[str, str] = jsons.loads(message["data"])
        return published


def _topic(organization_id: UUID, about: UUID | None) -> str:
    return f"org:{organization_id}:{about}" if about else f"org:{organization_id}"
