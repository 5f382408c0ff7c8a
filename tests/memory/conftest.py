"""The real model, built once per machine, and the process that serves it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.conversations.models import Conversation
from crm.conversations.queries import get_conversation
from infra.servers.processes import free_port
from memory import ingest
from memory.embeddings import server
from memory.embeddings.base import Embedder
from memory.embeddings.build import prepare
from memory.embeddings.local import LocalEmbedder, LocalModel
from memory.embeddings.remote import RemoteEmbedder
from memory.recall import Memories, Recall
from tests.support.world import World, make_world

_numbers = count(1)
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


GREETING = PastMessage(True, "contact", None, "Hello", MARCH - timedelta(days=30), "greeting")


@dataclass(frozen=True)
class Shelf:
    """One organization with a conversation, whose turns a test says."""

    db: Database
    world: World
    conversation: Conversation

    @property
    def owner(self) -> Principal:
        return self.world.owner

    async def say(self, *lines: str, at: datetime = MARCH) -> None:
        """Vera and we talk, a minute a line; lines that begin with `> ` are ours. Nothing is remembered yet."""
        messages = [
            PastMessage(
                is_inbound=not line.startswith("> "),
                author_kind="user" if line.startswith("> ") else "contact",
                author_id=self.owner.id if line.startswith("> ") else self.conversation.contact_id,
                body=line.removeprefix("> "),
                occurred_at=at + timedelta(minutes=minute),
                external_id=f"past-{next(_numbers)}",
            )
            for minute, line in enumerate(lines)
        ]
        async with self.db.transaction(self.owner, "test") as tx:
            await import_conversation(
                tx,
                self.world.account,
                self.conversation.contact_id,
                chat_id=self.conversation.external_id,
                messages=messages,
            )

    async def remember(self, *lines: str, at: datetime = MARCH) -> int:
        """Say the lines and remember the conversation; returns how many turns are new or changed."""
        if lines:
            await self.say(*lines, at=at)
        async with self.db.transaction(self.owner, "test") as tx:
            return await ingest.remember_conversation(tx, self.conversation.id)

    async def recall(self, question: str, embedder: Embedder, **wanted: Any) -> list[str]:
        """The texts that come to mind."""
        asked = Recall(question, **wanted)
        found = await Memories(embedder).recall(
            self.owner, lambda: self.db.transaction(self.owner, "test"), asked
        )
        return [one.memory.text for one in found.found]

    async def embed(self, embedder: Embedder) -> int:
        """Give every waiting memory of the conversation its vector."""
        return await ingest.embed_waiting(
            embedder, lambda step: self.db.transaction(self.owner, step), self.conversation.id
        )


async def make_shelf(db: Database, owner: Principal) -> Shelf:
    world = await make_world(db, owner)
    async with db.transaction(owner, "test") as tx:
        vera = await create_contact(tx, NewContact("Vera Lind", handles=world.handles))
        imported = await import_conversation(
            tx, world.account, vera.id, chat_id=world.chat_id, messages=[GREETING]
        )
        return Shelf(db, world, await get_conversation(tx, imported.conversation_id))


@pytest.fixture
async def shelf(database: Database, organization: Principal) -> Shelf:
    """A conversation with Vera about which nothing is remembered yet."""
    return await make_shelf(database, organization)
