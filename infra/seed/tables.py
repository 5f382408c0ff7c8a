"""Tables of people as sales teams have them, English or Russian, with the mistakes that such tables have; seeded."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Row = list[str]
Locale = Literal["en", "ru"]

_HEADERS = {
    "en": [
        "Full name",
        "Job title",
        "Company",
        "Email",
        "Mobile phone",
        "City",
        "Budget",
        "Last contact",
        "Tags",
    ],
    "ru": [
        "ФИО",
        "Должность",
        "Компания",
        "Эл. почта",
        "Моб. телефон",
        "Город",
        "Бюджет",
        "Последний контакт",
        "Теги",
    ],
}
_NAMES: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("names.toml").read_text("utf-8")
)
_CITIES = {"en": ["Oslo", "Leeds", "Austin", "Porto"], "ru": ["Москва", "Казань", "Омск", "Пермь"]}
_TAGS = {"en": ["vip", "fair 2026", "partner"], "ru": ["вип", "выставка 2026", "партнёр"]}


@dataclass(frozen=True)
class Mess:
    """How many of the rows, as shares, are not as they should be."""

    bad_emails: float = 0.0
    bad_phones: float = 0.0
    repeated: float = 0.0
    unnamed: float = 0.0


CLEAN = Mess()


def header(locale: Locale) -> Row:
    return list(_HEADERS[locale])


def people(count: int, locale: Locale = "en", *, seed: int = 7, mess: Mess = CLEAN) -> Iterator[Row]:
    """`count` rows below the header, the same for the same seed; a repeated one has the email of an earlier one."""
    dice = random.Random(f"{seed} {locale}")
    for number in range(count):
        row = _person(number, locale, dice, seed)
        luck = dice.random()
        if number and luck < mess.repeated:
            row[3] = _email(dice.randrange(number), locale, seed)
        elif luck < mess.repeated + mess.bad_emails:
            row[3] = row[3].replace("@", " at ")
        elif luck < mess.repeated + mess.bad_emails + mess.bad_phones:
            row[4] = "12-34"
        elif luck < mess.repeated + mess.bad_emails + mess.bad_phones + mess.unnamed:
            row[0] = row[3] = row[4] = ""
        yield row


def _person(number: int, locale: Locale, dice: random.Random, seed: int) -> Row:
    firm, names = dice.randrange(2000), _NAMES[locale]
    budget = dice.randrange(1, 900) * 1000
    return [
        f"{dice.choice(names['given'])} {dice.choice(names['family'])}",
        dice.choice(names["titles"]),
        f"{names['company_first'][firm % 10]} {names['company_second'][firm % 6]} {firm}",
        _email(number, locale, seed),
        _phone(number, locale, seed),
        dice.choice(_CITIES[locale]),
        f"{budget // 1000} 000 руб." if locale == "ru" else f"${budget:,}",
        f"{dice.randint(1, 28):02}.{dice.randint(1, 12):02}.2026"
        if locale == "ru"
        else f"2026-{dice.randint(1, 12):02}-14",
        ", ".join(dice.sample(_TAGS[locale], dice.randrange(3))),
    ]


def _email(number: int, locale: Locale, seed: int) -> str:
    return f"{locale}.{seed}.{number}@{'pochta' if locale == 'ru' else 'mail'}{number % 50}.example"


def _phone(number: int, locale: Locale, seed: int) -> str:
    if locale == "ru":
        return f"8 (9{seed % 90 + 10}) {number // 10000 % 1000:03}-{number // 100 % 100:02}-{number % 100:02}"
    return f"+1 2{seed % 90 + 10} {number // 10000:03} {number % 10000:04}"
