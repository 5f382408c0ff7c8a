"""The kill switch: a seat that is paused stops within two seconds, begins nothing, and sends nothing by itself."""

import asyncio
from time import monotonic

import pytest

from agents.llm.base import ModelReply, ModelRequest
from crm.bidi.actions import resume_bidi
from crm.bidi.queries import get_bidi
from crm.conversations.actions import outgoing_hash, queue_message
from crm.conversations.models import Attempt
from crm.conversations.queries import lock_conversation
from crm.conversations.sending import Wait, begin_attempt
from crm.drafts.models import DraftStatus
from crm.drafts.queries import get_draft
from crm.runs import halting
from crm.runs.model_calls import list_model_calls
from crm.runs.models import RunStatus
from events.ids import MessageId
from tests.support.office import Office

SECONDS = 2.0


class HangingModel:
    """Takes a question and never answers it."""

    label = "hanging"
    context_tokens = 8192

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.is_asked.set()
        await asyncio.Event().wait()
        raise AssertionError("Nobody ends this wait.")


async def pause(office: Office, *, everything: bool = False) -> None:
    async with office.db.transaction(office.owner, "test") as tx:
        if everything:
            assert await halting.pause_agents(tx) == [office.world.bidi_id]
        else:
            await halting.pause_seat(tx, office.world.bidi_id)


@pytest.mark.parametrize("everything", [False, True], ids=["the seat", "every agent"])
async def test_a_running_model_call_is_given_up_within_two_seconds(office: Office, everything: bool) -> None:
    # a lease as long as in production: its beat alone would notice after five seconds
    assert office.settings.lease_seconds >= 15
    model = office.model = HangingModel()
    run_id = await office.ask("price for 40 scanners?")
    work = asyncio.create_task(office.runtime().execute(office.owner.organization_id, run_id))
    await asyncio.wait_for(model.is_asked.wait(), 10)

    began = monotonic()
    await pause(office, everything=everything)
    is_ours = await work
    took = monotonic() - began

    assert took <= SECONDS
    assert not is_ours
    run = await office.run(run_id)
    assert (run.status, run.reason) == (RunStatus.CANCELLED, halting.PAUSED)
    assert await office.draft() is None


async def test_a_queued_run_never_begins(office: Office) -> None:
    run_id = await office.ask("price for 40 scanners?")

    await pause(office)
    run = await office.work(run_id)

    assert run.status is RunStatus.CANCELLED
    assert await office.draft() is None


async def test_a_run_that_is_asked_for_later_does_not_begin_either(office: Office) -> None:
    await pause(office)

    run = await office.answer("price for 40 scanners?")

    assert (run.status, run.reason) == (RunStatus.CANCELLED, "the seat is paused")
    async with office.db.transaction(office.owner, "test") as tx:
        assert await list_model_calls(tx, run.id) == []


async def test_a_seat_that_is_resumed_works_again(office: Office) -> None:
    await pause(office)
    async with office.db.transaction(office.owner, "test") as tx:
        await resume_bidi(tx, office.world.bidi_id)

    run = await office.answer("price for 40 scanners?")

    assert run.status is RunStatus.SUCCEEDED


async def test_drafts_that_wait_for_a_person_stay(office: Office) -> None:
    await office.answer("price for 40 scanners?")
    found = await office.draft()
    assert found is not None

    await pause(office)

    async with office.db.transaction(office.owner, "test") as tx:
        draft = await get_draft(tx, found[0].id)
        assert draft.status is DraftStatus.PENDING
        assert (await get_bidi(tx, draft.bidi_id)).is_paused


@pytest.mark.parametrize("is_approved", [False, True], ids=["by itself", "approved by a person"])
async def test_only_what_a_person_approved_still_goes_out(office: Office, is_approved: bool) -> None:
    message_id = await _queued(office, is_approved=is_approved)

    await pause(office)
    paused = await _attempt(office, message_id)

    if is_approved:
        assert isinstance(paused, Attempt)
        return
    assert isinstance(paused, Wait)
    async with office.db.transaction(office.owner, "test") as tx:
        await resume_bidi(tx, office.world.bidi_id)
    assert isinstance(await _attempt(office, message_id), Attempt)


async def _queued(office: Office, *, is_approved: bool) -> MessageId:
    await office.world.receive("Hello?")
    conversation = await office.conversation()
    async with office.db.transaction(office.owner, "test") as tx:
        conversation = await lock_conversation(tx, conversation.id)
        message = await queue_message(
            tx,
            conversation,
            body="We are on it.",
            content_hash=outgoing_hash(conversation, "We are on it."),
            author_kind="bidi",
            author_id=office.world.bidi_id,
            approved_by=office.owner.id if is_approved else None,
        )
        return message.id


async def _attempt(office: Office, message_id: MessageId) -> Attempt | Wait | None:
    async with office.db.transaction(office.owner, "test") as tx:
        return await begin_attempt(tx, message_id, 15)
