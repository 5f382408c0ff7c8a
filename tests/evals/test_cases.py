"""Cases are read whole or not at all, and a sample of them is always the same one."""

from pathlib import Path

import pytest

from core.errors import Unprocessable
from evals.cases import digest, read_cases
from evals.sampling import sample
from evals.suites import SUITES, find_suite
from tests.support.evaluating import make_cases

LEAST = {
    "triage": 200,
    "handoff": 50,
    "confidentiality": 100,
    "drafts": 100,
    "tools": 100,
    "copilot": 150,
    "conduct": 20,
    "talks": 40,
}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", r"cases.jsonl, line 2: the line: Invalid JSON"),
        ('{"id": "b", "burst": ["Hi"]}', "line 2: expect: Field required"),
        ('{"id": "b", "burst": [], "expect": {}}', "line 2: burst: "),
        (
            '{"id": "b", "burst": ["Hi"], "expect": {"decison": "answer"}}',
            "expect.decison: Extra inputs are not permitted",
        ),
        ('{"id": "b", "burst": ["Hi"], "expect": {}, "world": "mars"}', "no world 'mars'; there are: clinic"),
        ('{"id": "a", "burst": ["Hi"], "expect": {}}', "'a' stands in cases.jsonl, line 1 already"),
        ('{"id": "b", "burst": ["Hi"], "expect": {}, "scene": {"contact": {"age": 7}}}', "contact.age"),
        (
            '{"id": "b", "burst": ["Hi"], "expect": {}, "by": "ana"}',
            "line 2: the firm has no 'member:ana'; near names: member:anna",
        ),
        (
            '{"id": "b", "burst": ["Hi"], "expect": {}, "by": "anna", "about": "deal:havik"}',
            "near names: deal:havik-freezer-gates",
        ),
        (
            '{"id": "b", "burst": ["Hi"], "by": "anna", "expect": {"rows": [{"table": "tasks", "to": {"record_id": "@contact:ruht"}}]}}',
            "no 'contact:ruht'; near names: contact:ruth",
        ),
    ],
)
def test_a_line_that_is_no_case_is_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "a", "burst": ["Hi"], "expect": {}}\n' + line + "\n")

    with pytest.raises(Unprocessable, match=problem):
        read_cases([file])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unprocessable, match=r"nothing\.jsonl"):
        read_cases([tmp_path / "nothing.jsonl"])


def test_a_suite_that_is_not_there_is_named() -> None:
    with pytest.raises(Unprocessable, match="there are: triage"):
        find_suite("nothing")


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_has_its_cases_in_both_languages(name: str) -> None:
    cases = SUITES[name].cases()

    by_language = [sum(case.language == language for case in cases) for language in ("en", "ru")]
    assert sum(by_language) >= LEAST[name]
    assert by_language[0] == by_language[1]
    assert len({case.model_dump_json(exclude={"id", "expect"}) for case in cases}) == len(cases)


def test_a_sample_is_chosen_by_its_seed_and_takes_its_share_of_every_kind() -> None:
    cases = SUITES["triage"].cases()

    chosen = sample(cases, 100, seed=1)

    assert chosen == sample(cases, 100, seed=1)
    assert chosen != sample(cases, 100, seed=2)
    assert len(chosen) == 100
    assert sum(case.language == "ru" for case in chosen) == 50


def test_what_is_played_is_known_by_one_hash() -> None:
    one, other = make_cases(3), make_cases(3)

    assert digest(one) == digest(other)
    assert digest(one) != digest(other[:2])
    assert digest(one) != digest([one[0].model_copy(update={"world": "coffee"}), *one[1:]])
