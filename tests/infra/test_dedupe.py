"""`getsale bench dedupe`: a CSV of people in, a CSV of scored pairs out."""

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

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
