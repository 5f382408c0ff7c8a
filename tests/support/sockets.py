"""A program at the other end of `/ws`, and the part of the worker that publishes what happened."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from core.pubsub import PubSub
from crm.conversations.inbox import latest_event_id
from events.ids import ConversationId
from events.outbox import emit
from events.types import ConversationRead
from tests.support.callers import Caller

PATIENCE_SECONDS = 10.0


@dataclass
class Line:
    """An open socket. Pings of the server are answered unless `is_silent`."""

    connection: ClientConnection
    is_silent: bool = False
    events: list[str] = field(default_factory=list)

    async def say(self, **frame: object) -> None:
        await self.connection.send(json.dumps(frame, default=str))

    async def hear(self, *types: str) -> dict[str, Any]:
        """The next message of one of these types; others are passed over. Raises: ConnectionClosed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message: dict[str, Any] = json.loads(await self.connection.recv())
                if message["type"] == "event":
                    self.events.append(message["id"])
                if message["type"] == "ping" and not self.is_silent:
                    await self.say(type="pong")
                if message["type"] in types:
                    return message

    async def subscribe(self, topic: str, **more: object) -> dict[str, Any]:
        await self.say(type="subscribe", topic=topic, **more)
        return await self.hear("subscribed", "error")

    async def until_closed(self) -> int:
        """Read on until the server hangs up; its code."""
        try:
            while True:
                await self.hear("event")
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006

    async def cut(self) -> None:
        """As if the network went away: no goodbye."""
        self.connection.transport.abort()
        await self.connection.wait_closed()


@asynccontextmanager
async def dialled(site: str, **options: Any) -> AsyncIterator[Line]:
    """A socket that nobody has logged in on."""
    address = site.replace("http://", "ws://") + "/ws"
    async with connect(
        address, ping_interval=None, open_timeout=20, compression=None, **options
    ) as connection:
        yield Line(connection)


async def ticket_of(caller: Caller) -> str:
    answer = await caller.post("/ws-tickets")
    assert answer.status_code == 201, answer.text
    ticket: str = answer.json()["ticket"]
    return ticket


@asynccontextmanager
async def logged_in(site: str, caller: Caller) -> AsyncIterator[Line]:
    async with dialled(site) as line:
        await line.say(type="login", ticket=await ticket_of(caller))
        await line.hear("welcome")
        yield line


@dataclass
class Press:
    """Makes events and publishes them after their commit, in the worker's words."""

    db: Database
    redis: Redis
    person: Principal

    async def happen(self, conversation_id: UUID, *, commit_after_seconds: float = 0.0) -> str:
        """One event of a conversation; returns its id."""
        async with self.db.transaction(self.person, "test") as tx:
            event_id = await emit(tx, ConversationRead(ConversationId(conversation_id)))
            await asyncio.sleep(commit_after_seconds)
        await self.publish(event_id, conversation_id)
        return str(event_id)

    async def make_past(self, conversation_id: UUID, events: int) -> None:
        """Leave so many events in a conversation that nobody was told of."""
        rows: list[dict[str, object]] = [
            {
                "organization_id": self.person.organization_id,
                "id": uuid7(),
                "actor_id": self.person.id,
                "subject_id": conversation_id,
                "seq": 1_000_000 + number,
            }
            for number in range(events)
        ]
        async with self.db.transaction(self.person, "test") as tx:
            await tx.execute_many(
                """
                INSERT INTO events (organization_id, id, type, version, occurred_at, actor_kind, actor_id, subject_kind,
                                    subject_id, seq, correlation_id, data)
                VALUES (%(organization_id)s, %(id)s, 'conversation.read', 1, now(), 'user', %(actor_id)s, 'conversation',
                        %(subject_id)s, %(seq)s, %(id)s, '{}')
                """,
                rows,
            )

    async def latest(self) -> str:
        """The newest event of the organization."""
        async with self.db.transaction(self.person, "test") as tx:
            return str(await latest_event_id(tx))

    async def publish_latest(self, conversation_id: UUID) -> str:
        """Publish the event that an action has just left in a conversation."""
        event_id = await self.latest()
        await self.publish(UUID(event_id), conversation_id)
        return event_id

    async def publish(self, event_id: UUID, conversation_id: UUID) -> None:
        await self.publish_many([event_id], conversation_id)

    async def publish_many(self, event_ids: Sequence[UUID], conversation_id: UUID) -> None:
        """One after the other, without waiting for each."""
        async with self.redis.pipeline(transaction=False) as pipeline:
            for event_id in event_ids:
                message = {
                    "event_id": str(event_id),
                    "type": ConversationRead.name,
                    "conversation_id": str(conversation_id),
                }
                await PubSub(pipeline).publish(self.person.organization_id, message)
            await pipeline.execute()
