"""The real model, built once per machine, and the process that serves it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid5

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.conversations.models import Conversation
from infra.servers.processes import free_port
from memory import store
from memory.embeddings import server
from memory.embeddings.base import Embedder
from memory.embeddings.build import prepare
from memory.embeddings.local import LocalEmbedder, LocalModel
from memory.embeddings.remote import RemoteEmbedder
from memory.models import NewTurn
from tests.support.world import World, make_world

MARCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built model."""
    return prepare(Settings().embeddings_cache.expanduser())


@pytest.fixture(scope="session")
async def local(built: Path) -> AsyncIterator[LocalEmbedder]:
    """The model in this process."""
    embedder = LocalEmbedder(LocalModel(built))
    yield embedder
    await embedder.close()


@pytest.fixture(scope="session")
async def embeddings_url(local: LocalEmbedder) -> AsyncIterator[str]:
    """The address of a server over the model."""
    port = free_port()
    async with server.serving(Settings(metrics_port=port)) as running:
        running.embedder = LocalEmbedder(local.model)
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture
async def remote(embeddings_url: str) -> AsyncIterator[RemoteEmbedder]:
    """The client of that server, as the worker has it."""
    embedder = RemoteEmbedder(Settings(embeddings_url=embeddings_url))
    yield embedder
    await embedder.close()


@dataclass(frozen=True)
class Shelf:
    """One organization with a conversation, whose turns a test says."""

    db: Database
    world: World
    conversation: Conversation

    @property
    def owner(self) -> Principal:
        return self.world.owner

    async def remember(self, *lines: str, first: int = 1, at: datetime = MARCH) -> int:
        """Lines of Vera and of ours in turn, a minute apart; those that begin with `> ` are ours."""
        turns = [
            NewTurn(
                message_id=uuid5(self.conversation.id, str(number)),
                ordinal=number,
                speaker="Olga" if line.startswith("> ") else "Vera",
                is_ours=line.startswith("> "),
                text=line.removeprefix("> "),
                occurred_at=at + timedelta(minutes=number),
            )
            for number, line in enumerate(lines, start=first)
        ]
        async with self.db.transaction(self.owner, "test") as tx:
            return await store.remember_turns(tx, self.conversation, turns)

    async def embed(self, embedder: Embedder) -> int:
        """Give every waiting memory of the conversation its vector."""
        async with self.db.transaction(self.owner, "test") as tx:
            waiting = await store.list_unembedded(tx, self.conversation.id, limit=1000)
        vectors = await embedder.embed_passages([memory.passage() for memory in waiting])
        async with self.db.transaction(self.owner, "test") as tx:
            await store.store_vectors(tx, embedder.name, waiting, vectors)
        return len(waiting)


async def make_shelf(db: Database, owner: Principal) -> Shelf:
    world = await make_world(db, owner)
    await world.receive("Hello")
    return Shelf(db, world, await world.conversation())


@pytest.fixture
async def shelf(database: Database, organization: Principal) -> Shelf:
    """A conversation with Vera about which nothing is remembered yet."""
    return await make_shelf(database, organization)
