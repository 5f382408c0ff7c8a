"""The sentences of the offline model, with money and dates as each language writes them."""

import tomllib
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import resources

from core.languages import Language
from core.money import digits_of

_MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "ru": [
        "января",
        "февраля",
        "марта",
        "апреля",
        "мая",
        "июня",
        "июля",
        "августа",
        "сентября",
        "октября",
        "ноября",
        "декабря",
    ],
}
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "RUB": "₽", "KZT": "₸", "PLN": "zł"}
_NO_BREAK_SPACE = "\u00a0"


@cache
def _phrases(language: Language) -> dict[str, dict[str, str]]:
    raw = tomllib.loads(resources.files(__package__).joinpath(f"phrases.{language}.toml").read_text("utf-8"))
    return {group: dict(entries) for group, entries in raw.items()}


def say(language: Language, key: str, **fields: str) -> str:
    """The phrase `group.name` with its fields filled in."""
    group, _, name = key.partition(".")
    return _phrases(language)[group][name].format(**fields)


def openings(language: Language, *keys: str) -> list[str]:
    """The fixed beginnings of phrases, to recognise that one was said before."""
    return [
        _phrases(language)[group][name].partition("{")[0] for group, name in (key.split(".") for key in keys)
    ]


def money(amount_minor: int, currency: str, language: Language) -> str:
    """`€8,160` in English, `8160 €` in Russian; cents only when there are any."""
    digits = digits_of(currency)
    amount = Decimal(amount_minor).scaleb(-digits)
    decimals = 0 if amount == amount.to_integral_value() else digits
    symbol = _SYMBOLS.get(currency, currency)
    if language == "en":
        spaced = symbol if len(symbol) == 1 else f"{symbol}{_NO_BREAK_SPACE}"
        return f"{spaced}{amount:,.{decimals}f}"
    number = f"{amount:.{decimals}f}" if amount < 10_000 else f"{amount:,.{decimals}f}"
    return f"{number.replace(',', _NO_BREAK_SPACE).replace('.', ',')}{_NO_BREAK_SPACE}{symbol}"


def day(at: datetime, language: Language) -> str:
    """`9 October`, `9 октября`."""
    return f"{at.day} {_MONTHS[language][at.month - 1]}"
