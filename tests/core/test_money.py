"""Amounts keep every minor unit, whatever a currency's decimals are and however a person groups digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Unprocessable
from core.money import CURRENCIES, MOST_MINOR, digits_of, format_amount, known_currency, parse_amount

currencies = st.sampled_from(sorted(CURRENCIES))
amounts = st.integers(0, MOST_MINOR)


@given(amounts, currencies)
def test_what_is_written_is_read_back(amount: int, currency: str) -> None:
    assert parse_amount(format_amount(amount, currency), currency) == amount


@given(
    amounts, currencies, st.sampled_from([(",", "."), (".", ","), (" ", ","), ("\u202f", "."), ("'", ".")])
)
def test_grouped_digits_are_read_in_either_tradition(
    amount: int, currency: str, marks: tuple[str, str]
) -> None:
    group, point = marks
    whole, _, decimals = format_amount(amount, currency).partition(".")
    grouped = f"{int(whole):,}".replace(",", group)
    text = grouped + (point + decimals if decimals else "")

    assert parse_amount(text, currency) == amount


@given(st.lists(amounts, max_size=20), currencies)
def test_a_sum_of_amounts_is_the_amount_of_the_sum(parts: list[int], currency: str) -> None:
    digits = digits_of(currency)
    total = sum(parts)

    written = format_amount(total, currency).replace(".", "")

    assert int(written) == total
    assert ("." in format_amount(total, currency)) == (digits > 0)


@given(st.text(max_size=20), currencies)
def test_any_text_is_an_amount_or_refused_by_name(text: str, currency: str) -> None:
    try:
        amount = parse_amount(text, currency)
    except Unprocessable:
        return

    assert 0 <= amount <= MOST_MINOR


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("8160", "EUR", 816000),
        ("8,160.5", "EUR", 816050),
        ("8.160,50", "EUR", 816050),
        ("1,234", "EUR", 123400),
        ("1,234", "JPY", 1234),
        ("1.234", "KWD", 1234),
        ("1\u00a0240\u00a0000", "RUB", 124000000),
        ("0,5", "EUR", 50),
    ],
)
def test_an_amount_is_read_as_it_is_meant(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "EUR"),
        ("-5", "EUR"),
        ("1.5", "JPY"),
        ("1,2345", "EUR"),
        ("1e3", "EUR"),
        ("1,23,456", "EUR"),
        ("٣", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str) -> None:
    with pytest.raises(Unprocessable):
        parse_amount(text, currency)


def test_a_currency_is_known_in_any_case() -> None:
    assert known_currency(" rub ") == "RUB"
    with pytest.raises(Unprocessable):
        known_currency("XXX")
