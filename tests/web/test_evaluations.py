"""Pages of evaluations: runs, a run with its chart, a failing case with its trace, two runs side by side."""

from datetime import UTC, datetime

import pytest

from agents.llm.base import LanguageModel, ModelReply, ModelRequest
from agents.llm.models import ModelChoice
from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.evaluations.judgings import Judgement, NewJudging, list_judgements, record_judging
from crm.evaluations.models import EvalCase, EvalRun
from crm.identity.models import Role
from crm.identity.queries import get_organization
from evals.examiner import Examiner
from infra.evaluation import past
from tests.support.deciding import approve, ask
from tests.support.evaluating import evaluate, make_cases
from tests.support.organizations import add_member
from tests.support.world import make_world
from tests.web.conftest import Browser, signed_in


class _Deaf(OfflineModel):
    """Answers whoever wants a person."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        reply = await super().complete(request)
        return ModelReply(text=reply.text.replace('"decision":"notify"', '"decision":"answer"'))


@pytest.fixture
async def runs(
    database: Database, organization: Principal, settings: Settings
) -> list[tuple[EvalRun, list[EvalCase]]]:
    """A good run, and one after a regression."""

    def examiner(model: LanguageModel) -> Examiner:
        def chosen(_: ModelChoice) -> LanguageModel:
            return model

        return Examiner(database, settings, chosen)

    return [
        await evaluate(database, organization, examiner(model), make_cases(4))
        for model in (OfflineModel(), _Deaf())
    ]


@pytest.mark.parametrize(
    ("locale", "title", "figure"),
    [("en", "Evaluations", "Right decision"), ("ru", "Оценки", "Верное решение")],
)
async def test_a_run_shows_its_figures_and_what_failed(
    browser: Browser, runs: list[tuple[EvalRun, list[EvalCase]]], locale: str, title: str, figure: str
) -> None:
    await browser.post("/preferences", locale=locale)

    listed = await browser.get("/evaluations")
    shown = await browser.get(f"/evaluations/{runs[1][0].id}")

    assert title in listed.text
    assert str(runs[0][0].id) in listed.text
    assert figure in shown.text
    assert "<svg" in shown.text
    assert "Get me your manager" in shown.text


async def test_a_run_shows_what_a_judge_said_and_how_often_it_failed(
    browser: Browser,
    database: Database,
    organization: Principal,
    runs: list[tuple[EvalRun, list[EvalCase]]],
) -> None:
    run, cases = runs[0]
    said = [
        Judgement(cases[0].id, "faithfulness", 0.5),
        Judgement(cases[1].id, "faithfulness", 1.0),
        Judgement(cases[2].id, "faithfulness", None, "no JSON"),
    ]
    async with database.transaction(organization, "test") as tx:
        judging = await record_judging(tx, run.id, NewJudging("a judge", "ragas==0.4.3", {}, 3, said))
        judged = await list_judgements(tx, judging.id)

    shown = await browser.get(f"/evaluations/{run.id}")

    assert judging.figures == {"faithfulness": {"value": 0.75, "n": 2, "failed": 1}}
    assert not judging.is_passed
    assert {one.case_id: one.value for one in judged} == {one.case_id: one.value for one in said}
    assert "Rests on its sources" in shown.text
    assert "75 %" in shown.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "n = 2</span>" in shown.text
    assert "the judge failed 1 time" in shown.text


async def test_a_failing_case_leads_to_what_the_agent_did(
    browser: Browser, runs: list[tuple[EvalRun, list[EvalCase]]]
) -> None:
    failed = next(case for case in runs[1][1] if not case.is_passed)

    page = await browser.get(f"/evaluations/cases/{failed.id}")

    assert "answer instead of notify" in page.text
    assert "draft_reply" in page.text
    assert "Get me your manager" in page.text


async def test_two_runs_stand_side_by_side(
    browser: Browser, runs: list[tuple[EvalRun, list[EvalCase]]]
) -> None:
    before, after = runs[0][0].id, runs[1][0].id

    page = await browser.get(f"/evaluations/{after}/comparison?before={before}")

    assert "Fail now: 1" in page.text
    assert "Not worse by more than noise." in page.text


async def test_a_member_without_the_permission_sees_none(
    site: str, database: Database, organization: Principal
) -> None:
    person = await add_member(database, organization, Role.VIEWER)
    async with signed_in(site, database, person) as viewer:
        answer = await viewer.client.get("/evaluations")

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("locale", "kind", "column"),
    [
        ("en", "Questions about the price", "Would go out unedited"),
        ("ru", "Вопросы о цене", "Ушло бы без правки"),
    ],
)
async def test_what_people_decided_stands_by_kind_with_examples(
    browser: Browser,
    database: Database,
    organization: Principal,
    settings: Settings,
    locale: str,
    kind: str,
    column: str,
) -> None:
    await browser.post("/preferences", locale=locale)
    world = await make_world(database, organization)
    at = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)
    [draft] = await ask(world, "What do 40 scanners cost?", at, "I will check.")
    await approve(world, draft, edited="They cost €17 each a month.")
    async with database.transaction(organization, "test") as tx:
        slug = (await get_organization(tx)).slug
    (run, cases), _ = await past.import_decisions(settings, slug)

    page = await browser.get(f"/evaluations/{run.id}")
    case = await browser.get(f"/evaluations/cases/{cases[0].id}")

    assert kind in page.text
    assert column in page.text
    assert "They cost €17 each a month." in page.text
    assert "I will check." in case.text
    assert "They cost €17 each a month." in case.text
