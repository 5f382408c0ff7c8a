"""What is written, and that it can be written again, superseded and forgotten."""

from dataclasses import replace
from datetime import timedelta

from core import clock
from core.ids import uuid7
from core.principal import Visibility
from events.ids import DocumentId, DocumentVersionId
from memory import store
from memory.documents.models import Chunk
from memory.embeddings.fake import FakeEmbedder
from memory.models import Version
from memory.search import find_speakers
from memory.words import name_stems
from tests.memory.conftest import MARCH, Shelf

LINES = ("How much are forty scanners?", "> 204 euros each", "Сколько стоят сканеры?")


async def _count(shelf: Shelf, table: str = "memories") -> int:
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        statements = {
            "memories": "SELECT count(*) FROM memories WHERE superseded_at IS NULL",
            "terms": "SELECT count(*) FROM memory_terms",
            "speakers": "SELECT count(*) FROM memory_speakers",
            "vectors": "SELECT count(*) FROM memories WHERE embedding IS NOT NULL",
            "episodes": "SELECT count(DISTINCT episode) FROM memories",
        }
        return int(await tx.value(statements[table]))


async def test_turns_that_are_remembered_twice_are_there_once(shelf: Shelf) -> None:
    first = await shelf.remember(*LINES)
    terms = await _count(shelf, "terms")

    again = await shelf.remember()

    assert (first, again) == (4, 0)
    assert (await _count(shelf), await _count(shelf, "terms")) == (4, terms)


async def test_words_are_found_by_their_stems_in_both_languages(shelf: Shelf) -> None:
    await shelf.remember(*LINES)

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        found = await tx.value(
            "SELECT array_agg(term ORDER BY term) FROM memory_terms WHERE term = ANY(%(terms)s)",
            terms=["euro", "scanner", "сканер", "how"],
        )

    assert found == ["euro", "scanner", "сканер"]


async def _edit(shelf: Shelf, old: str, new: str) -> None:
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute("UPDATE messages SET body = %(new)s WHERE body = %(old)s", new=new, old=old)


async def test_an_edited_turn_waits_for_its_vector_again_and_so_does_the_next(shelf: Shelf) -> None:
    await shelf.remember(*LINES)
    await shelf.embed(FakeEmbedder())

    await _edit(shelf, LINES[0], "How much are fifty scanners?")
    changed = await shelf.remember()

    assert (changed, await _count(shelf, "vectors")) == (1, 2)
    assert await shelf.embed(FakeEmbedder()) == 2


async def test_a_vector_of_an_older_text_is_not_kept(shelf: Shelf) -> None:
    await shelf.remember("The old text")
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        waiting = await store.list_unembedded(tx, shelf.conversation.id, limit=10)
    await _edit(shelf, "The old text", "The new text")
    await shelf.remember()

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        vectors = await FakeEmbedder().embed_passages([memory.passage() for memory in waiting])
        await store.store_vectors(tx, "fake", waiting, vectors)

    assert await _count(shelf, "vectors") == 1


async def test_a_long_silence_begins_an_episode(shelf: Shelf) -> None:
    await shelf.remember("one", "two")

    await shelf.remember("three", at=MARCH + timedelta(days=1))

    assert await _count(shelf, "episodes") == 3


async def test_a_long_episode_that_is_over_is_summed_up_once(shelf: Shelf) -> None:
    lines = [f"The scanner number {n} of the warehouse in Malmö was counted today." for n in range(9)]
    await shelf.remember(*lines)

    await shelf.remember("Good morning", at=MARCH + timedelta(days=1))
    await shelf.remember("And again", at=MARCH + timedelta(days=2))

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        summaries = await tx.value(
            "SELECT array_agg(text) FROM memories WHERE kind = 'summary' AND source_kind = 'conversation'"
        )
    assert len(summaries) == 1
    assert "Vera Lind: The scanner number" in summaries[0]


async def test_what_is_deleted_is_forgotten(shelf: Shelf) -> None:
    await shelf.remember(*LINES)

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute("DELETE FROM messages WHERE body = %(body)s", body=LINES[1].removeprefix("> "))

    assert await _count(shelf) == 3


async def test_a_deleted_message_takes_its_words_along(shelf: Shelf) -> None:
    await shelf.remember(*LINES)

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute("DELETE FROM messages WHERE body = %(body)s", body=LINES[1].removeprefix("> "))

        left = await tx.value("SELECT count(*) FROM memory_terms WHERE term = 'euro'")
    assert left == 0


async def test_a_deleted_conversation_leaves_nothing_not_even_names(shelf: Shelf) -> None:
    await shelf.remember(*LINES)
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await store.remember_summary(tx, shelf.conversation, episode=0, text="Scanners", occurred_at=MARCH)
    assert await _count(shelf, "speakers") > 0

    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute("DELETE FROM messages")
        await tx.execute("DELETE FROM conversations")

    counts = [await _count(shelf, table) for table in ("memories", "terms", "speakers")]
    assert counts == [0, 0, 0]


async def test_a_seat_learns_the_names_of_its_own_conversations_only(shelf: Shelf) -> None:
    await shelf.remember(*LINES)
    seat = replace(shelf.owner, visibility=Visibility.ASSIGNED, seat_id=uuid7())

    async with shelf.db.transaction(seat, "test") as tx:
        before = await find_speakers(tx, list(name_stems("Vera Lind")))
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await tx.execute(
            "UPDATE conversations SET holder_kind = 'agent', holder_id = %(seat_id)s", seat_id=seat.seat_id
        )
    async with shelf.db.transaction(seat, "test") as tx:
        after = await find_speakers(tx, list(name_stems("Vera Lind")))

    assert before == []
    assert {one.speaker for one in after} == {"Vera Lind"}


async def test_a_new_version_of_a_document_takes_the_place_of_the_old(shelf: Shelf) -> None:
    document_id = DocumentId(uuid7())
    old, new = (
        Version(document_id, DocumentVersionId(uuid7()), "Prices", True, clock.now()) for _ in range(2)
    )
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await store.insert_chunks(
            tx, old, [Chunk("50 seats: 900", "en", 1), Chunk("90 seats: 1500", "en", 2)]
        )

        added = await store.insert_chunks(tx, new, [Chunk("50 seats: 950", "en", 1, page=2)])

        live = await tx.value("SELECT array_agg(text) FROM memories WHERE superseded_at IS NULL")
        kept = await tx.value("SELECT count(*) FROM memories")
        terms = await tx.value("SELECT count(*) FROM memory_terms WHERE term = '900'")
    assert (added, live, kept, terms) == (1, ["50 seats: 950"], 3, 0)


async def test_a_version_can_come_back(shelf: Shelf) -> None:
    version = Version(DocumentId(uuid7()), DocumentVersionId(uuid7()), "Prices", True, clock.now())
    chunk = Chunk("50 seats: 900", "en", 1)
    async with shelf.db.transaction(shelf.owner, "test") as tx:
        await store.insert_chunks(tx, version, [chunk])
        await store.supersede(tx, version.document_id)

        await store.insert_chunks(tx, version, [chunk])

        terms = await tx.value("SELECT count(*) FROM memory_terms WHERE term = '900'")
    assert (await _count(shelf), terms) == (1, 1)
