"""docs/security.md names only what is there, and leaves no requirement of levels 1 and 2 out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| V")
]
STATES = ("met", "in part", "not met", "operator")
# Requirements of levels 1 and 2 by section. Source: OWASP ASVS 5.0.0, the list of requirements as CSV.
SECTIONS = {
    "V1.1": "1 2", "V1.2": "1 2 3 4 5 6 7 8 9", "V1.3": "1 2 3 4 5 6 7 8 9 10 11", "V1.4": "1 2 3", "V1.5": "1 2",
    "V2.1": "1 2 3", "V2.2": "1 2 3", "V2.3": "1 2 3 4", "V2.4": "1",
    "V3.2": "1 2", "V3.3": "1 2 3 4", "V3.4": "1 2 3 4 5 6", "V3.5": "1 2 3 4 5", "V3.7": "1 2",
    "V4.1": "1 2 3", "V4.2": "1", "V4.3": "1 2", "V4.4": "1 2 3 4",
    "V5.1": "1", "V5.2": "1 2 3", "V5.3": "1 2", "V5.4": "1 2 3",
    "V6.1": "1 2 3", "V6.2": "1 2 3 4 5 6 7 8 9 10 11 12", "V6.3": "1 2 3 4", "V6.4": "1 2 3 4", "V6.5": "1 2 3 4 5",
    "V6.6": "1 2 3", "V6.8": "1 2 3 4",
    "V7.1": "1 2 3", "V7.2": "1 2 3 4", "V7.3": "1 2", "V7.4": "1 2 3 4 5", "V7.5": "1 2", "V7.6": "1 2",
    "V8.1": "1 2", "V8.2": "1 2 3", "V8.3": "1", "V8.4": "1", "V9.1": "1 2 3", "V9.2": "1 2 3 4",
    "V10.1": "1 2", "V10.2": "1 2", "V10.3": "1 2 3 4", "V10.4": "1 2 3 4 5 6 7 8 9 10 11", "V10.5": "1 2 3 4 5",
    "V10.6": "1 2", "V10.7": "1 2 3",
    "V11.1": "1 2", "V11.2": "1 2 3", "V11.3": "1 2 3", "V11.4": "1 2 3 4", "V11.5": "1", "V11.6": "1",
    "V12.1": "1 2 3", "V12.2": "1 2", "V12.3": "1 2 3 4",
    "V13.1": "1", "V13.2": "1 2 3 4 5", "V13.3": "1 2", "V13.4": "1 2 3 4 5",
    "V14.1": "1 2", "V14.2": "1 2 3 4", "V14.3": "1 2 3",
    "V15.1": "1 2 3", "V15.2": "1 2 3", "V15.3": "1 2 3 4 5 6 7",
    "V16.1": "1", "V16.2": "1 2 3 4 5", "V16.3": "1 2 3 4", "V16.4": "1 2 3", "V16.5": "1 2 3",
    "V17.1": "1", "V17.2": "1 2 3 4", "V17.3": "1 2",
}  # fmt: skip
REQUIRED = {f"{section}.{number}" for section, numbers in SECTIONS.items() for number in numbers.split()}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w./-]+/[\w.-]+)`", PAGE))))
def test_every_file_that_is_named_exists(name: str) -> None:
    if name.startswith("GETSALE_DATA"):
        return
    assert (ROOT / name).exists()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w/.-]+)\)", PAGE))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_every_requirement_of_levels_1_and_2_is_answered_once() -> None:
    listed = [row[0] for row in ROWS]

    assert len(listed) == len(set(listed))
    assert set(listed) | _left_out() == REQUIRED
    assert set(listed) & _left_out() == set()


def test_what_is_met_names_a_test_and_what_is_not_says_so() -> None:
    for id, _, state, how, test in ROWS:
        assert state.startswith(STATES), id
        assert "tests/" in test or state in ("not met", "operator"), id
        assert how or state in ("not met", "operator"), id


def _left_out() -> set[str]:
    """The ids after "Does not apply", ranges written out."""
    text = PAGE.partition("**Does not apply.**")[2]
    found: set[str] = set()
    for section, first, last in re.findall(r"(V\d+\.\d+)\.(\d+)(?:–V\d+\.\d+\.(\d+))?", text):
        found |= {f"{section}.{number}" for number in range(int(first), int(last or first) + 1)}
    return found
