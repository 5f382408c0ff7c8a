"""The send machine: one attempt at a time, nothing repeated whose fate is not known."""

from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from core.principal import Principal
from crm.channel_accounts.actions import block_until
from crm.conversations import actions as conversations
from crm.conversations import sending
from crm.conversations.models import Attempt, MessageStatus
from crm.conversations.queries import get_message
from crm.conversations.sending import Wait
from events.ids import MessageId
from tests.support.world import World, make_world


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    made = await make_world(database, organization)
    await made.receive("Hello")
    return made


@pytest.fixture
async def message_id(world: World) -> MessageId:
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        return (await conversations.compose_message(tx, conversation.id, body="Hi")).id


async def _begin(world: World, message_id: MessageId, lease_seconds: float = 30) -> Attempt | Wait | None:
    async with world.db.transaction(world.owner, "test") as tx:
        return await sending.begin_attempt(tx, message_id, lease_seconds)


async def _status(world: World, message_id: MessageId) -> MessageStatus:
    async with world.db.transaction(world.owner, "test") as tx:
        return (await get_message(tx, message_id)).status


async def test_a_second_attempt_waits_for_the_first(world: World, message_id: MessageId) -> None:
    assert isinstance(await _begin(world, message_id), Attempt)
    assert isinstance(await _begin(world, message_id), Wait)


async def test_an_attempt_that_nobody_came_back_from_is_unknown_and_not_repeated(
    world: World, message_id: MessageId
) -> None:
    assert isinstance(await _begin(world, message_id, lease_seconds=0), Attempt)

    assert await _begin(world, message_id) is None
    assert await _status(world, message_id) is MessageStatus.UNKNOWN
    assert await _begin(world, message_id) is None


async def test_a_late_success_after_the_lease_is_fenced_off(world: World, message_id: MessageId) -> None:
    attempt = await _begin(world, message_id, lease_seconds=0)
    assert isinstance(attempt, Attempt)
    await _begin(world, message_id)

    async with world.db.transaction(world.owner, "test") as tx:
        assert not await sending.record_sent(tx, attempt, "42")
    assert await _status(world, message_id) is MessageStatus.UNKNOWN


async def test_what_did_not_leave_may_be_tried_again_with_the_same_key(
    world: World, message_id: MessageId
) -> None:
    first = await _begin(world, message_id)
    assert isinstance(first, Attempt)
    async with world.db.transaction(world.owner, "test") as tx:
        await sending.requeue(tx, first, "connection refused")

    second = await _begin(world, message_id)

    assert isinstance(second, Attempt)
    assert (second.key, second.fence > first.fence) == (first.key, True)


async def test_a_pause_of_the_account_is_no_delay_of_the_message(world: World, message_id: MessageId) -> None:
    for _ in range(60):
        paused = await _begin(world, message_id)
        assert isinstance(paused, Attempt)
        async with world.db.transaction(world.owner, "test") as tx:
            await sending.requeue(tx, paused, "flood wait")
    delayed = await _begin(world, message_id)
    assert isinstance(delayed, Attempt)
    async with world.db.transaction(world.owner, "test") as tx:
        await sending.delay(tx, delayed, "greylisted")

    last = await _begin(world, message_id)

    assert isinstance(last, Attempt)
    assert (delayed.delays, last.delays) == (0, 1)


async def test_a_blocked_account_waits(world: World, message_id: MessageId) -> None:
    async with world.db.transaction(world.owner, "test") as tx:
        await block_until(tx, world.account.id, clock.now() + timedelta(seconds=60))

    waiting = await _begin(world, message_id)

    assert isinstance(waiting, Wait)
    assert 50 < waiting.delay.total_seconds() <= 60


async def test_a_sent_message_is_not_sent_again(world: World, message_id: MessageId) -> None:
    attempt = await _begin(world, message_id)
    assert isinstance(attempt, Attempt)
    async with world.db.transaction(world.owner, "test") as tx:
        assert await sending.record_sent(tx, attempt, "42")

    assert await _begin(world, message_id) is None
    assert await _status(world, message_id) is MessageStatus.SENT
