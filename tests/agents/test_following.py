"""The memory writer and the follow-up agent, driven by the offline model: from what was said to what is suggested."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from pydantic import JsonValue

from agents.llm.base import LanguageModel
from agents.llm.scripted import ScriptedModel, Turn
from core import clock
from core.db import Database
from core.principal import Principal, system
from core.settings import Settings
from crm.approvals.queries import list_tool_approvals
from crm.bidi.actions import pause_bidi
from crm.bidi.queries import get_bidi_of_agent
from crm.drafts.queries import find_pending_draft
from crm.facts.actions import confirm_fact
from crm.facts.models import Trust
from crm.promises.models import PromiseStatus
from crm.records.models import RecordRef
from crm.runs.models import RunStatus
from crm.suggestions import actions as suggestions
from crm.suggestions import watching
from crm.suggestions.models import Suggestion, SuggestionKind, SuggestionStatus
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from crm.tasks.queries import list_record_tasks
from events.ids import ContactId, ConversationId, RecordKind
from graph.postgres import PostgresGraph
from tests.support.following import Team
from tests.support.world import make_world
from tools.dispatch import Dispatcher

# A Wednesday
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


@pytest.fixture
async def team(database: Database, organization: Principal, settings: Settings) -> Team:
    return Team(await make_world(database, organization), settings, NOW)


async def _accept(team: Team, suggestion: Suggestion) -> None:
    """A person accepts, and a worker does it."""
    with clock.frozen(team.now):
        async with team.db.transaction(team.world.owner, "test") as tx:
            await suggestions.accept_suggestion(tx, suggestion.id, is_checked=True)
            calls = await list_tool_approvals(tx, suggestion_ids=[suggestion.id])
        dispatcher = Dispatcher(team.db, PostgresGraph(team.db))
        for call in calls:
            await dispatcher.carry_out(system(team.world.owner.organization_id), call.id)


# facts ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "predicate"),
    [
        ("Hello! I'm head of procurement at Lind.", "role"),
        ("У нас 40 сотрудников, всё на одном складе.", "company_size"),
    ],
)
async def test_what_a_contact_tells_of_themselves_is_remembered_in_quarantine(
    team: Team, said: str, predicate: str
) -> None:
    await team.hear(said)

    run = await team.rest()

    assert run is not None
    assert (run.status, run.outcome) == (RunStatus.SUCCEEDED, "remembered")
    (fact,) = await team.facts()
    assert (fact.predicate, fact.trust, fact.source_kind) == (predicate, Trust.QUARANTINED, "message")
    assert fact.text in said
    assert fact.valid_from == NOW + timedelta(minutes=1)


async def test_nothing_is_remembered_twice(team: Team) -> None:
    await team.hear("We use HubSpot for everything.")
    await team.rest()
    await team.hear("Thanks!")
    await team.rest()

    (fact,) = await team.facts()
    assert fact.confidence == pytest.approx(0.7)


async def test_what_is_said_again_later_is_believed_more_and_stays_in_quarantine(team: Team) -> None:
    await team.hear("We use HubSpot for everything.")
    await team.rest()
    await team.hear("we use HubSpot for everything")
    await team.rest()

    (fact,) = await team.facts()
    assert fact.confidence == pytest.approx(0.91)
    assert fact.trust is Trust.QUARANTINED


async def test_a_correction_ends_what_held_before(team: Team) -> None:
    await team.hear("Our budget is 10k EUR.")
    await team.rest()
    await team.hear("Our budget is 15k EUR now.")
    await team.rest()

    (fact,) = await team.facts()
    assert fact.text == "Our budget is 15k EUR now."
    async with team.db.transaction(team.world.owner, "test") as tx:
        before = await tx.value(
            "SELECT valid_to FROM facts WHERE text LIKE '%%10k%%' AND retracted_at IS NULL"
        )
    assert before == fact.valid_from


async def test_words_from_outside_end_nothing_that_a_person_confirmed(team: Team) -> None:
    await team.hear("Our budget is 10k EUR.")
    await team.rest()
    (fact,) = await team.facts()
    async with team.db.transaction(team.world.owner, "test") as tx:
        await confirm_fact(tx, fact.id)
    await team.hear("Our budget is 90k EUR now.")
    await team.rest()

    assert [(one.text, one.trust) for one in await team.facts()] == [
        ("Our budget is 10k EUR.", Trust.CONFIRMED),
        ("Our budget is 90k EUR now.", Trust.QUARANTINED),
    ]


async def test_an_absence_ends_by_itself(team: Team) -> None:
    await team.hear("I'm on vacation until 4 December.")
    await team.rest()
    (fact,) = await team.facts()
    assert fact.valid_to == datetime(2026, 12, 4, 18, tzinfo=UTC)

    team.now += timedelta(days=12)

    assert await team.facts() == []


async def test_a_quiet_conversation_is_not_read_again(team: Team) -> None:
    await team.hear("We use HubSpot for everything.")
    await team.rest()

    run = await team.rest()

    assert run is not None
    assert (run.outcome, run.tokens_in) == ("nothing", 0)


async def test_a_model_that_quotes_what_nobody_wrote_is_asked_again(team: Team) -> None:
    made_up: dict[str, JsonValue] = {
        "promises": [{"message": 1, "quote": "I will pay", "due_at": "2026-11-27T18:00:00+00:00"}]
    }
    right: dict[str, JsonValue] = {"facts": [{"message": 1, "predicate": "mood", "text": "They are glad."}]}
    team.model = cast(
        LanguageModel,
        ScriptedModel(
            {"remember": [Turn.model_validate({"value": made_up}), Turn.model_validate({"value": right})]}
        ),
    )
    await team.hear("We are glad.")

    await team.rest()

    assert [fact.predicate for fact in await team.facts()] == ["mood"]
    assert await team.promises() == []


async def test_a_paused_seat_reads_nothing(team: Team) -> None:
    await team.hear("We use HubSpot for everything.")
    await team.rest()
    async with team.db.transaction(team.world.owner, "test") as tx:
        await pause_bidi(tx, (await get_bidi_of_agent(tx, "memory_writer")).id)
    await team.hear("We are 40 people.")

    assert await team.rest() is None


# promises ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "due_at"),
    [
        ("I'll send the offer on Friday.", datetime(2026, 11, 27, 18, tzinfo=UTC)),
        ("Пришлю договор в пятницу.", datetime(2026, 11, 27, 18, tzinfo=UTC)),
        ("We will get back to you by Monday, 11:00.", datetime(2026, 11, 30, 11, tzinfo=UTC)),
    ],
)
async def test_a_promise_is_noted_with_its_message_and_its_time(
    team: Team, said: str, due_at: datetime
) -> None:
    await team.hear("Hello")
    await team.say(said)
    await team.rest()

    (promise,) = await team.promises()
    assert (promise.is_ours, promise.quote, promise.due_at) == (True, said, due_at)
    assert promise.made_at == NOW + timedelta(minutes=2)


async def test_a_promise_that_is_kept_is_seen_as_kept(team: Team) -> None:
    await team.hear("Hello")
    await team.say("I'll send the offer on Friday.")
    await team.rest()
    await team.say("As promised, here is the offer.")
    await team.rest()

    (promise,) = await team.promises()
    assert (promise.status, promise.kept_message_id is not None) == (PromiseStatus.KEPT, True)
    assert await team.fall_due(promise) is None or (await team.suggestions()) == []


async def test_a_promise_of_ours_that_falls_due_becomes_a_task_once_it_is_accepted(team: Team) -> None:
    await team.hear("Hello")
    await team.say("I'll send the offer on Friday.")
    await team.rest()
    (promise,) = await team.promises()

    run = await team.fall_due(promise)

    assert run is not None
    assert (run.status, run.outcome, run.conversation_id) == (RunStatus.SUCCEEDED, "suggested", None)
    (suggestion,) = await team.suggestions()
    assert (suggestion.kind, suggestion.record_name) == (SuggestionKind.PROMISE, "Vera Lind")
    assert [one.quote for one in suggestion.rests_on] == ["I'll send the offer on Friday."]
    assert not suggestion.needs_check
    await _accept(team, suggestion)
    async with team.db.transaction(team.world.owner, "test") as tx:
        (task,) = await list_record_tasks(tx, RecordRef(RecordKind.CONTACT, suggestion.record_id))
    assert "I'll send the offer on Friday." in task.title
    # the Monday after that Friday
    assert task.due_at == datetime(2026, 11, 30, 10, tzinfo=UTC)


async def test_a_promise_of_theirs_that_falls_due_becomes_a_draft_once_it_is_accepted(team: Team) -> None:
    await team.hear("Пришлю реквизиты в пятницу.")
    await team.rest()
    (promise,) = await team.promises()
    await team.fall_due(promise)
    (suggestion,) = await team.suggestions()

    await _accept(team, suggestion)

    conversation = await team.world.conversation()
    async with team.db.transaction(team.world.owner, "test") as tx:
        draft = await find_pending_draft(tx, conversation.id)
        seat = await get_bidi_of_agent(tx, "follow_up")
    assert draft is not None
    assert (draft.bidi_id, "25.11" in draft.body) == (seat.id, True)


async def test_what_was_dismissed_does_not_come_back(team: Team) -> None:
    await team.hear("I'll send the numbers on Friday.")
    await team.rest()
    (promise,) = await team.promises()
    await team.fall_due(promise)
    (suggestion,) = await team.suggestions()
    with clock.frozen(team.now):
        async with team.db.transaction(team.world.owner, "test") as tx:
            await suggestions.dismiss_suggestion(tx, suggestion.id)

    team.now += timedelta(days=2)
    run = await team.fall_due(promise)

    assert run is not None
    assert run.outcome == "known"
    assert [one.status for one in await team.suggestions()] == [SuggestionStatus.DISMISSED]


async def test_a_promise_that_was_kept_meanwhile_is_noted_instead_of_suggested(team: Team) -> None:
    """Nobody has read the last lines when it falls due."""
    await team.hear("Hello")
    await team.say("I'll send the offer on Friday.")
    await team.rest()
    await team.say("Here is the offer.")
    (promise,) = await team.promises()

    run = await team.fall_due(promise)

    assert run is not None
    assert (run.outcome, await team.suggestions()) == ("kept", [])


# deals ------------------------------------------------------------------------------------------------------------------
async def test_a_deal_that_stands_still_is_brought_up(team: Team) -> None:
    await team.hear("What does it cost?")
    deal = await team.deal(limit_hours=72)

    assert await team.look_at(deal) is None
    team.now += timedelta(hours=73)
    run = await team.look_at(deal)

    assert run is not None
    (suggestion,) = await team.suggestions()
    assert (suggestion.kind, suggestion.record_id) == (SuggestionKind.STALLED_DEAL, deal.id)
    assert [call.tool for call in suggestion.proposed] == ["create_task"]
    assert suggestion.why == "Vera Lind wrote last and has no answer; nothing has happened for 3 days."


async def test_a_deal_for_which_something_is_planned_does_not_stand_still(team: Team) -> None:
    await team.hear("What does it cost?")
    deal = await team.deal(limit_hours=72)
    with clock.frozen(team.now):
        async with team.db.transaction(team.world.owner, "test") as tx:
            about = RecordRef(RecordKind.DEAL, deal.id)
            await create_task(tx, NewTask("Call", about, due_at=team.now + timedelta(days=5)))
    team.now += timedelta(hours=73)

    assert await team.look_at(deal) is None


async def test_a_refusal_suggests_to_close_the_deal(team: Team) -> None:
    await team.hear("Спасибо, но уже не актуально, выбрали другого поставщика.")
    deal = await team.deal(limit_hours=24)
    team.now += timedelta(hours=25)
    await team.look_at(deal)

    (suggestion,) = await team.suggestions()
    assert [call.tool for call in suggestion.proposed] == ["move_deal_stage"]


async def test_when_the_contact_writes_a_deal_stands_still_no_more(team: Team) -> None:
    await team.hear("What does it cost?")
    deal = await team.deal(limit_hours=72)
    team.now += timedelta(hours=73)
    await team.look_at(deal)
    conversation = await team.world.conversation()

    async with team.db.transaction(system(team.world.owner.organization_id), "test") as tx:
        await watching.note_heard(tx, ContactId(conversation.contact_id))

    assert [one.status for one in await team.suggestions()] == [SuggestionStatus.EXPIRED]


async def test_one_run_looks_at_a_time(team: Team) -> None:
    await team.hear("What does it cost?")
    conversation = await team.world.conversation()
    async with team.db.transaction(system(team.world.owner.organization_id), "test") as tx:
        first = await watching.read_at_rest(tx, ConversationId(conversation.id), rest=timedelta(0))
        second = await watching.read_at_rest(tx, ConversationId(conversation.id), rest=timedelta(0))

    assert (first is not None, second) == (True, None)
