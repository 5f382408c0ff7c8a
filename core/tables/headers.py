"""Finds the row of column names, and gives every column a name of its own."""

import re
from collections import Counter
from collections.abc import Sequence

from core.tables.models import Row

# What stands in cells and never over a column: an address, a number, a date, a link.
_DATA = re.compile(
    r"[^\s@]+@[^\s@]+\.\w+|[+(]?\d[\d\s().,:/%-]*|https?://\S+|[€$₽£]\s?\d.*|\d.*[€$₽£]|true|false",
    re.IGNORECASE,
)
_TITLES = 10


def header_of(sample: Sequence[Row], *, has_header: bool | None) -> int | None:
    """The row number of the header, or None when the first full row is data already.

    Titles above a table are passed over: they are narrower than half of it.
    """
    width = Counter(len(cells) for _, cells in sample).most_common(1)[0][0]
    for number, cells in sample[:_TITLES]:
        filled = [cell for cell in cells if cell]
        if len(filled) * 2 < width:
            continue
        if has_header is False or (has_header is None and any(_DATA.fullmatch(cell) for cell in filled)):
            return None
        return number
    return sample[0][0] if has_header else None


def letter(column: int) -> str:
    """How a spreadsheet calls a column counted from 0: A, B ... Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def named(cells: Sequence[str], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A name for each of `width` columns, and the names that were there more than once.

    A column without a name is called by its letter; the second of two alike is numbered.
    """
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    names = []
    for column in range(width):
        name = " ".join(cells[column].split()) if column < len(cells) else ""
        seen[name.casefold()] += bool(name)
        unique, count = name or letter(column), 1
        while unique.casefold() in taken:
            count += 1
            unique = f"{name or letter(column)} ({count})"
        taken.add(unique.casefold())
        names.append(unique)
    repeated = {key for key, count in seen.items() if count > 1}
    return tuple(names), tuple(dict.fromkeys(name for name in names if name.casefold() in repeated))
