"""Runs of the copilot, the memory writer and the follow-up agent are run again from any step, dry, as they were then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import JsonValue

from agents.agent import NeverThere
from agents.copilot.graph import rewind
from agents.copilot.state import Call, Turn
from agents.llm.offline.model import OfflineModel
from agents.llm.scripted import ScriptedModel
from agents.llm.scripted import Turn as Played
from core import clock
from core.db import Database
from core.errors import Conflict, Forbidden
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.copilot import actions as copilot
from crm.copilot.models import Question
from crm.deals.actions import move_stage
from crm.deals.queries import get_deal
from crm.identity.models import Role, member_principal
from crm.pipelines.queries import list_stages
from crm.promises.actions import keep_promise
from crm.runs.models import Run
from crm.runs.replays import NEVER_THERE, NewReplay, ReplayStatus
from crm.runs.tool_calls import ToolCall, list_tool_calls
from events.ids import DealId, OrganizationId, UserId
from tests.support.following import Team
from tests.support.isolation.catalogue import Admin
from tests.support.replaying import Rehearsing
from tests.support.world import make_world

# A Wednesday
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
SAID = "I'm head of procurement at Lind. I will send you the floor plan by Friday."


@pytest.fixture
async def team(database: Database, organization: Principal, settings: Settings) -> Team:
    return Team(await make_world(database, organization), settings, NOW)


@pytest.fixture
def rehearsing(team: Team) -> Rehearsing:
    return Rehearsing(team.db, team.settings, team.world.owner)


async def calls_of(team: Team, run: Run) -> list[ToolCall]:
    async with team.db.transaction(team.world.owner, "test") as tx:
        return await list_tool_calls(tx, run.id)


def made(calls: list[ToolCall] | list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """The calls by what was called with what."""
    told = [call if isinstance(call, dict) else vars(call) for call in calls]
    return [(call["tool"], call["arguments"]) for call in told]


def but_its_own(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {table for table in after if after[table] != before[table]} - {"run_replays"}


# the memory writer ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("step", ["read", "extract", "write"])
async def test_a_conversation_is_read_again_as_it_was_and_nothing_is_written_down(
    team: Team, rehearsing: Rehearsing, admin: Admin, step: str
) -> None:
    await team.hear(SAID)
    run = await team.rest()
    assert run is not None
    await team.hear("We use HubSpot for everything.")
    await team.rest()
    replay = await rehearsing.ask(NewReplay(run.id, step))
    before = await rehearsing.rows(admin)

    done = await rehearsing.play(replay, OfflineModel())

    assert but_its_own(before, await rehearsing.rows(admin)) == set()
    assert (done.status, done.outcome) == (ReplayStatus.DONE, "remembered")
    first = made(await calls_of(team, run))
    assert {tool for tool, _ in first} >= {"remember_fact", "note_promise"}
    assert made(done.calls) == first[3 if step == "write" else 0 :]
    assert not any(call["is_made"] for call in done.calls)


async def test_another_answer_of_the_model_is_what_would_be_written_down(
    team: Team, rehearsing: Rehearsing
) -> None:
    await team.hear(SAID)
    run = await team.rest()
    assert run is not None
    fact: JsonValue = {"message": 1, "predicate": "role", "text": "Runs procurement", "confidence": 0.9}
    model = ScriptedModel({"remember": [Played.model_validate({"value": {"facts": [fact]}})]})

    done = await rehearsing.play(await rehearsing.ask(NewReplay(run.id, "extract")), model)

    assert [(call["tool"], call["arguments"]["text"]) for call in done.calls[3:]] == [
        ("remember_fact", "Runs procurement")
    ]
    assert [one.text for one in await team.facts()] != ["Runs procurement"]


# the follow-up agent --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("step", ["look", "advise", "suggest"])
async def test_a_promise_that_was_kept_since_is_followed_up_as_it_was_then(
    team: Team, rehearsing: Rehearsing, admin: Admin, step: str
) -> None:
    await team.hear(SAID)
    await team.rest()
    (promise,) = await team.promises()
    run = await team.fall_due(promise)
    assert run is not None
    await team.hear("Here is the floor plan.")
    async with team.db.transaction(team.world.owner, "test") as tx:
        await keep_promise(tx, promise.id)
    replay = await rehearsing.ask(NewReplay(run.id, step))
    before = await rehearsing.rows(admin)

    done = await rehearsing.play(replay, OfflineModel())

    assert but_its_own(before, await rehearsing.rows(admin)) == set()
    assert (done.status, done.outcome) == (ReplayStatus.DONE, "suggested")
    assert made(done.calls) == made(await calls_of(team, run))[1 if step == "suggest" else 0 :]


@pytest.mark.parametrize("step", ["look", "advise", "suggest"])
async def test_a_deal_that_moved_since_is_looked_at_as_it_stood(
    team: Team, rehearsing: Rehearsing, admin: Admin, step: str
) -> None:
    await team.hear("Hello")
    deal = await team.deal()
    team.now += timedelta(days=5)
    run = await team.look_at(deal)
    assert run is not None
    assert run.outcome == "suggested"
    team.now += timedelta(hours=1)
    await _move(team, DealId(deal.id))
    replay = await rehearsing.ask(NewReplay(run.id, step))
    before = await rehearsing.rows(admin)

    done = await rehearsing.play(replay, OfflineModel())

    assert but_its_own(before, await rehearsing.rows(admin)) == set()
    assert (done.status, done.outcome) == (ReplayStatus.DONE, "suggested")
    assert made(done.calls) == made(await calls_of(team, run))[1 if step == "suggest" else 0 :]


async def _move(team: Team, deal_id: DealId) -> None:
    with clock.frozen(team.now):
        async with team.db.transaction(team.world.owner, "test") as tx:
            deal = await get_deal(tx, deal_id)
            stages = await list_stages(tx, deal.pipeline_id)
            await move_stage(tx, deal_id, stages[1].id, version=deal.version)


# the copilot ----------------------------------------------------------------------------------------------------------
LOOK: dict[str, JsonValue] = {"tools": [{"name": "find_contacts", "arguments": {"text": "Vera"}}]}
LIST: dict[str, JsonValue] = {"tools": [{"name": "list_pipelines", "arguments": {}}]}
TASK: dict[str, JsonValue] = {"tools": [{"name": "create_task", "arguments": {"title": "Call Vera"}}]}
BARE: dict[str, JsonValue] = {"text": "Vera decides about everything at Lind Logistics."}
GOOD: dict[str, JsonValue] = {"text": "Vera decides. [1]"}


def playing(*turns: dict[str, JsonValue]) -> ScriptedModel:
    return ScriptedModel({"copilot": [Played.model_validate(turn) for turn in turns]})


async def asked(team: Team, *turns: dict[str, JsonValue]) -> Question:
    """A question that the copilot answered by a script."""
    await team.hear("Hello")
    async with team.db.transaction(team.world.owner, "test") as tx:
        question = await copilot.start_chat(tx, "Who decides at Lind?")
    team.model = playing(*turns)
    await team.work(question.run_id)
    return question


SCRIPT = (LOOK, TASK, BARE, GOOD)
STEPS = ["think", "act.0", "think.1", "act.1", "think.2", "check.0", "think.3", "check"]


@pytest.mark.parametrize("step", STEPS)
async def test_with_nothing_changed_the_same_comes_of_a_question_from_every_step(
    team: Team, rehearsing: Rehearsing, admin: Admin, step: str
) -> None:
    question = await asked(team, *SCRIPT)
    replay = await rehearsing.ask(NewReplay(question.run_id, step))
    before = await rehearsing.rows(admin)

    done = await rehearsing.play(replay, playing(*SCRIPT))

    assert but_its_own(before, await rehearsing.rows(admin)) == set()
    assert (done.status, done.outcome, done.body) == (ReplayStatus.DONE, "answered", GOOD["text"])
    assert {tool for tool, _ in made(done.calls)} <= {"find_contacts", "create_task"}


async def test_from_a_later_thought_the_copilot_may_go_another_way(
    team: Team, rehearsing: Rehearsing
) -> None:
    question = await asked(team, LOOK, GOOD)
    other = playing(LOOK, LIST, {"text": "Nobody decides. [1]"})

    done = await rehearsing.play(await rehearsing.ask(NewReplay(question.run_id, "think.1")), other)

    assert [(call["tool"], call["is_recorded"], call["is_made"]) for call in done.calls] == [
        ("find_contacts", True, False),
        ("list_pipelines", False, True),
    ]
    assert done.body == "Nobody decides. [1]"


async def test_what_the_copilot_would_propose_waits_for_nobody(team: Team, rehearsing: Rehearsing) -> None:
    question = await asked(team, LOOK, GOOD)

    done = await rehearsing.play(
        await rehearsing.ask(NewReplay(question.run_id, "think")), playing(TASK, {"text": "I asked for it."})
    )

    assert [(call["tool"], call["status"], call["is_made"]) for call in done.calls] == [
        ("create_task", "asked", False)
    ]


@pytest.mark.parametrize("step", ["think.7", "act.3", "check.5"])
async def test_a_visit_that_never_was_comes_to_nothing(team: Team, rehearsing: Rehearsing, step: str) -> None:
    question = await asked(team, LOOK, GOOD)

    done = await rehearsing.play(await rehearsing.ask(NewReplay(question.run_id, step)), playing(GOOD))

    assert (done.status, done.reason) == (ReplayStatus.FAILED, NEVER_THERE)


@pytest.mark.parametrize("step", ["think.x", "think.-1", "think.100", "think.", "draft"])
async def test_a_step_that_is_none_is_refused(team: Team, rehearsing: Rehearsing, step: str) -> None:
    question = await asked(team, LOOK, GOOD)

    with pytest.raises(Conflict, match="cannot be run again from there"):
        await rehearsing.ask(NewReplay(question.run_id, step))


async def test_a_colleagues_question_is_run_again_by_those_only_who_may_look_into_it(
    team: Team, rehearsing: Rehearsing
) -> None:
    question = await asked(team, LOOK, GOOD)
    organization_id = OrganizationId(team.world.owner.organization_id)
    supervisor = member_principal(UserId(uuid7()), organization_id, Role.SUPERVISOR)

    with pytest.raises(Forbidden):
        await rehearsing.ask(NewReplay(question.run_id, "think"), by=supervisor)


async def test_a_question_whose_chat_was_removed_comes_to_nothing(team: Team, rehearsing: Rehearsing) -> None:
    question = await asked(team, LOOK, GOOD)
    replay = await rehearsing.ask(NewReplay(question.run_id, "think"))
    async with team.db.transaction(team.world.owner, "test") as tx:
        await copilot.remove_chat(tx, question.chat_id)

    done = await rehearsing.play(replay, playing(GOOD))

    assert (done.status, done.reason) == (ReplayStatus.FAILED, "the chat was removed")


def test_every_visit_of_a_node_has_its_own_state_before_it() -> None:
    call = Call("1", "find_contacts", "{}")
    turns = [Turn("", [call]), Turn("bare", problem="It says not on what"), Turn("", [call])]
    left = {"turns": turns, "answer": "Good [1]"}

    assert rewind("think", left).after is None
    assert (rewind("think.1", left).after, rewind("think.2", left).after) == ("act", "check")
    assert rewind("act.2", left).state["turns"] == turns
    assert rewind("check.0", left).state == {"turns": turns[:1], "answer": "bare"}
    assert rewind("check", left).state == {"turns": turns, "answer": "Good [1]"}
    with pytest.raises(NeverThere):
        rewind("act.1", left)
