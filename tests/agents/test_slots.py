"""Quantities, days, times, names and conditions in both languages."""

import pytest

from agents.llm.offline import slots
from agents.llm.offline.introductions import is_same_name
from core.languages import Language


@pytest.mark.parametrize(
    ("text", "language", "number", "words"),
    [
        ("price for 40 scanners", "en", 40, "40 scanners"),
        ("we are 1,200 people", "en", 1200, "1,200 people"),
        ("сколько на 50 человек?", "ru", 50, "50 человек"),
        ("нужно 1 200 сканеров", "ru", 1200, "1 200 сканеров"),
    ],
)
def test_counted_things_are_quantities(text: str, language: Language, number: int, words: str) -> None:
    assert slots.quantities(text, language) == [slots.Quantity(number, words)]


@pytest.mark.parametrize(
    ("text", "language"),
    [("at 10 am", "en"), ("in 3 weeks", "en"), ("on 5 May", "en"), ("через 2 недели", "ru"), ("5 мая", "ru")],
)
def test_times_and_dates_are_no_quantities(text: str, language: Language) -> None:
    assert slots.quantities(text, language) == []


@pytest.mark.parametrize(
    ("text", "language", "when"),
    [
        ("Can we talk on Thursday at 10:00?", "en", "on Thursday at 10:00"),
        ("thursday after 14:00 works", "en", "on Thursday after 14:00"),
        ("next Tuesday?", "en", "next Tuesday"),
        ("a call tomorrow morning", "en", "tomorrow morning"),
        ("maybe 3pm", "en", "at 3pm"),
        ("on 24 November", "en", "on 24 November"),
        ("когда-нибудь", "ru", ""),
        ("А можно в четверг?", "ru", "в четверг"),
        ("вторник в 15:00 подойдёт?", "ru", "во вторник в 15:00"),
        ("давайте в среду после обеда", "ru", "в среду после обеда"),
        ("в следующую пятницу в 10", "ru", "в следующую пятницу в 10"),
        ("24 ноября в 9:30", "ru", "24 ноября в 9:30"),
        ("завтра утром", "ru", "завтра утром"),
    ],
)
def test_day_and_time_are_said_again(text: str, language: Language, when: str) -> None:
    assert slots.when(text, language) == when


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [
        ("Could you introduce me to Tomas Ferreira?", "en", ["Tomas Ferreira"]),
        ("Do you know anyone at Vexholm?", "en", ["Vexholm"]),
        ("Познакомите меня с Томасом?", "ru", ["Томасом"]),
    ],
)
def test_names_in_a_request_for_an_introduction(text: str, language: Language, names: list[str]) -> None:
    assert slots.names(text, language) == names


@pytest.mark.parametrize(
    ("written", "known", "same"),
    [
        ("Томасом", "Томас", True),
        ("Хеддой", "Хедда", True),
        ("Ильёй", "Илья", True),
        ("Tomas", "Tomas", True),
        ("Tomas", "Tom", False),
        ("Anna", "Antonia", False),
    ],
)
def test_names_are_the_same_up_to_a_case_ending(written: str, known: str, same: bool) -> None:
    assert is_same_name(written, known) is same


def test_conditions_of_payment() -> None:
    assert slots.conditions("при оплате за год, скидка и НДС") == ["year", "discount", "vat"]
    assert slots.conditions("paid yearly") == ["year"]
