"""What is said is remembered by the real processes, with its vector; while the model is away it waits."""

from itertools import count

from memory.ingest import EMBED
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.watching import conversation_of, draft_of

_chats = count(770000001)


async def _count(stage: Stage, conversation_id: object, *, with_vector: bool) -> int:
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        return int(
            await tx.value(
                """
                SELECT count(*)
                  FROM memories
                 WHERE thread_id = %(thread_id)s
                   AND (embedding IS NOT NULL OR NOT %(with_vector)s)
                """,
                thread_id=conversation_id,
                with_vector=with_vector,
            )
        )


async def test_what_was_received_gets_its_vector(stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Сколько стоит на 50 человек?", chat_id=chat_id, name="Вера Линд")
    conversation = await conversation_of(stage, chat_id)

    async def look() -> bool:
        return await _count(stage, conversation.id, with_vector=True) == 1

    await until(look, seconds=30)


async def test_while_the_model_is_away_drafts_go_on_and_vectors_come_later(stage: Stage) -> None:
    chat_id = next(_chats)
    stage.fleet.pause("embed")
    try:
        await stage.peer.send("Could we have a demo on Thursday?", chat_id=chat_id, name="Vera Lind")
        conversation = await conversation_of(stage, chat_id)
        draft = await draft_of(stage, conversation.id)

        async def remembered() -> bool:
            return await _count(stage, conversation.id, with_vector=False) == 1

        await until(remembered, seconds=30)
        vectors = await _count(stage, conversation.id, with_vector=True)
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            waiting = await tx.value(
                "SELECT status FROM due_work WHERE kind = %(kind)s AND subject_id = %(id)s",
                kind=EMBED,
                id=conversation.id,
            )
    finally:
        stage.fleet.resume("embed")

    async def embedded() -> bool:
        return await _count(stage, conversation.id, with_vector=True) == 1

    await until(embedded, seconds=40)
    assert draft.body
    assert (vectors, waiting) == (0, "open")
