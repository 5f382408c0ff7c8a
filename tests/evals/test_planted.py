"""The rulers are believed because of this: every regression that is planted turns the right suite red.

A suite is red when it is worse than the unplanted run by more than noise, or misses a threshold that the unplanted run
reaches; it is the right one when the scorer that is named for the fault is what got worse.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from core.db import Database
from core.settings import Settings
from crm.evaluations.comparison import SIGNIFICANT, compare, sign_test
from crm.evaluations.models import CaseStatus, EvalCase
from evals.arena import Arena
from evals.cases import Case
from evals.planning import plan
from evals.playing import Setup, play_case
from evals.redteam.oracle import judge
from evals.sampling import sample
from evals.suites import find_suite
from evals.verdict import verdict
from events.ids import EvalCaseId, EvalRunId
from tests.support.planted import PLANTED_REGRESSION, Record
from tests.support.planting import BREACHES, NUMBER, PLANTS, Breach, Plant
from tests.support.redteam import open_stage

SEED = 2026
# So many cases of a suite; what a fault touches is a part of them.
SIZES = {"drafts": 36, "confidentiality": 24, "handoff": 36, "triage": 60, "conduct": 24}
_AT_ONCE = 4
# A small part for every day, over fewer cases.
DAILY = {"an unapproved send": 10, "ignores the quiet window": 18, "forgets to hand off": 24}
_sound: dict[tuple[str, int], list[EvalCase]] = {}


async def _play(
    database: Database, settings: Settings, plant: Plant, cases: Sequence[Case]
) -> list[EvalCase]:
    """The cases as a run of the suite would keep them."""
    arena, suite = Arena(database, settings, tools=plant.tools), find_suite(plant.suite)
    setup = Setup(plant.model, plant.prompts)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(position: int, case: Case) -> EvalCase:
        async with turns:
            result = await play_case(arena, suite, case, setup)
        definition = plan(suite, [case], model="offline").cases[0].definition
        return EvalCase(
            EvalCaseId(uuid4()), EvalRunId(uuid4()), position, case.id, case.language, definition, CaseStatus.DONE,
            result.is_passed, dict(result.scores), None, None, result.error, 0, 0,
        )  # fmt: skip

    return list(await asyncio.gather(*(one(position, case) for position, case in enumerate(cases))))


async def _unplanted(database: Database, settings: Settings, suite: str, n: int) -> list[EvalCase]:
    """The same cases with nothing planted, played once for all plants of a suite."""
    if (suite, n) not in _sound:
        cases = sample(find_suite(suite).cases(), n, SEED)
        _sound[suite, n] = await _play(database, settings, Plant("nothing", suite, ""), cases)
    return _sound[suite, n]


def _worse_by(scorer: str, before: Sequence[EvalCase], after: Sequence[EvalCase]) -> bool:
    """Whether this scorer is content less often, by more than noise; a draft that is gone has no score."""
    earlier, later = ([_is_content(case, scorer) for case in cases] for cases in (before, after))
    pairs = [
        (one, two) for one, two in zip(earlier, later, strict=True) if one is not None and two is not None
    ]
    return sign_test(pairs.count((True, False)), pairs.count((False, True))) < SIGNIFICANT


def _is_content(case: EvalCase, scorer: str) -> bool | None:
    score = case.scores.get(scorer)
    return score.get("is_passed") is True if isinstance(score, dict) else None


async def _is_caught(
    database: Database, settings: Settings, plant: Plant, n: int, patch: pytest.MonkeyPatch
) -> tuple[bool, bool]:
    """Whether the suite turned red, and for the right reason."""
    suite = find_suite(plant.suite)
    before = await _unplanted(database, settings, plant.suite, n)
    assert verdict(suite, before)[1], "the unplanted run is red"
    with patch.context() as planted:
        plant.patch(planted)
        after = await _play(database, settings, plant, sample(suite.cases(), n, SEED))
    is_red = compare(before, after).is_worse or not verdict(suite, after)[1]
    return is_red, _worse_by(plant.scorer, before, after)


@pytest.mark.parametrize("name", DAILY)
async def test_a_planted_regression_turns_the_right_suite_red(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plant = next(plant for plant in PLANTS if plant.name == name)

    assert await _is_caught(database, settings, plant, DAILY[name], monkeypatch) == (True, True)


@pytest.mark.full
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
async def test_every_planted_regression_turns_the_right_suite_red(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
    plant: Plant,
) -> None:
    record_property(PLANTED_REGRESSION, False)

    caught = await _is_caught(database, settings, plant, SIZES[plant.suite], monkeypatch)

    record_property(PLANTED_REGRESSION, caught == (True, True))
    assert caught == (True, True)


async def _breached(
    database: Database, settings: Settings, breach: Breach, patch: pytest.MonkeyPatch
) -> list[bool]:
    """Whether each attack ends without harm as things are, and with the named harm when it is planted."""
    sound = await open_stage(database, settings)
    found = []
    for case in breach.cases():
        right = judge(await sound.play(case, breach.autonomy))
        with patch.context() as planted:
            breach.patch(planted)
            wrong = judge(await replace(sound, tools=breach.tools).play(case, breach.autonomy))
        found += [not right.harm and not right.unmarked, bool(getattr(wrong, breach.found))]
    return found


@pytest.mark.full
@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.name)
async def test_every_planted_breach_turns_the_red_team_red(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Record,
    breach: Breach,
) -> None:
    record_property(PLANTED_REGRESSION, False)

    found = await _breached(database, settings, breach, monkeypatch)

    record_property(PLANTED_REGRESSION, all(found))
    assert all(found)


@pytest.mark.full
@pytest.mark.parametrize("suite", SIZES)
async def test_what_is_as_good_stays_green(database: Database, settings: Settings, suite: str) -> None:
    before = await _unplanted(database, settings, suite, SIZES[suite])
    cases = sample(find_suite(suite).cases(), SIZES[suite], SEED)

    after = await _play(database, settings, Plant("nothing", suite, ""), cases)

    assert verdict(find_suite(suite), after)[1]
    assert not compare(before, after).is_worse


def test_there_are_twenty() -> None:
    names = {plant.name for plant in PLANTS} | {breach.name for breach in BREACHES}
    assert len(names) == NUMBER == 20
