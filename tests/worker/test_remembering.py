"""How vectors are waited for: rarely while the model is away, not at all where none is set, and caught up after."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from events import due, outbox
from events.due import DueWork
from memory.embeddings.base import Embedder
from memory.embeddings.fake import FakeEmbedder
from memory.embeddings.remote import NoEmbedder
from memory.ingest import EMBED
from tests.memory.conftest import Shelf, make_shelf
from tests.support.mail import make_post, written
from tests.support.working import EVERYTHING
from worker import remembering
from worker import services as worker_services
from worker.jobs import InTx, Outside, carry_out
from worker.services import Services

TURNS = 3


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


@pytest.fixture
async def shelf(database: Database, organization: Principal) -> Shelf:
    """A conversation whose turns, and the greeting before them, wait for their vectors."""
    made = await make_shelf(database, organization)
    await made.remember("How much are forty scanners?", "> 204 euros each")
    return made


async def _claim(services: Services, owner: Principal, kind: str = EMBED) -> DueWork | None:
    """The work of the only thread, whenever it is due; None when there is none."""
    async with services.db.transaction(owner, "test") as tx:
        await tx.execute(
            "UPDATE due_work SET due_at = now(), lease_until = NULL WHERE organization_id = %(ours)s",
            ours=tx.organization_id,
        )
    async with services.db.across_tenants("test") as connection:
        claimed = await due.claim(connection, [kind], EVERYTHING, 30)
    return next((work for work in claimed if work.organization_id == owner.organization_id), None)


async def _embed(services: Services, owner: Principal, embedder: Embedder) -> float | None:
    """Carry the work out; the seconds until it is tried again, or None when it is over."""
    work = await _claim(services, owner)
    assert work is not None
    await carry_out(replace(services, embedder=embedder), work, Outside(remembering.embed_memories))
    async with services.db.transaction(owner, "test") as tx:
        seconds: float | None = await tx.value(
            """
            SELECT extract(epoch FROM due_at - now())::float
              FROM due_work
             WHERE organization_id = %(ours)s AND kind = %(kind)s
            """,
            ours=tx.organization_id,
            kind=EMBED,
        )
    return seconds


async def test_while_the_model_is_away_it_is_asked_ever_more_rarely(services: Services, shelf: Shelf) -> None:
    embedder = FakeEmbedder()
    embedder.is_away = True

    pauses = [await _embed(services, shelf.owner, embedder) for _ in range(10)]

    seconds = [pause for pause in pauses if pause is not None]
    assert len(seconds) == len(pauses)
    assert seconds[0] < 6
    assert sorted(seconds[:6]) == seconds[:6]
    assert min(seconds[-2:]) > 500
    assert max(seconds) < 700
    embedder.is_away = False
    assert await _embed(services, shelf.owner, embedder) is None
    assert embedder.passages == TURNS


async def test_where_no_model_is_set_nobody_asks_until_a_worker_starts_with_one(
    services: Services, shelf: Shelf
) -> None:
    assert await _embed(services, shelf.owner, NoEmbedder()) is None
    await remembering.catch_up(replace(services, embedder=NoEmbedder()))
    assert await _claim(services, shelf.owner) is None

    embedder = FakeEmbedder()
    for _ in range(2):
        await remembering.catch_up(replace(services, embedder=embedder))

    assert await _embed(services, shelf.owner, embedder) is None
    assert embedder.passages == TURNS
    await remembering.catch_up(replace(services, embedder=embedder))
    assert await _claim(services, shelf.owner) is None


async def test_a_past_mail_is_remembered_without_reading_its_thread_again(
    services: Services, organization: Principal
) -> None:
    post = await make_post(services.db, organization)
    for text in ("one", "two", "three"):
        await post.receive(
            written(text, mail_id=f"{text}@lind.example", answers=("one@lind.example",)), is_past=True
        )
    handler = InTx(remembering.remember_conversation)
    counts = []
    for _ in range(3):
        async with services.db.across_tenants("test") as connection:
            await outbox.route(connection, {"conversation.imported": (handler.name,)}, EVERYTHING)
            claimed = await outbox.claim(connection, EVERYTHING, 30)
        [delivery] = [each for each in claimed if each.organization_id == organization.organization_id]
        await carry_out(services, delivery, handler)
        async with services.db.transaction(organization, "test") as tx:
            counts.append(await tx.value("SELECT array_agg(text ORDER BY ordinal) FROM memories"))

    assert counts == [["one"], ["one", "two"], ["one", "two", "three"]]
