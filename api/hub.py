"""Fan-out inside one process: one Redis subscription per organization feeds every socket that follows it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self
from uuid import UUID

import psycopg
import structlog
from redis.exceptions import RedisError

from api.rooms import Follower, Happening, Room, Topic
from api.watch import Watch
from core import clock
from core.db import Database, Tx
from core.errors import AppError, Forbidden, Limited, Unavailable, Unprocessable
from core.principal import Principal, Visibility, system
from core.pubsub import PubSub, Subscription
from core.settings import Settings
from crm.api_keys.models import Credential
from crm.conversations import changes
from crm.conversations.changes import ConversationEvent
from crm.conversations.inbox import latest_event_id
from events.ids import ConversationId, OrganizationId

log = structlog.get_logger()
# More than this is not replayed: the client reads again through REST.
REPLAY_LIMIT = 10_000
_LIVE_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
_QUIET_SECONDS = 15.0
_GATHER_SECONDS = 0.001
_TOO_MANY = "close one, or come back later"


class Hub:
    """Every room of this process; `watch` sees to it that nobody follows past the end of their session or key."""

    def __init__(self, db: Database, pubsub: PubSub, settings: Settings) -> None:
        self._db, self._pubsub, self._settings = db, pubsub, settings
        self.watch = Watch(db)
        self._rooms: dict[OrganizationId, Room] = {}
        self._readers: dict[OrganizationId, asyncio.Task[None]] = {}
        # Ids of events are made before their commit. No transaction outlives the lease of a job, so a replay that
        # goes back further than a lease finds those that were committed late.
        self._overlap_ms = int((settings.lease_seconds + 5) * 1000)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Self]:
        """Keep checking who may still follow, until the block ends; then let everybody go."""
        try:
            async with self.watch.watching():
                yield self
        finally:
            for task in self._readers.values():
                task.cancel()

    @asynccontextmanager
    async def joined(self, follower: Follower) -> AsyncIterator[Room]:
        """The follower's room, once nothing that happens can be missed any more.

        Raises: Limited when there are too many; Unavailable when Redis is away.
        """
        organization_id = OrganizationId(follower.credential.principal.organization_id)
        self._require_place(follower.credential, organization_id)
        room = self._rooms.get(organization_id) or self._open(organization_id)
        room.followers.add(follower)
        try:
            with self.watch.over(follower.credential.id, follower.sign_out):
                await self._until_live(room)
                yield room
        finally:
            room.leave(follower)
            if not room.followers:
                self._close(room)

    def _require_place(self, credential: Credential, organization_id: OrganizationId) -> None:
        room = self._rooms.get(organization_id)
        if room is None:
            return
        if len(room.followers) >= self._settings.ws_per_organization:
            raise Limited(f"The organization has too many open sockets; {_TOO_MANY}.", retry_after_seconds=60)
        person = credential.principal.id
        if sum(f.credential.principal.id == person for f in room.followers) >= self._settings.ws_per_person:
            raise Limited(f"This person has too many open sockets; {_TOO_MANY}.", retry_after_seconds=60)

    def _open(self, organization_id: OrganizationId) -> Room:
        room = self._rooms[organization_id] = Room(organization_id)
        self._readers[organization_id] = asyncio.create_task(self._read(room))
        return room

    def _close(self, room: Room) -> None:
        if self._rooms.get(room.organization_id) is room:
            del self._rooms[room.organization_id]
            self._readers.pop(room.organization_id).cancel()

    async def _until_live(self, room: Room) -> None:
        try:
            async with asyncio.timeout(_LIVE_SECONDS):
                await room.is_live.wait()
        except TimeoutError as err:
            raise Unavailable("Live updates are not there now; try again.", part="redis") from err

    async def _read(self, room: Room) -> None:
        """Bring what is published to the room, for as long as it has followers."""
        while True:
            try:
                async with self._pubsub.subscribe(room.organization_id) as subscription:
                    await self._catch_up(room)
                    room.is_live.set()
                    await self._relay(room, subscription)
            except (RedisError, psycopg.OperationalError, AppError) as err:
                room.is_live.clear()
                log.warning(
                    "room.interrupted", organization_id=str(room.organization_id), error=type(err).__name__
                )
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _relay(self, room: Room, subscription: Subscription) -> None:
        while True:
            published = await _gather(subscription)
            await self._tell(room, [_event(m) for m in published if m.get("conversation_id")])

    async def _catch_up(self, room: Room) -> None:
        """What happened while nobody listened: since the last event that came through, or from now on."""
        async with self._db.transaction(system(room.organization_id), "room") as tx:
            if room.position is None:
                room.position = await latest_event_id(tx)
                return
            events = await changes.list_events_after(tx, self._before(room.position), limit=REPLAY_LIMIT)
        await self._tell(room, events)

    async def _tell(self, room: Room, events: Sequence[ConversationEvent]) -> None:
        fresh = room.take_new(events)
        room.tell_organization(fresh)
        if fresh and room.has_seats:
            async with self._db.transaction(system(room.organization_id), "room") as tx:
                concerns = await _concerns(tx, fresh)
            room.tell_seats(fresh, concerns)

    async def authorize(self, principal: Principal, topic: Topic) -> UUID | None:
        """Whether somebody may follow a topic; returns the newest event, from which a follower may resume later.

        Raises: Forbidden for another organization's topic, and alike for one that is not there, and for all but their
        own to those who see only what is assigned to them.
        """
        async with self._db.transaction(principal, "room") as tx:
            principal.require("conversations:read")
            is_own = (
                topic.id == principal.organization_id
                if topic.kind == "organization"
                else await changes.has_holder(tx, topic.id)
            )
            if not is_own:
                raise Forbidden("This topic is not your organization's.", topic=str(topic))
            if principal.visibility is Visibility.ASSIGNED:
                own = await changes.list_own_holders(tx)
                if topic.id not in own:
                    raise Forbidden(
                        f"You see only what is assigned to you; follow {' or '.join(f'seat:{id}' for id in own)}.",
                        topic=str(topic),
                    )
            return await latest_event_id(tx)

    async def replay(self, principal: Principal, topic: Topic, after: UUID) -> list[Happening] | None:
        """What happened on a topic since an event, and shortly before it; None when that is too much.

        Raises: Unprocessable for what is no event's id.
        """
        if after.int >> 80 > int(clock.now().timestamp() * 1000) + self._overlap_ms:
            raise Unprocessable("`after` is not the id of an event.", field="after")
        async with self._db.transaction(principal, "room") as tx:
            events = await changes.list_events_after(tx, self._before(after), limit=REPLAY_LIMIT + 1)
            if len(events) > REPLAY_LIMIT:
                return None
            if topic.kind == "seat":
                concerns = await _concerns(tx, events)
                events = [event for event in events if topic.id in concerns.get(event.id, ())]
        return [Happening.of(topic, event) for event in events if event.id != after]

    def _before(self, event_id: UUID) -> UUID:
        """An id that is lower than that of any event which may have been committed after this one was seen."""
        return UUID(int=max(0, (event_id.int >> 80) - self._overlap_ms) << 80)


async def _gather(subscription: Subscription) -> list[dict[str, str]]:
    """What was published together; empty when it stays quiet."""
    gathered = []
    message = await subscription.next(_QUIET_SECONDS)
    while message is not None:
        gathered.append(message)
        message = await subscription.next(_GATHER_SECONDS)
    return gathered


def _event(message: dict[str, str]) -> ConversationEvent:
    return ConversationEvent(
        UUID(message["event_id"]), message["type"], ConversationId(UUID(message["conversation_id"]))
    )


async def _concerns(tx: Tx, events: Sequence[ConversationEvent]) -> dict[UUID, frozenset[UUID]]:
    found = await changes.list_concerns(tx, [event.id for event in events])
    return {concern.event_id: frozenset(concern.holder_ids) for concern in found}
