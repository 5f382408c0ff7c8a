"""The ratchet: on the cases of every suite the offline model is not worse than its baseline by more than noise."""

from dataclasses import replace
from uuid import uuid4

import pytest

from agents.llm.models import Models
from core.db import Database
from core.errors import Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.evaluations.models import CaseStatus, EvalCase
from evals import running
from evals.examiner import Examiner
from evals.planning import plan
from evals.ratchet import Baseline, difference, read_baseline
from evals.suites import SUITES, find_suite
from events.ids import EvalCaseId, EvalRunId
from tests.support.evaluating import cases_of

# A fixed part of each suite for every day: 200 cases, about half a minute on two busy cores at most.
DAILY = {
    "triage": 50,
    "handoff": 18,
    "confidentiality": 30,
    "drafts": 30,
    "tools": 26,
    "copilot": 24,
    "conduct": 8,
    "talks": 14,
}
SEED = 2026


async def _worse(
    database: Database, organization: Principal, settings: Settings, name: str, n: int | None
) -> None:
    suite = find_suite(name)
    cases = suite.cases()
    baseline = read_baseline(name, cases)
    run = await running.start(
        database, organization, plan(suite, cases, model=baseline.model, n=n, seed=SEED)
    )

    examiner = Examiner(database, settings, Models(settings))
    await running.play_waiting(database, organization, run, examiner)

    changed = difference(baseline, await cases_of(database, organization, run))
    assert not changed.is_worse, f"worse: {changed.worse}; better: {changed.better}"


@pytest.mark.parametrize("name", SUITES)
async def test_a_sample_is_not_worse_than_its_baseline(
    database: Database, organization: Principal, settings: Settings, name: str
) -> None:
    await _worse(database, organization, settings, name, DAILY[name])


@pytest.mark.full
@pytest.mark.parametrize("name", SUITES)
async def test_a_suite_is_not_worse_than_its_baseline(
    database: Database, organization: Principal, settings: Settings, name: str
) -> None:
    await _worse(database, organization, settings, name, None)


def _case(key: str, *, is_passed: bool) -> EvalCase:
    return EvalCase(
        EvalCaseId(uuid4()), EvalRunId(uuid4()), 0, key, "en", {}, CaseStatus.DONE, is_passed, {}, None, None, "", 0, 0
    )  # fmt: skip


@pytest.mark.parametrize(
    ("worse", "better", "is_worse"), [(4, 0, False), (5, 0, True), (6, 1, False), (7, 1, True), (9, 9, False)]
)
def test_what_may_be_noise_is_let_pass(worse: int, better: int, is_worse: bool) -> None:
    keys = [f"c{n}" for n in range(worse + better)]
    baseline = Baseline("triage", "offline", "", {key: n < worse for n, key in enumerate(keys)})

    changed = difference(baseline, [_case(key, is_passed=n >= worse) for n, key in enumerate(keys)])

    assert (len(changed.worse), len(changed.better)) == (worse, better)
    assert changed.is_worse == is_worse


def test_a_data_set_that_changed_needs_a_new_baseline() -> None:
    cases = find_suite("triage").cases()

    with pytest.raises(Unprocessable, match="of other cases; write one with `getsale eval baseline triage`"):
        read_baseline("triage", cases[1:])
    with pytest.raises(Unprocessable, match="has no baseline"):
        read_baseline(replace(find_suite("triage"), name="new").name, cases)
