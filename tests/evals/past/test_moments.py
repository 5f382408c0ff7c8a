"""Points of past talks: where a colleague answered, and nothing that is younger than that."""

from datetime import UTC, datetime, timedelta

from evals.past.backtest import cases_of_talks
from evals.past.moments import Spoken, Talk, replies
from evals.scene import Paper, Person

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def talk(*lines: tuple[str, str, float]) -> list[Spoken]:
    """(who, text, hours since the beginning); `they` is the contact, `bot` a program of ours."""
    return [
        Spoken(who != "they", text, NOW + timedelta(hours=hours), who == "we") for who, text, hours in lines
    ]


def test_every_answer_of_a_colleague_is_a_point_with_its_whole_burst_and_reply() -> None:
    found = replies(
        talk(
            ("they", "Hello", 0),
            ("they", "What do 40 cost?", 0.01),
            ("we", "€17 each.", 1),
            ("we", "Paid yearly.", 1.1),
            ("they", "And the warranty?", 2),
            ("we", "Two years.", 3),
            ("they", "Fine", 4),
        )
    )

    assert [(one.moment.burst, one.text) for one in found] == [
        (("Hello", "What do 40 cost?"), "€17 each.\nPaid yearly."),
        (("And the warranty?",), "Two years."),
    ]
    assert [line.text for line in found[1].moment.history][-1] == "Paid yearly."
    assert found[1].moment.at == NOW + timedelta(hours=2)


def test_what_nobody_asked_and_what_a_program_sent_is_no_point() -> None:
    found = replies(talk(("we", "Do you need scanners?", 0), ("they", "Which?", 1), ("bot", "Ours.", 2)))

    assert found == []


def test_what_was_left_unanswered_for_a_day_is_history() -> None:
    [only] = replies(talk(("they", "Hello?", 0), ("they", "Still there?", 30), ("we", "Yes!", 31)))

    assert only.moment.burst == ("Still there?",)
    assert [line.text for line in only.moment.history] == ["Hello?"]


def test_a_case_knows_nothing_younger_than_its_moment() -> None:
    lines = talk(("they", "Price?", 0), ("we", "€17.", 1), ("they", "Warranty?", 2), ("we", "Two years.", 3))
    made = cases_of_talks([Talk("t", Person(name="Vera"), tuple(lines))])

    first, second = made
    assert "17" not in first.model_copy(update={"expect": second.expect}).model_dump_json()
    assert "Two years" not in second.stage().model_dump_json()
    assert [said.minutes_ago for said in second.stage().history] == [120, 60]
    assert first.stage().now == NOW


def test_papers_that_held_all_along_are_in_every_case() -> None:
    lines = talk(("they", "Price?", 0), ("we", "€17.", 1))
    [case] = cases_of_talks([Talk("t", Person(), tuple(lines))], [Paper(name="List.md", text="€17")])

    assert [paper.name for paper in case.stage().documents] == ["List.md"]


def test_the_same_talk_gives_the_same_cases() -> None:
    made = [Talk("t", Person(), tuple(talk(("they", "Сколько стоит?", 0), ("we", "17 €.", 1))))]

    assert cases_of_talks(made) == cases_of_talks(made)
    assert [(case.id, case.language, case.stratum) for case in cases_of_talks(made)] == [
        ("t.1", "ru", "price")
    ]
