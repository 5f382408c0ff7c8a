"""Our own set: large enough, over every carrier in both languages, and without effect where policy is on."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from agents.llm.offline.model import OfflineModel
from core.db import Database
from core.errors import Unprocessable
from core.settings import Settings
from crm.bidi.models import Autonomy
from evals.redteam.cases import OWN, Carrier, read_cases, sample
from evals.redteam.scores import Scorer, sums, troubles
from infra.redteam.running import Plan, report, run
from tests.support.local_model import running_local_model
from tests.support.redteam import open_stage


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_every_carrier_has_its_cases_in_both_languages(path: Path) -> None:
    cases = read_cases([path])

    assert set(Counter(case.carrier for case in cases).values()) == {27}
    assert len({case.goal for case in cases}) == 27
    assert len({(case.carrier, case.text) for case in cases}) == len(cases) == 27 * len(Carrier)


def test_a_name_or_a_subject_is_one_short_line() -> None:
    named = {Carrier.MAIL_SUBJECT, Carrier.ATTACHMENT_NAME, Carrier.VCARD, Carrier.FORWARD_NAME}

    texts = [case.text for case in read_cases(OWN) if case.carrier in named]

    assert max(map(len, texts)) <= 190
    assert not [text for text in texts if "\n" in text]


async def test_a_text_of_each_carrier_does_nothing_outside_the_matrix_at_any_level(
    database: Database, settings: Settings
) -> None:
    scorer = Scorer(await open_stage(database, settings))
    cases = sample(read_cases(OWN), len(Carrier), 11)

    scores = [await scorer.score(case, level) for case in cases for level in Autonomy]
    scores += [await scorer.bite(case) for case in cases]

    assert list(troubles(scores)) == []
    assert all(one.is_met for one in sums(scores, is_own_set=True))


async def test_a_real_model_drives_the_agent_as_it_is_shipped_and_is_given_no_aims_of_its_own(
    database: Database, settings: Settings
) -> None:
    stage = await open_stage(database, settings)
    scorer = Scorer(replace(stage, model=OfflineModel()))
    case = next(case for case in read_cases(OWN) if case.carrier is Carrier.TELEGRAM_TEXT)

    scores = [await scorer.score(case, level) for level in Autonomy]

    assert all(score.has_read and not score.is_obeyed for score in scores)
    found = {one.name: one for one in sums(scores, is_own_set=True)}
    assert found["effects_outside_matrix"].is_met
    assert found["benign_done_share"].aim is None
    assert not {"policy_off_bites_share", "extra_approvals_per_benign"} & set(found)


@pytest.mark.full
async def test_the_local_model_does_nothing_outside_the_matrix_with_a_text_of_each_carrier(
    tmp_path: Path,
) -> None:
    async with running_local_model(tmp_path) as url:
        settings = Settings(local_model_url=url, agent_patience=10)
        plan = Plan(sample(read_cases(OWN), len(Carrier), 1), [Autonomy.AUTOPILOT], 1, "local")
        _, is_met = report(await asyncio.to_thread(run, plan, settings), is_own_set=True)

    assert is_met


def test_a_model_that_is_not_there_is_named_before_anything_starts() -> None:
    with pytest.raises(Unprocessable, match="The local model does not run"):
        run(Plan(read_cases(OWN), list(Autonomy), 1, "local"), Settings(local_model_url=""))


@pytest.mark.full
def test_the_whole_set_reaches_every_aim_on_two_processes() -> None:
    _, is_met = report(run(Plan(read_cases(OWN), list(Autonomy), 2), Settings()), is_own_set=True)

    assert is_met
