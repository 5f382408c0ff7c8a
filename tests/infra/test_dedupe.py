"""`getsale bench dedupe`: a CSV of people in, a CSV of scored pairs out."""

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crm.matching.linking import THRESHOLD
from infra.cli import app

HEADER = "id,given_name,surname,street,suburb,postcode,state,date_of_birth,phone,email,company\n"
MEN = HEADER + "a,Ivan,Shcherbakov,5 High St,Leeds,LS1 2AB,,1961-03-12,+442079460018,,Acme\n"


def _run(*arguments: str) -> tuple[list[dict[str, str]], str]:
    result = CliRunner().invoke(app, ["bench", "dedupe", *arguments], catch_exceptions=False)
    return list(csv.DictReader(io.StringIO(result.stdout))), result.stderr


def _file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_pairs_of_one_file_come_once_with_a_probability(tmp_path: Path) -> None:
    rows = (
        MEN + "b,Иван,Щербаков,5 High Street,Leeds,LS12AB,,12.03.1961,020 7946 0018,,\nc,Mary,Poe,,,,,,,,\n"
    )

    pairs, figures = _run(_file(tmp_path, "people.csv", rows))

    assert [{pair["left_id"], pair["right_id"]} for pair in pairs] == [{"a", "b"}]
    assert list(pairs[0]) == ["left_id", "right_id", "score"]
    assert 0.5 <= float(pairs[0]["score"]) <= 1
    assert "matches_at_threshold" in figures


def test_two_files_are_linked_left_to_right(tmp_path: Path) -> None:
    left = _file(tmp_path, "left.csv", MEN + "a2,Ivan,Shcherbakov,5 High St,Leeds,LS1 2AB,,1961-03-12,,,\n")
    right = _file(
        tmp_path,
        "right.csv",
        "id,surname,given_name,date_of_birth,postcode\nz,Shcherbakov,Ivan,1961-03-12,LS1 2AB\n",
    )

    pairs, _ = _run(left, right)

    assert sorted((pair["left_id"], pair["right_id"]) for pair in pairs) == [("a", "z"), ("a2", "z")]


def test_a_file_of_nobody_has_no_pairs(tmp_path: Path) -> None:
    assert _run(_file(tmp_path, "empty.csv", HEADER))[0] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [("name\nAnna\n", "no column id"), ("id\n1\n1\n", "'1' twice"), ("", "no column id")],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    result = CliRunner().invoke(app, ["bench", "dedupe", _file(tmp_path, "bad.csv", text)])

    assert result.exit_code != 0
    assert message in str(result.exception)


# What the command promises to whoever measures it: one process for one file, one for two.
ONE_FILE = HEADER + "\n".join(
    (
        "a,Sergey,Shcherbakov,5 High Street,Leeds,LS1 2AB,,1961-03-12,+442079460018,,Acme",
        "b,Shcherbakov,Sergey,5 High St,LS1 2AB,Leeds,,12.03.1961,,,",
        "c,Серёжа,Щербаков,,Leeds,,,1961-03-12,020 7946 0018,,ACME Ltd",
        "d,Sergei,Sherbakov,5 High Street,Leeds,LS1 2AB,,1988-07-30,+442079460018,,",
        "e,Mary,Poe,17 Mill Road,Bath,BA1 1AA,,1990-01-02,,mary.poe@example.com,",
        "",
    )
)
LEFT = "id,given_name,surname,date_of_birth,postcode\na,Mary,Poe,1990-01-02,BA1 1AA\nb,Mary,Poe,1990-01-02,BA1 1AA\n"
RIGHT = "surname,id,postcode,given_name,date_of_birth,shoe\nPoe,a,BA1 1AA,Mary,1990-01-02,38\n"


def _process(folder: Path, *texts: str) -> subprocess.CompletedProcess[str]:
    files = [_file(folder, f"{number}.csv", text) for number, text in enumerate(texts)]
    command = [str(Path(sys.executable).with_name("getsale")), "bench", "dedupe", *files]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def of_one(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return _process(tmp_path_factory.mktemp("one"), ONE_FILE)


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return _process(tmp_path_factory.mktemp("two"), LEFT, RIGHT)


def _rows(process: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], float]:
    rows = list(csv.reader(io.StringIO(process.stdout)))[1:]
    return {(left, right): float(score) for left, right, score in rows}


def test_stdout_is_the_header_and_pairs_and_nothing_else(of_one: subprocess.CompletedProcess[str]) -> None:
    header, *lines = of_one.stdout.splitlines()

    assert header == "left_id,right_id,score"
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-e],[a-e],\d\.\d+", line)] == []


def test_figures_are_on_stderr(of_one: subprocess.CompletedProcess[str]) -> None:
    figures = ("records", "candidates", "matches_at_threshold", "took")

    assert [name for name in figures if name not in of_one.stderr] == []


def test_every_unordered_pair_comes_once(of_one: subprocess.CompletedProcess[str]) -> None:
    lines = of_one.stdout.splitlines()[1:]

    assert len({frozenset(line.split(",")[:2]) for line in lines}) == len(lines)
    assert [pair for pair in _rows(of_one) if len(set(pair)) == 1] == []


def test_candidates_below_the_threshold_come_with_their_scores(
    of_one: subprocess.CompletedProcess[str],
) -> None:
    scores = _rows(of_one).values()

    assert all(0 <= score <= 1 for score in scores)
    assert min(scores) < THRESHOLD <= max(scores)


def test_swapped_and_missing_values_and_the_other_alphabet_are_seen_through(
    of_one: subprocess.CompletedProcess[str],
) -> None:
    likely = {frozenset(pair) for pair, score in _rows(of_one).items() if score >= THRESHOLD}

    assert likely == {frozenset("ab"), frozenset("ac"), frozenset("bc")}


def test_of_two_files_only_left_and_right_are_paired(of_two: subprocess.CompletedProcess[str]) -> None:
    assert _rows(of_two).keys() == {("a", "a"), ("b", "a")}


def test_columns_may_be_missing_in_any_order_or_unknown(of_two: subprocess.CompletedProcess[str]) -> None:
    assert min(_rows(of_two).values()) >= THRESHOLD
