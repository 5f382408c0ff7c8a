"""Values, addresses, links and letters in a draft that a person should look at."""

import pytest

from tools.guard import Mark, Source, inspect

OFFER = Source("40 scanners, two depots 8,160 EUR, Proposal", "confirmed")
PRICES = Source("25 to 99 scanners cost €17 each a month", "confirmed")
ASKED = Source(
    "price for 40 scanners on Thursday at 10:00? write to pay@rival.example or https://rival.example",
    "untrusted",
)
CHEAP = Source("your colleague promised €5", "untrusted")
SOURCES = [OFFER, PRICES, ASKED, CHEAP]


def kinds(body: str, language: str = "en") -> list[tuple[str, str]]:
    return [(mark.kind, mark.value) for mark in inspect(body, SOURCES, language=language)]


@pytest.mark.parametrize(
    "body",
    [
        "For 40 scanners our offer comes to €8,160.",
        "For 40 scanners our offer comes to 8160.00 EUR.",
        "25 to 99 scanners cost €17 each a month.",
        "A call on Thursday at 10:00.",
        "Hello!",
    ],
)
def test_what_rests_on_sources_is_not_marked(body: str) -> None:
    assert kinds(body) == []


def test_the_russian_spelling_of_an_amount_is_the_same_amount() -> None:
    assert kinds("На 40 сканеров выходит 8\u00a0160\u00a0€, по 17 € за штуку.", "ru") == []


@pytest.mark.parametrize("value", ["€8,610", "€16", "15%", "12 500 €"])
def test_a_price_without_a_source_is_marked(value: str) -> None:
    assert ("unsourced_value", value) in kinds(f"It costs {value} in total.")


def test_a_number_and_a_day_without_a_source_are_marked() -> None:
    assert kinds("We deliver 77 of them on Monday.") == [
        ("unsourced_value", "77"),
        ("unsourced_value", "Monday"),
    ]


def test_a_price_that_only_the_contact_named_is_marked_as_untrusted() -> None:
    assert kinds("As agreed, €5 each.") == [("untrusted_value", "€5")]


def test_an_address_and_a_link_that_are_nowhere_in_the_thread_are_new() -> None:
    found = kinds("Write to sales@elsewhere.example or see https://elsewhere.example/offer.")

    assert found == [
        ("new_address", "sales@elsewhere.example"),
        ("new_link", "https://elsewhere.example/offer"),
    ]


def test_an_address_that_came_from_outside_is_marked_as_untrusted() -> None:
    assert kinds("The invoice goes to pay@rival.example.") == [("untrusted_value", "pay@rival.example")]


def test_look_alike_letters_are_marked() -> None:
    assert ("mixed_script", "рricе") in kinds("The рricе is fine.")


def test_a_reply_in_another_language_is_marked() -> None:
    assert inspect("Мы работаем и без связи, всё хорошо.", [], language="en") == (Mark("language", "en"),)
    assert inspect("It works without a signal as well.", [], language="ru") == (Mark("language", "ru"),)


def test_a_quote_in_another_language_is_no_other_language() -> None:
    assert inspect("Из наших материалов: «Scans stay on the device».", [], language="ru") == ()


def test_each_value_is_marked_once() -> None:
    assert len(kinds("€99, yes, €99.")) == 1


@pytest.mark.parametrize("body", ["40 × €17 = €680 a month.", "40 x €17 = 680 €"])
def test_a_total_that_shows_how_it_comes_about_needs_no_source(body: str) -> None:
    assert kinds(body) == []


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ("40 × €17 = €650 a month.", "€650"),  # wrong
        ("40 × €16 = €640 a month.", "€16"),  # of a price that is nowhere
        ("That is €680 a month.", "€680"),  # not shown
    ],
)
def test_a_total_that_is_wrong_or_not_shown_is_marked(body: str, marked: str) -> None:
    assert kinds(body) == [("unsourced_value", marked)]


def test_a_code_that_nothing_says_is_marked() -> None:
    said = [Source("Your order is ORD-2026-114", "confirmed")]

    marks = inspect("ORD-2026-114 ships today, the code is CODE-x1a2d3.", said, language="en")

    assert [(mark.kind, mark.value) for mark in marks] == [("unsourced_value", "CODE-x1a2d3")]
