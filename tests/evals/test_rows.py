"""What has changed in an organization is held against what should have: every row of it, and no other."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from evals.arena import Played
from evals.cases import Case
from evals.rows import Change
from evals.scorers.base import Score
from evals.scorers.rows import final_rows

DEAL, STAGE = uuid4(), uuid4()
IDS = {"deal:gates": DEAL, "stage:Won": STAGE}
MOVED = {"table": "deals", "of": "deal:gates", "to": {"stage_id": "@stage:Won"}}
TASK = {"table": "tasks", "to": {"title": "Call Piet", "due_at": "2026-09-17T10:00:00+02:00"}}


def moved(to: UUID = STAGE, **more: Any) -> Change:
    before = {"id": str(DEAL), "stage_id": str(uuid4()), "amount_minor": 1, "version": 1}
    return Change("deals", str(DEAL), before, {**before, "stage_id": str(to), "version": 2, **more})


def task(title: str = "Call Piet", due_at: str = "2026-09-17T08:00:00+00:00") -> Change:
    return Change("tasks", "t", {}, {"id": "t", "title": title, "due_at": due_at, "priority": "normal"})


def judged(wanted: list[dict[str, Any]] | None, *made: Change) -> Score | None:
    case = Case.model_validate({"id": "c", "burst": ["Do it"], "expect": {"rows": wanted}})
    return final_rows(case, Played(None, ids=IDS, changes=list(made)))


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        ([MOVED], [moved()]),
        ([MOVED, TASK], [task(), moved()]),
        ([TASK], [task(title="Call Piet about the gates")]),
        ([], []),
        ([], [Change("tool_calls", "k", {}, {"id": "k"}), Change("approvals", "a", {}, {"id": "a"})]),
        ([{"table": "tags", "is_gone": True, "to": {"name": "old"}}], [Change("tags", "g", {"name": "old"}, {})]),
    ],
)  # fmt: skip
def test_all_that_should_have_changed_and_nothing_else_is_right(
    wanted: list[dict[str, Any]], made: list[Change]
) -> None:
    score = judged(wanted, *made)

    assert score == Score(1.0, is_passed=True)


@pytest.mark.parametrize(
    ("wanted", "made", "why"),
    [
        ([MOVED], [], "is not there: deals deal:gates"),
        ([MOVED], [moved(to=uuid4())], "is not there: deals deal:gates"),
        ([MOVED], [moved(amount_minor=2)], "should not be there: deals changed (amount_minor"),
        ([MOVED], [moved(), task()], "should not be there: tasks inserted"),
        ([MOVED, MOVED], [moved()], "is not there: deals deal:gates"),
        ([TASK], [task(due_at="2026-09-17T10:00:00+00:00")], "is not there: tasks"),
        ([TASK], [task(title="Write to Ruth")], "is not there: tasks"),
        ([], [moved()], "should not be there: deals changed"),
        ([{**MOVED, "of": "deal:nobody"}], [moved()], "is not there: deals deal:nobody"),
        (
            [{"table": "tasks", "is_gone": True, "to": {"title": "Call Piet"}}],
            [task()],
            "is not there: tasks",
        ),
    ],
)
def test_what_is_missing_and_what_is_too_much_is_told(
    wanted: list[dict[str, Any]], made: list[Change], why: str
) -> None:
    score = judged(wanted, *made)

    assert score is not None
    assert not score.is_passed
    assert score.value < 1
    assert why in score.why


def test_rows_that_a_case_says_nothing_of_are_not_judged() -> None:
    assert judged(None, moved()) is None
