"""Reads one cell as what its column is; a cell that is something else says so."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

import phonenumbers
from babel.numbers import get_currency_precision, list_currencies
from email_validator import EmailNotValidError, validate_email

from core.languages import language_of
from core.tables import formulas
from crm.imports.tables.models import Why

_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}")
_USERNAME = re.compile(r"[a-z][a-z0-9_]{3,31}")
_SYMBOLS = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "₽": "RUB",
    "руб": "RUB",
    "р": "RUB",
    "₴": "UAH",
    "₸": "KZT",
    "¥": "JPY",
}
_MONEY = re.compile(
    r"(?P<before>[^\d\s.,+-]*)\s*(?P<number>[+-]?[\d\s.,\xa0\u202f']*\d)\s*(?P<after>[^\d\s,]*)"
)
_FIGURES = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{4}|\d{1,2})(?:[T ].*)?")
_YES = frozenset({"yes", "y", "true", "1", "да", "д", "истина", "+", "on"})
_NO = frozenset({"no", "n", "false", "0", "нет", "н", "ложь", "-", "off"})
_LANGUAGES = {"english": "en", "russian": "ru", "английский": "en", "русский": "ru", "en": "en", "ru": "ru"}
_LARGEST = Decimal(10) ** 15
_PHONE_DIGITS = 7


class Wrong(Exception):
    """The cell is not what its column is."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def plain_cell(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from calculating it, and without what no text holds."""
    return formulas.plain(cell).replace("\0", "")


def emails(cell: str) -> list[str]:
    """Every address of a cell. Raises: Wrong."""
    return [_email(part) for part in re.split(r"[;,\s]+", cell.removeprefix("mailto:")) if part]


@lru_cache(maxsize=1024)
def _ascii_domain(domain: str) -> bool:
    """Whether a domain of plain letters is well formed; asked once for each, for thousands share one."""
    return bool(_DOMAIN.fullmatch(domain))


_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def _email(text: str) -> str:
    lowered = text.strip("<>\"'").lower()
    local, _, domain = lowered.rpartition("@")
    # the common case without the library, which takes thirty times as long
    if len(local) <= 64 and domain.isascii() and _LOCAL.fullmatch(local) and _ascii_domain(domain):
        return lowered
    try:
        return validate_email(lowered, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as err:
        raise Wrong(Why.BAD_EMAIL) from err


def phones(cell: str, region: str) -> list[str]:
    """Every number of a cell in E.164. Raises: Wrong."""
    parts = [part.strip() for part in re.split(r"[;\n|]+|,\s*(?=[+(\d])|\s/\s", cell) if part.strip()]
    if any(sum(map(str.isdigit, part)) < _PHONE_DIGITS for part in parts):
        parts = [cell]
    return [_phone(part, region) for part in parts]


def _phone(text: str, region: str) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as err:
        raise Wrong(Why.BAD_PHONE) from err
    if not phonenumbers.is_possible_number(number):
        raise Wrong(Why.BAD_PHONE)
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


def telegram(cell: str) -> tuple[str, str]:
    """A numeric id or a username, also as a link. Raises: Wrong."""
    name = re.sub(r"^(?:https?://)?(?:t\.me|telegram\.me)/", "", cell.strip(), flags=re.IGNORECASE)
    name = name.removeprefix("@").rstrip("/").lower()
    if name.isdigit() and 4 < len(name) < 16:
        return "telegram_id", name
    if _USERNAME.fullmatch(name):
        return "telegram_username", name
    raise Wrong(Why.BAD_TELEGRAM)


def domain(cell: str) -> str:
    """`https://www.Lind.example/about` as `lind.example`. Raises: Wrong."""
    host = (
        cell.strip().lower().split("://")[-1].split("/")[0].split("?")[0].split("@")[-1].removeprefix("www.")
    )
    if not _DOMAIN.fullmatch(host) or len(host) > 253:
        raise Wrong(Why.BAD_DOMAIN)
    return host


def number(cell: str) -> Decimal:
    """A number with either decimal mark. Raises: Wrong."""
    try:
        value = Decimal(_plain_number(cell))
    except InvalidOperation as err:
        raise Wrong(Why.BAD_NUMBER) from err
    if abs(value) > _LARGEST:
        raise Wrong(Why.BAD_NUMBER)
    return value


def integer(cell: str) -> int:
    """Raises: Wrong, also for a negative number."""
    value = number(cell)
    if value != value.to_integral_value() or not 0 <= value < 2**31:
        raise Wrong(Why.BAD_NUMBER)
    return int(value)


def _plain_number(text: str) -> str:
    """Without thousands; the last mark is the decimal one unless exactly three figures follow the only one."""
    bare = re.sub(r"[\s\xa0\u202f']", "", text)
    marks = [mark for mark in bare if mark in ".,"]
    if not marks:
        return bare
    last = marks[-1]
    head, _, tail = bare.rpartition(last)
    is_thousands = marks.count(last) > 1 or (
        len(set(marks)) == 1 and len(tail) == 3 and head.strip("+-0") != ""
    )
    digits = re.sub(r"[.,]", "", head)
    return f"{digits}{tail}" if is_thousands else f"{digits}.{tail}"


def money(cell: str, fallback: str) -> tuple[int, str]:
    """The amount in the smallest unit and its currency; `fallback` where the cell names none. Raises: Wrong."""
    found = _MONEY.fullmatch(cell.strip())
    if found is None:
        raise Wrong(Why.BAD_MONEY)
    said = found["before"] or found["after"]
    code = currency(said) if said else fallback
    try:
        value = Decimal(_plain_number(found["number"]))
    except InvalidOperation as err:
        raise Wrong(Why.BAD_MONEY) from err
    minor = value.scaleb(get_currency_precision(code))
    if minor != minor.to_integral_value() or not 0 <= minor <= _LARGEST:
        raise Wrong(Why.BAD_MONEY)
    return int(minor), code


@lru_cache(maxsize=256)
def currency(cell: str) -> str:
    """A code of three letters, or the code of a symbol. Raises: Wrong."""
    text = cell.strip().rstrip(".")
    code = _SYMBOLS.get(text.lower(), text.upper())
    if code not in list_currencies():
        raise Wrong(Why.BAD_CURRENCY)
    return code


def day(cell: str, order: Literal["dmy", "mdy"]) -> date:
    """A date of figures. Dots always name the day first, four figures in front the year. Raises: Wrong."""
    found = _FIGURES.fullmatch(cell.strip())
    if found is None:
        raise Wrong(Why.BAD_DATE)
    first, mark, second, third = found.groups()
    try:
        if len(first) == 4:
            return date(int(first), int(second), int(third))
        year = int(third) + (2000 if len(third) <= 2 else 0)
        is_month_first = order == "mdy" and mark == "/"
        months, days = (first, second) if is_month_first else (second, first)
        return date(year, int(months), int(days))
    except ValueError as err:
        raise Wrong(Why.BAD_DATE) from err


def boolean(cell: str) -> bool:
    """Raises: Wrong."""
    text = cell.strip().casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise Wrong(Why.BAD_BOOLEAN)


def language(cell: str) -> str:
    """A code of two letters; what it is not is passed over, for nothing hangs on it."""
    return _LANGUAGES.get(cell.strip().casefold()[:10], "")


def language_of_name(name: str) -> str:
    return language_of(name, "en")


def tags(cell: str) -> list[str]:
    """The words of a cell, parted by commas or semicolons."""
    return [" ".join(word.split())[:60] for word in re.split(r"[,;]+", cell) if word.strip()]


def choice(cell: str, options: Mapping[str, str]) -> str:
    """The key of a choice by its label or key in any case. Raises: Wrong."""
    key = options.get(cell.strip().casefold())
    if key is None:
        raise Wrong(Why.UNKNOWN_CHOICE)
    return key


def moment_text(value: date | datetime) -> str:
    return value.isoformat()
