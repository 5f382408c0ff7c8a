"""A chain of an organization for tests: events of all kinds of actors, sealed and anchored."""

from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from uuid import UUID

from core.db import Database
from core.ids import uuid7
from core.principal import Origin, Principal, PrincipalKind, Via, system
from crm.audit import sealing
from crm.audit.anchors import Anchors
from crm.audit.chain import Key, key_of
from crm.audit.verifying import Verdict, verify
from events import outbox
from events.ids import ContactId, TaskId
from events.outbox import emit
from events.types import ContactUpdated, TaskUpdated
from tests.support.working import EVERYTHING
from worker.routes import names_by_event

SECRET = "a key for tests only, 32 bytes long"


@dataclass(frozen=True)
class Book:
    """One organization, its key and its anchors; `worker` is the database as the sealer has it."""

    db: Database
    worker: Database
    owner: Principal
    anchors: Anchors

    @property
    def id(self) -> UUID:
        return self.owner.organization_id

    @property
    def key(self) -> Key:
        return key_of(SECRET, self.id)

    async def route(self) -> None:
        """What the relay does with everything that was committed."""
        async with self.worker.across_tenants("test") as connection:
            while await outbox.route(connection, names_by_event(), EVERYTHING):
                pass

    async def seal(self, limit: int = sealing.BATCH) -> int:
        """What the sealer does until nothing waits; returns how many events it sealed."""
        total = 0
        while True:
            async with self.worker.transaction(system(self.id), "test") as tx:
                sealed = await sealing.seal_events(tx, self.key, limit)
            total += sealed
            if sealed < limit:
                return total

    async def anchor(self) -> None:
        async with self.worker.transaction(system(self.id), "test") as tx:
            head = await sealing.find_head(tx)
        await self.anchors.append(self.id, self.key, head)

    async def keep(self) -> None:
        """Route, seal and anchor what there is."""
        await self.route()
        await self.seal()
        await self.anchor()

    async def verify(self) -> Verdict:
        read = partial(self.db.transaction, self.owner, "test", is_read_only=True)
        return await verify(read, self.key, self.id, self.anchors)


def make_book(db: Database, worker: Database, owner: Principal, folder: Path) -> Book:
    return Book(db, worker, owner, Anchors(folder))


def actors(owner: Principal) -> list[Principal]:
    """A person on a page and one with a key, an agent in a run, and the product itself."""
    page = Origin(Via.PAGE, uuid7(), "192.0.2.7", "Firefox/140")
    key = Origin(Via.API, uuid7(), "198.51.100.9", "getsale-client/1")
    agent = Principal(
        PrincipalKind.BIDI, uuid7(), owner.organization_id, run_id=uuid7(), responsible_id=owner.id
    )
    return [owner.coming_from(page), owner.coming_from(key), agent, system(owner.organization_id)]


async def write_events(book: Book, count: int, random: Random) -> None:
    """One transaction an event; every second changes values, and subjects come again."""
    subjects = [uuid7() for _ in range(5)]
    for number, actor in zip(range(count), cycle(actors(book.owner)), strict=False):
        subject = random.choice(subjects)
        event = ContactUpdated(ContactId(subject)) if number % 3 else TaskUpdated(TaskId(subject))
        changes = {"title": (f"old {number}", f"new {number}")} if number % 2 else None
        async with book.db.transaction(actor, "test") as tx:
            await emit(tx, event, changes=changes)
