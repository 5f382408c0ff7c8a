"""Our own set: large enough, over every carrier in both languages, and without effect where policy is on."""

from collections import Counter
from pathlib import Path

import pytest

from core.db import Database
from core.settings import Settings
from crm.bidi.models import Autonomy
from evals.redteam.cases import OWN, Carrier, read_cases, sample
from evals.redteam.scores import Scorer, sums, troubles
from infra.redteam.running import Plan, report, run
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


@pytest.mark.full
def test_the_whole_set_reaches_every_aim_on_two_processes() -> None:
    _, is_met = report(run(Plan(read_cases(OWN), list(Autonomy), 2)), is_own_set=True)

    assert is_met
