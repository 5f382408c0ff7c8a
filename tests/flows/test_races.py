"""Two people press Approve at once; a prospect writes five lines in a row."""

import asyncio
from itertools import count

from crm.drafts.queries import get_draft
from infra.fleet import PROCESSES, running_fleet
from infra.forked import Forked
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import Visitor, signed_in
from tests.support.watching import conversation_of, draft_of

APPROVALS = 100
BURSTS = 50
_chats = count(740000001)


async def test_a_hundred_double_approvals_are_a_hundred_sends(stage: Stage, anna: Visitor) -> None:
    """From two sessions, and twice by the same form of each: four posts per draft."""
    async with signed_in(stage.fleet.base, stage.email) as second:
        chats = [next(_chats) for _ in range(APPROVALS)]
        gate = asyncio.Semaphore(4)

        async def one(chat_id: int) -> list[int]:
            async with gate:
                await stage.peer.send("Could we have a demo on Thursday?", chat_id=chat_id, name="Vera Lind")
                draft = await draft_of(stage, (await conversation_of(stage, chat_id)).id)
                posts = [
                    who.post(f"/drafts/{draft.id}/approval", version=str(draft.version))
                    for who in (anna, second, anna, second)
                ]
                return sorted(answer.status_code for answer in await asyncio.gather(*posts))

        statuses = await asyncio.gather(*(one(chat_id) for chat_id in chats))

        async def all_arrived() -> bool:
            return all([len(await stage.peer.received(chat_id)) >= 1 for chat_id in chats])

        await until(all_arrived, 60)
        await asyncio.sleep(1)
        arrived = [len(await stage.peer.received(chat_id)) for chat_id in chats]

    assert arrived == [1] * APPROVALS
    assert all(set(codes) <= {303, 409} and 303 in codes for codes in statuses), statuses
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        doubled = await tx.value(
            "SELECT count(*) FROM (SELECT draft_id FROM messages WHERE draft_id IS NOT NULL"
            " GROUP BY draft_id HAVING count(*) > 1) AS twice"
        )
    assert doubled == 0


async def test_five_lines_are_one_run_and_one_draft_that_covers_them_all(stage: Stage) -> None:
    """Fifty prospects write five lines each while a run waits for eight seconds of silence, as by default."""
    lines = (
        "Hello!",
        "we are looking at scanners",
        "for forty people",
        "how much is it a month?",
        "and when could we meet?",
    )
    chats = [next(_chats) for _ in range(BURSTS)]
    await stage.fleet.stop()
    folder = stage.fleet.folder / "bursts"
    folder.mkdir()
    try:
        async with running_fleet(folder, stage.urls, stage.peer.base, PROCESSES, Forked, QUIET_SECONDS="8"):
            gate = asyncio.Semaphore(10)

            async def burst(chat_id: int) -> None:
                async with gate:
                    for line in lines:
                        await stage.peer.send(line, chat_id=chat_id, name="Vera Lind")
                        await asyncio.sleep(0.1)

            await asyncio.gather(*(burst(chat_id) for chat_id in chats))
            conversations = [await conversation_of(stage, chat_id) for chat_id in chats]
            drafts = [await draft_of(stage, conversation.id, 180) for conversation in conversations]
    finally:
        await stage.fleet.start()

    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        ids = [conversation.id for conversation in conversations]
        runs = await tx.value("SELECT count(*) FROM runs WHERE conversation_id = ANY(%(ids)s)", ids=ids)
        written = await tx.value("SELECT count(*) FROM drafts WHERE conversation_id = ANY(%(ids)s)", ids=ids)
        covered = {(await get_draft(tx, draft.id)).based_on_seq for draft in drafts}
        answers = {draft.answers for draft in drafts}
    assert (runs, written, covered, answers) == (BURSTS, BURSTS, {5}, {5})
