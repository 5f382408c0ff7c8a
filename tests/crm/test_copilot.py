"""Chats with the copilot: each member's own, one question at a time, each with a run of its own."""

from dataclasses import replace

import pytest

from core.db import Database, Tx
from core.errors import Conflict, Forbidden, NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal, PrincipalKind, Visibility
from crm.bidi.models import Autonomy
from crm.bidi.queries import find_own_member, get_bidi, list_bidi
from crm.copilot import actions as copilot
from crm.copilot.models import MAX_QUESTION, About, AboutKind, Citation, Question, QuestionStatus
from crm.copilot.queries import find_asker, get_chat, get_question, list_chats, list_exchange, list_questions
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.runs.actions import claim_run, finish_run, give_up_run, renew_run, stop_run
from crm.runs.models import RunStatus
from crm.runs.queries import get_run
from tests.support.changes import changes_of
from tests.support.organizations import add_member


async def answered(tx: Tx, question: Question, answer: str) -> None:
    run = await claim_run(tx, question.run_id, 60)
    assert run is not None
    assert await finish_run(tx, run, RunStatus.SUCCEEDED, outcome="answered")
    await copilot.keep_answer(tx, run.id, answer, [Citation(1, "deal", uuid7(), "40 scanners")])


async def test_a_question_opens_a_chat_and_asks_for_a_run(
    database: Database, organization: Principal
) -> None:
    about = About(AboutKind.DEAL, uuid7())
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "  Who decides here? ", about)

        run = await get_run(tx, question.run_id)
        seat = await get_bidi(tx, run.bidi_id)
        chat = await get_chat(tx, question.chat_id)

        assert (question.question, question.about, question.status) == ("Who decides here?", about, "waiting")
        assert (run.agent, run.conversation_id, run.status) == ("copilot", None, RunStatus.QUEUED)
        assert (seat.name, seat.autonomy) == ("Copilot", Autonomy.SUGGEST)
        assert chat.title == "Who decides here?"
        assert [event.type for event in await changes_of(tx, run.id)] == ["ai.run.requested"]


async def test_an_organization_has_one_copilot(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        for _ in range(3):
            await copilot.start_chat(tx, "Hello")

        assert [seat.agent for seat in await list_bidi(tx)] == ["copilot"]


async def test_a_run_without_a_conversation_lives_as_any_other(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "Hello")
        run = await claim_run(tx, question.run_id, 60)
        assert run is not None
        assert run.based_on_seq is None
        assert await claim_run(tx, question.run_id, 60) is None
        assert await renew_run(tx, run, 60)
        assert await finish_run(tx, run, RunStatus.SUCCEEDED, outcome="answered")

        told = [event.type for event in await changes_of(tx, run.id)]

    assert told == ["ai.run.requested", "ai.run.started", "ai.run.finished"]


async def test_a_run_that_was_tried_often_enough_is_given_up(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "Hello")

        run = await give_up_run(tx, question.run_id, "it broke")

        assert run is not None
        assert [event.type for event in await changes_of(tx, run.id)][-1] == "ai.run.failed"


async def test_only_who_manages_seats_stops_somebody_elses_run(
    database: Database, organization: Principal
) -> None:
    supervisor = await add_member(database, organization, Role.SUPERVISOR)
    rep = await add_member(database, organization, Role.BIDI)
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "Hello")
    async with database.transaction(supervisor, "test") as tx:
        with pytest.raises(Forbidden):
            await stop_run(tx, question.run_id)
    async with database.transaction(rep, "test") as tx:
        with pytest.raises(NotFound):
            await stop_run(tx, question.run_id)
    async with database.transaction(organization, "test") as tx:
        assert (await stop_run(tx, question.run_id)).status is RunStatus.CANCELLED


async def test_an_answer_stands_beside_its_question(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "What is it worth?")
        await answered(tx, question, "It is worth 8160 EUR. [1]")

        told = await get_question(tx, question.id)

        assert (told.status, told.answer) == (QuestionStatus.ANSWERED, "It is worth 8160 EUR. [1]")
        assert [(one.n, one.kind, one.label) for one in told.cited] == [(1, "deal", "40 scanners")]
        assert [event.type for event in await changes_of(tx, question.chat_id)] == [
            "ai.copilot.asked",
            "ai.copilot.answered",
        ]


async def test_a_run_sees_its_question_and_what_came_before(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        first = await copilot.start_chat(tx, "One?")
        await answered(tx, first, "One.")
        second = await copilot.ask(tx, first.chat_id, "Two?")
        await answered(tx, second, "Two.")
        third = await copilot.ask(tx, first.chat_id, "Three?")

        seen = await list_exchange(tx, second.run_id, last=10)
        asker = await find_asker(tx, third.run_id)
        chat = await get_chat(tx, first.chat_id)

        assert [one.question for one in seen] == ["One?", "Two?"]
        assert [one.question for one in await list_questions(tx, chat, last=2)] == ["Two?", "Three?"]
        assert asker is not None
        assert asker.user_id == organization.id


async def test_a_chat_waits_for_one_answer_at_a_time(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "One?")

        with pytest.raises(Conflict, match="still at your last question"):
            await copilot.ask(tx, question.chat_id, "Two?")
        with pytest.raises(Conflict, match="stop it first"):
            await copilot.remove_chat(tx, question.chat_id)


async def test_a_stopped_question_waits_no_longer(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "One?")
        run = await claim_run(tx, question.run_id, 60)
        assert run is not None

        stopped = await copilot.stop_answer(tx, question.id)
        is_held = await renew_run(tx, run, 60)
        again = await copilot.ask(tx, question.chat_id, "Two?")

        assert stopped.status is QuestionStatus.STOPPED
        assert not is_held
        assert again.status is QuestionStatus.WAITING
        assert (await copilot.stop_answer(tx, question.id)).status is QuestionStatus.STOPPED


async def test_nobody_else_sees_a_chat(database: Database, organization: Principal) -> None:
    admin = await add_member(database, organization, Role.ADMIN)
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "What does Ann earn?")
    async with database.transaction(admin, "test") as tx:
        assert (await list_chats(tx)).items == []
        for attempt in (
            get_chat(tx, question.chat_id),
            get_question(tx, question.id),
            copilot.ask(tx, question.chat_id, "And Bob?"),
            copilot.stop_answer(tx, question.id),
            copilot.remove_chat(tx, question.chat_id),
        ):
            with pytest.raises(NotFound):
                await attempt


async def test_a_seat_does_not_talk_to_the_copilot(database: Database, organization: Principal) -> None:
    seat = replace(organization, kind=PrincipalKind.BIDI)
    async with database.transaction(seat, "test") as tx:
        with pytest.raises(Forbidden):
            await copilot.start_chat(tx, "Hello")


@pytest.mark.parametrize("words", ["", "  \n", "x" * (MAX_QUESTION + 1)])
async def test_a_question_has_some_words_and_not_too_many(
    database: Database, organization: Principal, words: str
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await copilot.start_chat(tx, words)


async def test_a_removed_chat_is_gone(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "One?")
        await answered(tx, question, "One.")

        await copilot.remove_chat(tx, question.chat_id)

        with pytest.raises(NotFound):
            await get_question(tx, question.id)


async def test_chats_are_listed_by_their_last_question(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        old = await copilot.start_chat(tx, "Old?")
        await answered(tx, old, "Yes.")
    async with database.transaction(organization, "test") as tx:
        new = await copilot.start_chat(tx, "New?")
    async with database.transaction(organization, "test") as tx:
        assert [chat.id for chat in (await list_chats(tx)).items] == [new.chat_id, old.chat_id]
        await copilot.ask(tx, old.chat_id, "Still?")
        first = await list_chats(tx, limit=1)
        second = await list_chats(tx, cursor=first.next_cursor, limit=1)

        assert [chat.id for chat in (*first.items, *second.items)] == [old.chat_id, new.chat_id]


async def test_the_seat_may_do_no_more_than_its_asker(database: Database, organization: Principal) -> None:
    viewer = await add_member(database, organization, Role.VIEWER)
    async with database.transaction(viewer, "test") as tx:
        question = await copilot.start_chat(tx, "Hello")
        seat = await get_bidi(tx, (await get_run(tx, question.run_id)).bidi_id)
        own = await find_member_id(tx, viewer.id)
    own_eyes = replace(viewer, visibility=Visibility.ASSIGNED)

    principal = seat.principal(question.run_id).on_behalf_of(own_eyes)

    assert principal.scopes == frozenset(seat.scopes) & viewer.scopes
    assert not any(scope.endswith(":write") for scope in principal.scopes)
    assert principal.visibility is Visibility.ASSIGNED
    async with database.transaction(principal, "test") as tx:
        assert await find_own_member(tx) == own


async def test_a_seat_keeps_its_own_limits_for_an_owner(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        question = await copilot.start_chat(tx, "Hello")
        seat = await get_bidi(tx, (await get_run(tx, question.run_id)).bidi_id)

    assert seat.principal().on_behalf_of(organization).scopes == frozenset(seat.scopes)
