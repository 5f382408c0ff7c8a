"""Words of questions and turns in both languages."""

from datetime import UTC, datetime

import pytest

from memory import words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("scanners", "scanner"),
        ("склады", "склада"),
        ("Ёлки", "елка"),
        ("Vera's", "Vera"),
        ("pickers", "picker"),
    ],
)
def test_forms_of_a_word_are_one(one: str, other: str) -> None:
    assert words.stems(one) == words.stems(other) != []


@pytest.mark.parametrize("text", ["what is the", "что это было"])
def test_words_that_every_text_has_are_not_looked_for(text: str) -> None:
    assert words.stems(text) == []


@pytest.mark.parametrize(
    ("name", "question"),
    [("Vera Lind", "What did Vera's boss say?"), ("Виктор", "Что сказали Виктору?"), ("Лена", "Дочь Лены")],
)
def test_a_name_is_known_in_every_case(name: str, question: str) -> None:
    asked = {words.stem(word) for word in words.words(question)}

    assert words.name_stems(name) & asked


@pytest.mark.parametrize(
    ("question", "month", "day"),
    [
        ("What was agreed on 5 May 2026?", 5, 5),
        ("О чём договорились 12 сентября?", 9, 12),
        ("In March?", 3, None),
    ],
)
def test_dates_in_a_question_are_read(question: str, month: int, day: int | None) -> None:
    dates = words.dates_in(question)

    assert dates.holds(datetime(2026, month, 20, tzinfo=UTC))
    assert day is None or dates.is_just_past(datetime(2026, month, day + 1, tzinfo=UTC))
    assert not dates.holds(datetime(2026, month % 12 + 1, 20, tzinfo=UTC))


def test_a_number_alone_is_no_date() -> None:
    assert words.dates_in("How much for 12 seats in 2026?").days == frozenset()


@pytest.mark.parametrize(
    "question", ["When do we meet?", "What day is it due?", "Когда встреча?", "В каком месяце?"]
)
def test_questions_about_time_are_known(question: str) -> None:
    assert words.asks_when(question)


@pytest.mark.parametrize("question", ["Who knows when?", "Что и когда-нибудь", "What is the price?"])
def test_other_questions_are_not(question: str) -> None:
    assert not words.asks_when(question)


@pytest.mark.parametrize(
    "text", ["See you tomorrow", "Увидимся в среду", "It was in 2024", "На прошлой неделе"]
)
def test_turns_that_name_a_time_are_known(text: str) -> None:
    assert words.names_time(text)
