"""The sockets of one organization in this process: topics, and what each message on one looks like."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from core import jsons
from core.errors import NotFound
from crm.api_keys.models import Credential
from crm.conversations.changes import ConversationEvent
from events.ids import OrganizationId

# What was delivered lately is remembered, so that catching up does not repeat it.
_REMEMBERED = 20_000


@dataclass(frozen=True)
class Topic:
    """`organization:<id>`: all that happens in conversations; `seat:<id>`: what concerns one seat or member."""

    kind: str
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Topic":
        """Raises: NotFound for what is no topic."""
        kind, _, id = text.partition(":")
        try:
            if kind in ("organization", "seat"):
                return cls(kind, UUID(id))
        except ValueError:
            pass
        raise NotFound("There is no such topic; there are organization:<id> and seat:<id>.")


@dataclass(frozen=True)
class Happening:
    """One event on one topic, written once for all who follow it."""

    event_id: UUID
    topic: Topic
    text: str

    @classmethod
    def of(cls, topic: Topic, event: ConversationEvent) -> "Happening":
        message = {
            "type": "event",
            "topic": str(topic),
            "id": event.id,
            "name": event.name,
            "conversation_id": event.conversation_id,
        }
        return cls(event.id, topic, jsons.dumps(message))


class Follower(Protocol):
    """A socket, as the rooms see it."""

    @property
    def credential(self) -> Credential: ...

    def offer(self, happening: Happening) -> None:
        """Take a message to send; never waits."""

    def sign_out(self) -> None:
        """The session or key behind it is no longer in force."""


@dataclass(eq=False)
class Room:
    """Who follows what in one organization; `position` is the newest event that came through."""

    organization_id: OrganizationId
    followers: set[Follower] = field(default_factory=set)
    topics: dict[Topic, set[Follower]] = field(default_factory=dict)
    is_live: asyncio.Event = field(default_factory=asyncio.Event)
    position: UUID | None = None
    _delivered: OrderedDict[UUID, None] = field(default_factory=OrderedDict)

    @property
    def topic(self) -> Topic:
        return Topic("organization", self.organization_id)

    @property
    def has_seats(self) -> bool:
        """Whether anybody follows a seat: only then it matters whom an event concerns."""
        return any(topic.kind == "seat" for topic in self.topics)

    def follow(self, follower: Follower, topic: Topic) -> None:
        self.topics.setdefault(topic, set()).add(follower)

    def unfollow(self, follower: Follower, topic: Topic) -> None:
        followers = self.topics.get(topic, set())
        followers.discard(follower)
        if not followers:
            self.topics.pop(topic, None)

    def leave(self, follower: Follower) -> None:
        self.followers.discard(follower)
        for topic in list(self.topics):
            self.unfollow(follower, topic)

    def take_new(self, events: Sequence[ConversationEvent]) -> list[ConversationEvent]:
        """Those of these events that did not come through before; from now on they did."""
        fresh = [event for event in events if event.id not in self._delivered]
        for event in fresh:
            self._delivered[event.id] = None
            self.position = max(self.position or event.id, event.id)
        while len(self._delivered) > _REMEMBERED:
            self._delivered.popitem(last=False)
        return fresh

    def tell_organization(self, events: Sequence[ConversationEvent]) -> None:
        for event in events:
            self._tell(Happening.of(self.topic, event))

    def tell_seats(self, events: Sequence[ConversationEvent], concerns: Mapping[UUID, Set[UUID]]) -> None:
        """`concerns` says, for each event, which seats and members it concerns."""
        for event in events:
            for topic in {Topic("seat", id) for id in concerns.get(event.id, ())} & self.topics.keys():
                self._tell(Happening.of(topic, event))

    def _tell(self, happening: Happening) -> None:
        for follower in tuple(self.topics.get(happening.topic, ())):
            follower.offer(happening)
