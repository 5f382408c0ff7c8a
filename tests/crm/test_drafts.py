"""A proposal is decided once, about exactly the text that was read, and sent at most once."""

import asyncio
from datetime import timedelta

import pytest

from core import clock
from core.db import Database
from core.errors import Conflict, Forbidden, NotFound, Stale, Unprocessable
from core.principal import Principal, PrincipalKind
from crm.bidi.queries import get_bidi
from crm.conversations import actions as conversations
from crm.conversations.models import Direction, MessageStatus
from crm.conversations.queries import list_messages
from crm.drafts import actions as drafts
from crm.drafts.models import Draft, DraftStatus, Flag, NewDraft, Origin
from crm.drafts.queries import get_draft, list_evidence
from crm.runs import yielding
from events.ids import DraftId
from tests.support.world import World, make_world


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    made = await make_world(database, organization)
    await made.receive("Hello")
    return made


async def _outgoing(world: World) -> list[tuple[str, MessageStatus]]:
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        messages = await list_messages(tx, conversation.id)
    return [(message.body, message.status) for message in messages if message.direction is Direction.OUT]


async def _approve(world: World, draft: Draft, *, version: int | None = None) -> Draft:
    async with world.db.transaction(world.owner, "test") as tx:
        return await drafts.approve_draft(tx, draft.id, version=draft.version if version is None else version)


async def test_approving_queues_exactly_the_text(world: World) -> None:
    draft = await world.draft("The price is €17.")

    approved = await _approve(world, draft)

    assert approved.status is DraftStatus.APPROVED
    assert await _outgoing(world) == [("The price is €17.", MessageStatus.QUEUED)]


async def test_a_draft_keeps_what_it_rests_on(world: World) -> None:
    draft = await world.draft("Hello Vera")

    async with world.db.transaction(world.owner, "test") as tx:
        evidence = await list_evidence(tx, draft.id)

    assert [(item.label, item.statement) for item in evidence] == [("Vera", "Hello Vera")]


async def test_approving_an_approved_draft_is_a_conflict(world: World) -> None:
    draft = await world.draft()
    await _approve(world, draft)

    with pytest.raises(Conflict, match="already approved"):
        await _approve(world, draft)


async def test_many_approvals_at_once_send_once(world: World) -> None:
    draft = await world.draft()

    outcomes = await asyncio.gather(*(_approve(world, draft) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, Draft) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Draft | Conflict) for outcome in outcomes)
    assert len(await _outgoing(world)) == 1


async def test_an_approval_of_an_older_version_is_stale(world: World) -> None:
    draft = await world.draft()
    async with world.db.transaction(world.owner, "test") as tx:
        edited = await drafts.edit_draft(tx, draft.id, version=draft.version, body="Better text")

    with pytest.raises(Stale):
        await _approve(world, draft)

    assert (await _approve(world, edited)).body == "Better text"
    assert await _outgoing(world) == [("Better text", MessageStatus.QUEUED)]


async def test_the_first_wording_survives_edits(world: World) -> None:
    draft = await world.draft("First")
    async with world.db.transaction(world.owner, "test") as tx:
        second = await drafts.edit_draft(tx, draft.id, version=draft.version, body="Second")
        third = await drafts.edit_draft(tx, draft.id, version=second.version, body="Third")

    assert (third.original_body, third.body, third.version) == ("First", "Third", 3)


async def test_a_draft_that_does_not_know_the_newest_message_cannot_be_approved(world: World) -> None:
    draft = await world.draft()
    await world.receive("wait, one more question")

    with pytest.raises(Conflict, match="wrote again"):
        await _approve(world, draft)

    assert await _outgoing(world) == []


async def test_writing_a_draft_about_an_older_state_is_a_conflict(world: World) -> None:
    conversation = await world.conversation()
    await world.receive("and another line")

    with pytest.raises(Conflict, match="wrote again"):
        async with world.db.transaction(world.owner, "test") as tx:
            await drafts.create_draft(
                tx,
                NewDraft(conversation.id, "Hello", "en"),
                Origin(None, world.bidi_id, conversation.last_inbound_seq, 0, "test"),
            )


async def test_a_newer_draft_takes_the_place_of_the_older(world: World) -> None:
    first = await world.draft("One")
    await world.draft("Two")

    async with world.db.transaction(world.owner, "test") as tx:
        assert (await get_draft(tx, first.id)).status is DraftStatus.SUPERSEDED


async def test_a_marked_value_must_be_checked_first(world: World) -> None:
    draft = await world.draft("Pay to x@evil.example", flags=(Flag("new_address", "x@evil.example"),))

    with pytest.raises(Conflict, match="check"):
        await _approve(world, draft)
    async with world.db.transaction(world.owner, "test") as tx:
        checked = await drafts.check_draft(tx, draft.id, version=draft.version)

    assert (await _approve(world, checked)).status is DraftStatus.APPROVED


async def test_a_rejected_draft_sends_nothing(world: World) -> None:
    draft = await world.draft()
    async with world.db.transaction(world.owner, "test") as tx:
        rejected = await drafts.reject_draft(tx, draft.id, version=draft.version, reason="wrong tone")

    assert (rejected.status, rejected.reason) == (DraftStatus.REJECTED, "wrong tone")
    assert await _outgoing(world) == []


async def test_feedback_needs_words(world: World) -> None:
    draft = await world.draft()

    with pytest.raises(Unprocessable, match="feedback"):
        async with world.db.transaction(world.owner, "test") as tx:
            await drafts.respond_to_draft(tx, draft.id, version=draft.version, feedback=" ")


async def test_a_scheduled_send_can_be_taken_back(world: World) -> None:
    draft = await world.draft()
    async with world.db.transaction(world.owner, "test") as tx:
        await drafts.approve_draft(
            tx, draft.id, version=draft.version, send_at=clock.now() + timedelta(hours=1)
        )

    async with world.db.transaction(world.owner, "test") as tx:
        reopened = await drafts.cancel_scheduled_send(tx, draft.id)

    assert reopened.status is DraftStatus.PENDING
    assert await _outgoing(world) == [(draft.body, MessageStatus.CANCELLED)]
    assert (await _approve(world, reopened)).status is DraftStatus.APPROVED


async def test_a_person_who_took_over_stops_the_agent(world: World) -> None:
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        await conversations.take_over(tx, conversation.id)

    with pytest.raises(Conflict, match="took this conversation over"):
        await world.draft()


@pytest.mark.parametrize("verb", ["approve", "edit", "reject", "respond", "snooze", "check"])
async def test_every_verb_needs_the_right_to_decide(world: World, verb: str) -> None:
    draft = await world.draft()
    viewer = Principal(
        PrincipalKind.USER, world.owner.id, world.owner.organization_id, frozenset({"crm:read"})
    )
    calls = {
        "approve": lambda tx: drafts.approve_draft(tx, draft.id, version=1),
        "edit": lambda tx: drafts.edit_draft(tx, draft.id, version=1, body="x"),
        "reject": lambda tx: drafts.reject_draft(tx, draft.id, version=1),
        "respond": lambda tx: drafts.respond_to_draft(tx, draft.id, version=1, feedback="x"),
        "snooze": lambda tx: drafts.snooze_draft(
            tx, draft.id, version=1, until=clock.now() + timedelta(hours=1)
        ),
        "check": lambda tx: drafts.check_draft(tx, draft.id, version=1),
    }

    with pytest.raises(Forbidden):
        async with world.db.transaction(viewer, "test") as tx:
            await calls[verb](tx)


async def test_a_draft_of_another_organization_is_not_found(
    world: World, database: Database, other_organization: Principal
) -> None:
    draft = await world.draft()

    with pytest.raises(NotFound):
        async with database.transaction(other_organization, "test") as tx:
            await drafts.approve_draft(tx, DraftId(draft.id), version=1)


async def test_a_person_who_takes_over_puts_aside_what_waits(world: World) -> None:
    draft = await world.draft()
    conversation = await world.conversation()

    async with world.db.transaction(world.owner, "test") as tx:
        await yielding.take_over(tx, conversation.id)
        found = await get_draft(tx, draft.id)

    assert (found.status, found.reason) == (DraftStatus.SUPERSEDED, yielding.TAKEN)


@pytest.mark.parametrize("verb", ["take", "write"])
async def test_what_no_person_approved_does_not_go_out_after_a_person_came(world: World, verb: str) -> None:
    draft = await world.draft()
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        seat = (await get_bidi(tx, world.bidi_id)).principal()
    async with world.db.transaction(seat, "test") as tx:
        await drafts.send_by_policy(tx, draft.id)

    async with world.db.transaction(world.owner, "test") as tx:
        if verb == "take":
            await yielding.take_over(tx, conversation.id)
        else:
            await yielding.write(tx, conversation.id, body="I am here.")
        found = await get_draft(tx, draft.id)

    assert found.status is DraftStatus.SUPERSEDED
    sent = [] if verb == "take" else [("I am here.", MessageStatus.QUEUED)]
    assert await _outgoing(world) == [(draft.body, MessageStatus.CANCELLED), *sent]


async def test_what_a_person_approved_goes_out_whoever_takes_the_conversation(world: World) -> None:
    draft = await world.draft()
    await _approve(world, draft)
    conversation = await world.conversation()

    async with world.db.transaction(world.owner, "test") as tx:
        await yielding.take_over(tx, conversation.id)

    assert await _outgoing(world) == [(draft.body, MessageStatus.QUEUED)]
