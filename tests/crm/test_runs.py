"""One burst is one run; a run that the conversation outran gives way once; the row says what is finished."""

import pytest

from core.db import Database
from core.principal import Principal
from crm.automation import actions as automation
from crm.conversations.actions import take_over
from crm.runs import actions as runs
from crm.runs import queries
from crm.runs.actions import QuietWindow
from crm.runs.models import Run, RunStatus
from events.types import MessageReceived
from tests.support.world import World, make_world

AT_ONCE = QuietWindow(0, 0)
EIGHT_SECONDS = QuietWindow(8, 45)


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    return await make_world(database, organization)


async def _write(world: World, text: str, quiet: QuietWindow) -> None:
    """A message arrives and the rules are evaluated, as the worker does."""
    await world.receive(text)
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        message_id = await tx.value(
            "SELECT id FROM messages WHERE conversation_id = %(id)s ORDER BY seq DESC LIMIT 1",
            id=conversation.id,
        )
        await automation.evaluate(tx, MessageReceived(conversation.id, message_id), quiet)


async def _open_runs(world: World) -> list[Run]:
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        return await queries.list_open_runs(tx, conversation.id)


async def _claim(world: World, run: Run, lease_seconds: float = 30) -> Run | None:
    async with world.db.transaction(world.owner, "test") as tx:
        return await runs.claim_run(tx, run.id, lease_seconds)


async def test_five_lines_are_one_run(world: World) -> None:
    for number in range(5):
        await _write(world, f"line {number}", EIGHT_SECONDS)

    assert [run.status for run in await _open_runs(world)] == [RunStatus.QUEUED]


async def test_a_run_covers_all_that_was_there_when_it_began(world: World) -> None:
    for number in range(5):
        await _write(world, f"line {number}", EIGHT_SECONDS)
    [queued] = await _open_runs(world)

    claimed = await _claim(world, queued)

    assert claimed is not None
    assert claimed.based_on_seq == 5


async def test_a_line_that_is_heard_of_after_its_answer_asks_for_no_second_one(world: World) -> None:
    await _write(world, "line 1", AT_ONCE)
    await world.receive("line 2")
    conversation = await world.conversation()
    [queued] = await _open_runs(world)
    run = await _claim(world, queued)
    assert run is not None
    async with world.db.transaction(world.owner, "test") as tx:
        await runs.finish_run(
            tx, run, RunStatus.SUCCEEDED, outcome="drafted", reason="", usage=runs.Usage(0, 0, 0, 0, "")
        )
        late = await tx.value(
            "SELECT id FROM messages WHERE conversation_id = %(id)s ORDER BY seq DESC LIMIT 1",
            id=conversation.id,
        )
        await automation.evaluate(tx, MessageReceived(conversation.id, late), AT_ONCE)

    assert await _open_runs(world) == []


async def test_a_burst_cannot_hold_a_run_up_for_ever(world: World) -> None:
    await _write(world, "first", QuietWindow(8, 10))
    [first] = await _open_runs(world)
    for _ in range(3):
        await _write(world, "more", QuietWindow(30, 10))

    [held] = await _open_runs(world)

    assert (held.due_at - first.due_at).total_seconds() < 3


async def test_a_running_run_gives_way_once(world: World) -> None:
    await _write(world, "one", AT_ONCE)
    [first] = await _open_runs(world)
    await _claim(world, first)

    await _write(world, "two", AT_ONCE)
    [second] = await _open_runs(world)
    await _claim(world, second)
    await _write(world, "three", AT_ONCE)

    [still] = await _open_runs(world)
    assert (second.generation, still.id, still.again) == (1, second.id, True)


async def test_a_run_that_was_told_to_go_again_is_followed_by_another(world: World) -> None:
    for text in ("one", "two"):
        await _write(world, text, AT_ONCE)
        claimed = await _claim(world, (await _open_runs(world))[0])
    await _write(world, "three", AT_ONCE)
    assert claimed is not None

    async with world.db.transaction(world.owner, "test") as tx:
        assert await runs.finish_run(tx, claimed, RunStatus.SUCCEEDED, outcome="proposed")

    [following] = await _open_runs(world)
    assert following.id != claimed.id


async def test_a_held_run_cannot_be_claimed_and_a_lost_one_can(world: World) -> None:
    await _write(world, "one", AT_ONCE)
    [queued] = await _open_runs(world)

    first = await _claim(world, queued, lease_seconds=0)
    second = await _claim(world, queued, lease_seconds=30)

    assert first is not None
    assert second is not None
    assert await _claim(world, queued) is None
    async with world.db.transaction(world.owner, "test") as tx:
        assert not await runs.finish_run(tx, first, RunStatus.SUCCEEDED, outcome="late")
        assert await runs.finish_run(tx, second, RunStatus.SUCCEEDED, outcome="done")


async def test_a_conversation_that_a_person_holds_starts_no_run(world: World) -> None:
    await world.receive("Hello")
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        await take_over(tx, conversation.id)

    await _write(world, "Are you there?", AT_ONCE)

    assert await _open_runs(world) == []
