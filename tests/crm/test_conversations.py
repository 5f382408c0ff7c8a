"""Messages come in once, keep their first wording, and never disappear."""

import asyncio

import pytest

from core import clock
from core.db import Database
from core.errors import Forbidden, Unprocessable
from core.principal import Principal, PrincipalKind
from crm.contacts.queries import list_contacts
from crm.conversations import actions as conversations
from crm.conversations.models import ConversationStatus, HandoffReason, HolderKind, MessageStatus, Reception
from crm.conversations.queries import list_messages
from tests.support.world import World, make_world


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    return await make_world(database, organization)


async def _messages(world: World) -> list[str]:
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        return [message.body for message in await list_messages(tx, conversation.id)]


async def test_a_message_opens_a_conversation(world: World) -> None:
    assert await world.receive("Hello") is Reception.ACCEPTED

    conversation = await world.conversation()
    assert (conversation.last_seq, conversation.last_inbound_seq, conversation.read_seq) == (1, 1, 0)


async def test_the_same_update_twice_is_one_message(world: World) -> None:
    await world.receive("Hello", update_id="7", message_id="1")

    assert await world.receive("Hello", update_id="7", message_id="1") is Reception.DUPLICATE
    assert await _messages(world) == ["Hello"]


async def test_the_same_message_under_another_update_is_one_message(world: World) -> None:
    await world.receive("Hello", update_id="7", message_id="1")

    assert await world.receive("Hello", update_id="8", message_id="1") is Reception.DUPLICATE
    assert await _messages(world) == ["Hello"]


async def test_the_same_update_at_the_same_time_is_one_message(world: World) -> None:
    outcomes = await asyncio.gather(
        *(world.receive("Hello", update_id="9", message_id="3") for _ in range(6))
    )

    assert sorted(outcomes) == [Reception.ACCEPTED, *[Reception.DUPLICATE] * 5]
    assert await _messages(world) == ["Hello"]


async def test_lines_written_at_once_get_a_number_each(world: World) -> None:
    await asyncio.gather(*(world.receive(f"line {number}") for number in range(8)))

    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        assert [message.seq for message in await list_messages(tx, conversation.id)] == list(range(1, 9))


async def test_an_edit_keeps_the_first_wording(world: World) -> None:
    await world.receive("how much for 40?", message_id="5")

    await world.receive("how much for 50?", message_id="5", is_edit=True)

    assert await _messages(world) == ["how much for 50?"]
    async with world.db.transaction(world.owner, "test") as tx:
        assert (
            await tx.value("SELECT original_body FROM messages WHERE external_id = '5'") == "how much for 40?"
        )


async def test_an_edit_of_a_message_that_was_never_seen_is_kept_as_a_message(world: World) -> None:
    await world.receive("late edit", message_id="6", is_edit=True)

    assert await _messages(world) == ["late edit"]


async def test_a_message_reopens_a_resolved_conversation(world: World) -> None:
    await world.receive("Hello")
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        await conversations.resolve_conversation(tx, conversation.id)

    await world.receive("One more thing")

    assert (await world.conversation()).status is ConversationStatus.OPEN


async def test_a_person_who_writes_takes_the_conversation(world: World) -> None:
    await world.receive("Hello")
    conversation = await world.conversation()

    async with world.db.transaction(world.owner, "test") as tx:
        message = await conversations.compose_message(tx, conversation.id, body="  Hi Vera  ")

    taken = await world.conversation()
    assert (message.body, message.status) == ("Hi Vera", MessageStatus.QUEUED)
    assert (taken.holder_kind, taken.holder_id) == (HolderKind.PERSON, world.owner.id)
    assert taken.read_seq == taken.last_seq


@pytest.mark.parametrize(("body", "problem"), [("   ", "empty"), ("x" * 4097, "4097 characters")])
async def test_a_message_that_cannot_be_sent_is_refused_by_name(
    world: World, body: str, problem: str
) -> None:
    await world.receive("Hello")
    conversation = await world.conversation()

    with pytest.raises(Unprocessable, match=problem):
        async with world.db.transaction(world.owner, "test") as tx:
            await conversations.compose_message(tx, conversation.id, body=body)


async def test_a_viewer_cannot_write(world: World) -> None:
    await world.receive("Hello")
    conversation = await world.conversation()
    viewer = Principal(
        PrincipalKind.USER, world.owner.id, world.owner.organization_id, frozenset({"crm:read"})
    )

    with pytest.raises(Forbidden):
        async with world.db.transaction(viewer, "test") as tx:
            await conversations.compose_message(tx, conversation.id, body="Hi")


async def test_a_snooze_needs_a_time_to_come(world: World) -> None:
    await world.receive("Hello")
    conversation = await world.conversation()

    with pytest.raises(Unprocessable, match="past"):
        async with world.db.transaction(world.owner, "test") as tx:
            await conversations.snooze_conversation(tx, conversation.id, until=clock.now())


async def test_a_handoff_says_why_and_frees_the_conversation(world: World) -> None:
    await world.receive("I want to talk to a person")
    conversation = await world.conversation()

    async with world.db.transaction(world.owner, "test") as tx:
        await conversations.hand_off(
            tx,
            conversation.id,
            reason=HandoffReason.CUSTOMER_REQUEST,
            summary="Asks for a person",
            next_step="Call",
        )

    handed = await world.conversation()
    assert handed.handoff_reason is HandoffReason.CUSTOMER_REQUEST
    assert (handed.holder_kind, handed.handoff_summary) == (None, "Asks for a person")


async def test_the_contact_shows_when_a_message_last_went_either_way(world: World) -> None:
    await world.receive("Hello")
    await world.receive("Are you there?")

    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        (line,) = (await list_contacts(tx)).items
    assert line.last_message_at == conversation.last_message_at
