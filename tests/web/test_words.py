"""Dates, sizes and money as each language writes them."""

from datetime import UTC, datetime

import pytest

from core import clock
from web.i18n import Words, choose

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "minor", "currency", "said"),
    [
        ("en", 816_000, "EUR", "€8,160"),
        ("ru", 816_000, "EUR", "8160 €"),
        ("ru", 31_000_000, "RUB", "310 000 ₽"),
        ("en", 12_345, "USD", "$123.45"),
    ],
)
def test_money(locale: str, minor: int, currency: str, said: str) -> None:
    assert Words(locale, "UTC").money(minor, currency).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize(("locale", "said"), [("en", "3 Nov"), ("ru", "3 ноя")])
def test_a_date_is_short(locale: str, said: str) -> None:
    with clock.frozen(NOW):
        assert Words(locale, "UTC").moment(datetime(2026, 11, 3, 9, 0, tzinfo=UTC)) == said


def test_a_time_is_the_organizations() -> None:
    with clock.frozen(NOW):
        assert Words("en", "Europe/Moscow").moment(datetime(2026, 11, 26, 8, 42, tzinfo=UTC)) == "11:42"


@pytest.mark.parametrize(
    ("header", "locale"),
    [("ru", "ru"), ("de, ru;q=0.5", "ru"), ("en-GB", "en"), ("fr", "en"), (None, "en"), ("*", "en")],
)
def test_the_language_of_a_stranger(header: str | None, locale: str) -> None:
    assert choose(header) == locale


@pytest.mark.parametrize(
    ("number", "said"), [(1, "сообщение"), (2, "сообщения"), (5, "сообщений"), (21, "сообщение")]
)
def test_russian_plurals(number: int, said: str) -> None:
    words = Words("ru", "UTC")

    text = words.ngettext("answers %(count)s message", "answers %(count)s messages", number, count=number)

    assert text.endswith(said)
