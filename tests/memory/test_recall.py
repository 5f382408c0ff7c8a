"""What comes to mind: from whom, about when, for whose eyes, within which budget, and with the model away."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from core import clock
from core.db import Database
from core.ids import uuid7
from core.principal import Principal, Visibility
from core.tokens import estimated_tokens
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.facts.actions import assert_relation
from events.ids import DocumentId, DocumentVersionId
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from infra.embedded import Urls
from memory import ingest, store
from memory.documents.models import Chunk
from memory.embeddings.fake import FakeEmbedder
from memory.embeddings.remote import RemoteEmbedder
from memory.models import MemoryKind, Version
from memory.recall import Memories, Recall
from memory.search import Scope, list_candidates
from tests.memory.conftest import MARCH, Shelf, make_shelf

TALK = (
    "We have a cold store in Malmö with twenty pickers.",
    "> How do they work today?",
    "With paper lists and pencils, it takes ages.",
    "> The rugged scanners cost 204 euros each.",
    "У нас ещё есть склад в Твери, там работают ночью.",
    "> Для Твери подойдут сканеры с подсветкой.",
)
PRICES = Chunk("50 seats: 900 euros a month", "en", 4, page=2, heading=("Prices",))
INTERNAL = Chunk("Never sell 50 seats below 700 euros", "en", 1)


async def _publish(shelf: Shelf, chunk: Chunk, *, is_publishable: bool) -> None:
    version = Version(
        DocumentId(uuid7()), DocumentVersionId(uuid7()), "Price list.pdf", is_publishable, clock.now()
    )
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await store.insert_chunks(tx, version, [chunk])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much is a scanner?", TALK[3]),
        ("What were the pickers using?", TALK[2]),
        ("Какой сканер нужен в Твери?", TALK[5]),
        ("Где работают по ночам?", TALK[4]),
    ],
)
async def test_the_real_model_finds_the_answer_in_both_languages(
    shelf: Shelf, remote: RemoteEmbedder, question: str, answer: str
) -> None:
    await shelf.remember(*TALK)
    await shelf.embed(remote)

    found = await shelf.recall(question, remote)

    assert answer.removeprefix("> ") in found[:3]


async def test_with_the_model_away_words_alone_find_it(shelf: Shelf) -> None:
    embedder = FakeEmbedder()
    await shelf.remember(*TALK)
    await shelf.embed(embedder)
    embedder.is_away = True

    found = await shelf.recall("What do rugged scanners cost?", embedder)

    assert TALK[3].removeprefix("> ") in found[:2]


async def test_vectors_of_another_model_are_not_compared(shelf: Shelf) -> None:
    await shelf.remember(*TALK)
    await shelf.embed(FakeEmbedder("older"))

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        vector = (await FakeEmbedder().embed_queries(["scanners"]))[0]
        found = await list_candidates(
            tx, Scope((MemoryKind.TURN,)), terms=["scanner"], model="newer", vector=vector
        )

    assert {one.meaning for one in found} == {0.0}


async def test_a_name_in_the_question_says_whose_words_are_meant(shelf: Shelf) -> None:
    await shelf.remember("> Scanners are fine for us, Vera", "Scanners are fine for me, Olga")

    of_vera = await shelf.recall("What did Vera say about scanners?", FakeEmbedder())
    of_olga = await shelf.recall("What did Olga say about scanners?", FakeEmbedder())

    assert of_vera[0].endswith("for me, Olga")
    assert of_olga[0].endswith("for us, Vera")


async def test_a_date_in_the_question_is_looked_for(shelf: Shelf) -> None:
    await shelf.remember("We met at the fair", at=MARCH)
    await shelf.remember("We met at the fair, again", at=MARCH + timedelta(days=60))

    assert (await shelf.recall("What happened at the fair in March?", FakeEmbedder()))[
        0
    ] == "We met at the fair"
    assert (await shelf.recall("Что было на fair в мае 2026?", FakeEmbedder()))[0].endswith("again")


async def test_the_budget_is_kept_and_the_best_stays(shelf: Shelf) -> None:
    await shelf.remember(*(f"Scanner number {n}, " + "counted and packed " * 9 for n in range(20)))
    whole = await shelf.recall("scanner number 7", FakeEmbedder(), max_tokens=10_000)

    cut = await shelf.recall("scanner number 7", FakeEmbedder(), max_tokens=200)

    assert 0 < sum(estimated_tokens(text) for text in cut) <= 200
    assert cut == whole[: len(cut)]


async def test_among_equals_people_near_the_contact_come_first(shelf: Shelf) -> None:
    vera_id = shelf.conversation.contact_id
    for name in ("Ulla", "Tomas"):
        async with shelf.db.transaction(shelf.owner, "test") as tx:
            person = await create_contact(tx, NewContact(name))
            line = PastMessage(True, "contact", person.id, f"We count by hand, {name} here", MARCH, name)
            imported = await import_conversation(
                tx, shelf.world.account, person.id, chat_id=name, messages=[line]
            )
            await ingest.remember_conversation(tx, imported.conversation_id)
            if name == "Tomas":
                await assert_relation(
                    tx,
                    subject=("contact", vera_id),
                    predicate="knows",
                    object=("contact", person.id),
                    strength=0.9,
                )
    graph = PostgresGraph(shelf.db)
    await rebuild(shelf.db, shelf.owner, graph)
    asked = Recall("count by hand", contact_id=vera_id)

    async def texts(memories: Memories) -> list[str]:
        found = await memories.recall(shelf.owner, lambda: shelf.db.transaction(shelf.owner, "test"), asked)
        return [one.memory.text for one in found.found]

    with_graph, without = await texts(Memories(FakeEmbedder(), graph)), await texts(Memories(FakeEmbedder()))

    assert "Tomas" in with_graph[0]
    assert set(with_graph) == set(without)


async def test_what_the_asker_has_in_view_is_not_told_again(shelf: Shelf) -> None:
    await shelf.remember(*TALK)
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        shown = await tx.value("SELECT array_agg(id) FROM messages")

    assert await shelf.recall("scanners", FakeEmbedder(), shown=tuple(shown)) == []


async def test_a_counterpart_scoped_recall_finds_this_person_and_what_may_be_published(shelf: Shelf) -> None:
    await shelf.remember("We need 50 seats")
    other = UUID(str(uuid7()))
    await _publish(shelf, PRICES, is_publishable=True)
    await _publish(shelf, INTERNAL, is_publishable=False)
    about = {"only_contact": True, "only_publishable": True}

    of_vera = await shelf.recall(
        "50 seats", FakeEmbedder(), contact_id=shelf.conversation.contact_id, **about
    )
    of_another = await shelf.recall("50 seats", FakeEmbedder(), contact_id=other, **about)
    of_us = await shelf.recall("50 seats", FakeEmbedder())

    assert set(of_vera) == {"We need 50 seats", "Hello", PRICES.text}
    assert of_another == [PRICES.text]
    assert INTERNAL.text in of_us


async def test_a_seat_remembers_only_the_conversations_that_it_holds(shelf: Shelf) -> None:
    await shelf.remember(*TALK)
    seat_id = UUID(str(uuid7()))
    seat = replace(shelf.owner, visibility=Visibility.ASSIGNED, seat_id=seat_id)
    memories, asked = Memories(FakeEmbedder()), Recall("scanners in the cold store")

    before = await memories.recall(seat, lambda: shelf.db.transaction(seat, "test"), asked)
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute(
            "UPDATE conversations SET holder_kind = 'agent', holder_id = %(seat_id)s", seat_id=seat_id
        )
    after = await memories.recall(seat, lambda: shelf.db.transaction(seat, "test"), asked)

    assert before.found == ()
    assert after.found


async def test_a_small_organization_beside_a_large_one_gets_all_of_its_rows(
    database: Database, organization: Principal, other_organization: Principal
) -> None:
    large = await make_shelf(database, organization)
    small = await make_shelf(database, other_organization)
    embedder = FakeEmbedder()
    await large.remember(*(f"Scanner number {n} for the cold store" for n in range(990)))
    await small.remember(*(f"Scanner number {n} for the shop" for n in range(9)))
    for shelf in (large, small):
        await shelf.embed(embedder)
    limits = {MemoryKind.TURN: 20}

    # more often than psycopg needs to prepare a statement of its own accord
    for _ in range(8):
        await large.recall("Which scanner is for the cold store?", embedder, limits=limits)
        found = await small.recall("Which scanner is for the cold store?", embedder, limits=limits)

    assert len(found) == 10
    assert all(text == "Hello" or text.endswith("shop") for text in found)


async def test_under_row_level_security_the_words_are_found_by_their_index(
    shelf: Shelf, migrated: Urls
) -> None:
    await shelf.remember(*(f"Scanner number {n}" for n in range(300)))
    # what autovacuum does sooner or later: without it the planner knows nothing of the table
    async with await AsyncConnection.connect(migrated.database_url_migrator, autocommit=True) as owner:
        await owner.execute("ANALYZE memory_terms")
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute("SET LOCAL enable_seqscan = off")
        plan = await tx.value(
            """
            EXPLAIN (FORMAT JSON)
            SELECT memory_id FROM memory_terms WHERE term = ANY(%(terms)s)
            """,
            terms=["17", "scanner"],
        )

    assert "term = ANY" in str(plan[0]["Plan"].get("Index Cond", plan[0]["Plan"]))
    assert "memory_terms_pkey" in str(plan)
