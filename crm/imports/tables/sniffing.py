"""What the cells of a column are, told by most of them."""

import re
from collections.abc import Callable, Sequence

from crm.imports.tables.targets import ValueKind

_ENOUGH = 0.7
_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;.]{2,}")
_PHONE = re.compile(r"(?:\+|8|\(|00)[\d\s().-]{6,20}\d|\+?\d{10,13}")
_DOMAIN = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[a-zа-я]{2,}(?:/\S*)?", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?|\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2})(?: .*)?")
_MONEY = re.compile(
    r"(?:[€$₽£]|EUR|USD|RUB)\s?[\d\s.,\xa0]+|[\d\s.,\xa0]+\s?(?:[€$₽£]|руб\.?|р\.|EUR|USD|RUB)"
)
_NUMBER = re.compile(r"-?\d[\d\s\xa0]*(?:[.,]\d+)?")
_TRUTH = re.compile(r"yes|no|true|false|да|нет", re.IGNORECASE)

# The surest first: an address is never a phone, a phone may look like a number.
_LOOKS: tuple[tuple[ValueKind, re.Pattern[str]], ...] = (
    (ValueKind.EMAIL, _EMAIL),
    (ValueKind.DATE, _DATE),
    (ValueKind.PHONE, _PHONE),
    (ValueKind.MONEY, _MONEY),
    (ValueKind.NUMBER, _NUMBER),
    (ValueKind.BOOLEAN, _TRUTH),
    (ValueKind.DOMAIN, _DOMAIN),
)


def kind_of_cells(cells: Sequence[str]) -> ValueKind:
    """What at least seven in ten of the filled cells are; text when nothing is."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    for kind, pattern in _LOOKS:
        if filled and _share(filled, pattern.fullmatch) >= _ENOUGH:
            return kind
    return ValueKind.TEXT


def is_choice(cells: Sequence[str]) -> bool:
    """Whether few short values come again and again, as in a list that somebody chose from."""
    filled = [cell for cell in cells if cell]
    return len(filled) >= 10 and len(set(filled)) <= len(filled) // 5 and max(map(len, filled)) <= 40


def is_month_first(cells: Sequence[str]) -> bool:
    """Whether dates of figures name the month first: some second figure is larger than any month."""
    seconds = [int(found[1]) for cell in cells if (found := re.match(r"\d{1,2}/(\d{1,2})/\d{2,4}", cell))]
    firsts = [int(found[1]) for cell in cells if (found := re.match(r"(\d{1,2})/\d{1,2}/\d{2,4}", cell))]
    return any(second > 12 for second in seconds) and all(first <= 12 for first in firsts)


def _share(cells: Sequence[str], is_one: Callable[[str], object]) -> float:
    return sum(bool(is_one(cell)) for cell in cells) / len(cells)
