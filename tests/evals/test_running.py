"""Evaluations are rows: planned, played, judged and summed up."""

import pytest

from agents.llm.base import LanguageModel, ModelReply, ModelRequest
from agents.llm.models import ModelChoice, Models
from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.errors import Conflict, Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.evaluations import actions
from crm.evaluations.comparison import compare
from crm.evaluations.models import EvalStatus
from evals import running
from evals.examiner import Examiner
from evals.planning import chosen_prompts, plan, prompts_of
from evals.report import write_report
from evals.suites import find_suite
from prompts import library
from tests.support.evaluating import cases_of, evaluate, make_cases, told


class _Deaf(OfflineModel):
    """A model that answers whoever wants a person: a planted regression."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        reply = await super().complete(request)
        return ModelReply(text=reply.text.replace('"decision":"notify"', '"decision":"answer"'))


@pytest.fixture
def examiner(database: Database, settings: Settings) -> Examiner:
    return Examiner(database, settings, Models(settings))


def _with(database: Database, settings: Settings, model: LanguageModel) -> Examiner:
    def chosen(_: ModelChoice) -> LanguageModel:
        return model

    return Examiner(database, settings, chosen)


async def test_a_run_is_played_and_summed_up(
    database: Database, organization: Principal, examiner: Examiner
) -> None:
    run, cases = await evaluate(database, organization, examiner, make_cases())

    assert run.status is EvalStatus.FINISHED
    assert run.is_passed
    assert run.figures["pass_rate"] == {"value": 1.0, "low": 0.5101, "high": 1.0, "n": 4, "threshold": 0.72}
    assert [case.is_passed for case in cases] == [True] * 4


async def test_a_case_keeps_what_the_agent_did(
    database: Database, organization: Principal, examiner: Examiner
) -> None:
    _, cases = await evaluate(database, organization, examiner, make_cases(1))

    trace = cases[0].trace
    assert trace is not None
    assert [call["tool"] for call in trace["calls"]] == ["brief_contact", "recall", "draft_reply"]  # type: ignore[index, union-attr, call-overload]
    assert "€17" in str(trace["draft"])
    assert cases[0].agent_run_id is not None


async def test_the_same_cases_come_to_the_same_again(
    database: Database, organization: Principal, examiner: Examiner
) -> None:
    _, first = await evaluate(database, organization, examiner, make_cases(8))
    _, second = await evaluate(database, organization, examiner, make_cases(8))

    assert told(first) == told(second)


async def test_a_planted_regression_turns_the_suite_red(
    database: Database, organization: Principal, settings: Settings, examiner: Examiner
) -> None:
    before, earlier = await evaluate(database, organization, examiner, make_cases(24))
    deaf = _with(database, settings, _Deaf())
    after, later = await evaluate(database, organization, deaf, make_cases(24))

    assert before.is_passed
    assert after.figures["pass_rate"]["value"] == 0.75  # type: ignore[index, call-overload]
    comparison = compare(earlier, later)
    assert (comparison.worse, comparison.better) == (6, 0)
    assert comparison.is_worse


async def test_a_run_that_was_cut_off_goes_on_where_it_stopped(
    database: Database, organization: Principal, examiner: Examiner
) -> None:
    run = await running.start(
        database, organization, plan(find_suite("triage"), make_cases(), model="offline")
    )
    first = (await cases_of(database, organization, run))[0]
    async with database.transaction(organization, "test") as tx:
        await actions.record_case(tx, first.id, await examiner.play(run, first))

    with pytest.raises(Conflict, match="3 of its cases"):
        await running.finish(database, organization, run.id)
    played: list[str] = []
    await running.play_waiting(database, organization, run, examiner, lambda case: played.append(case.key))
    finished = await running.finish(database, organization, run.id)

    assert sorted(played) == ["c1", "c2", "c3"]
    assert finished.is_passed


async def test_a_case_is_recorded_once(
    database: Database, organization: Principal, examiner: Examiner
) -> None:
    run = await running.start(
        database, organization, plan(find_suite("triage"), make_cases(1), model="offline")
    )
    case = (await cases_of(database, organization, run))[0]
    result = await examiner.play(run, case)

    async with database.transaction(organization, "test") as tx:
        assert await actions.record_case(tx, case.id, result)
        assert not await actions.record_case(tx, case.id, result)


async def test_cases_that_are_played_several_times_tell_how_reliable_they_are(
    database: Database, organization: Principal, examiner: Examiner
) -> None:
    run, cases = await evaluate(database, organization, examiner, make_cases(2), repeat=3)

    assert len(cases) == 6
    assert run.figures["pass^3"] == {"value": 1.0, "n": 2}


async def test_another_prompt_is_played_and_named(
    database: Database, organization: Principal, settings: Settings, tmp_path: object
) -> None:
    heard: list[str] = []

    class Listening(OfflineModel):
        async def complete(self, request: ModelRequest) -> ModelReply:
            heard.append(request.messages[0].text)
            return await super().complete(request)

    raw = library.in_force("inbox/triage").raw.replace("Decide what", "With care decide what")
    other = library.parse("inbox/triage", raw.replace("version: 1", "version: 7"))
    new = plan(find_suite("triage"), make_cases(1), model="offline", prompts=[other])
    run = await running.start(database, organization, new)

    await running.play_waiting(database, organization, run, _with(database, settings, Listening()))

    assert prompts_of(run) == [other]
    assert run.prompts["inbox/triage"]["version"] == 7  # type: ignore[index, call-overload]
    assert any("With care decide what" in text for text in heard)
    assert "With care" not in library.load("inbox/triage").text


def test_a_prompt_that_is_not_there_is_named() -> None:
    with pytest.raises(Unprocessable, match=r"version 99 of the prompt inbox/draft; there are: 1"):
        chosen_prompts(["inbox/draft=99"])
    with pytest.raises(Unprocessable, match=r"there are: .*inbox/draft"):
        chosen_prompts(["inbox/nothing=1"])
    with pytest.raises(Unprocessable, match="NAME=VERSION"):
        chosen_prompts(["inbox/draft"])


async def test_a_report_shows_what_failed(
    database: Database, organization: Principal, settings: Settings
) -> None:
    run, cases = await evaluate(database, organization, _with(database, settings, _Deaf()), make_cases())

    page = write_report(run, cases)

    assert "1 of 4 failed" in page
    assert "answer instead of notify" in page
    assert "<svg" in page
