"""CSV and its relatives, row by row: no line and no cell is ever larger than the limits."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from core.tables import limits
from core.tables.encodings import encoding_of
from core.tables.models import Fault, Layout, Row, Unreadable, Wish

DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 100


def layout_of(path: Path, wish: Wish) -> Layout:
    """The encoding and the delimiter of a file; its header is found later. Raises: Unreadable."""
    encoding = wish.encoding or encoding_of(path)
    layout = Layout("csv", encoding, ",", None)
    said = _said_by_excel(path, encoding)
    return Layout("csv", encoding, wish.delimiter or said or _delimiter(path, layout), None)


def rows(path: Path, layout: Layout) -> Iterator[Row]:
    """Every row that has a cell with something in it. Raises: Unreadable, naming the line."""
    with path.open("rb") as raw:
        text = TextIOWrapper(raw, encoding=layout.encoding, newline="")
        lines = _Lines(text, layout.encoding)
        reader = csv.reader(lines, delimiter=layout.delimiter, skipinitialspace=layout.delimiter != "\t")
        number = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as err:
                raise Unreadable(Fault.CELL_TOO_LONG, line=reader.line_num) from err
            number += 1
            if number == 1:
                cells = [cell.removeprefix("\ufeff") for cell in cells]
                if len(cells) <= 2 and cells and cells[0].lower().startswith("sep="):
                    continue
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield number, stripped


class _Lines:
    """The lines of a text; one without an end in sight is refused before it fills the memory."""

    def __init__(self, text: TextIOWrapper, encoding: str) -> None:
        self._text = text
        self._encoding = encoding
        self._read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self._read += 1
        try:
            line = self._text.readline(limits.LINE_CHARACTERS + 1)
        except UnicodeError as err:
            raise Unreadable(Fault.WRONG_ENCODING, line=self._read, detail=self._encoding) from err
        if not line:
            raise StopIteration
        if len(line) > limits.LINE_CHARACTERS:
            raise Unreadable(Fault.LINE_TOO_LONG, line=self._read)
        if "\0" in line:
            raise Unreadable(Fault.NUL_BYTES, line=self._read)
        return line


def _said_by_excel(path: Path, encoding: str) -> str | None:
    """Excel's own first line `sep=;`, or None."""
    with path.open("rb") as raw:
        try:
            first = (
                TextIOWrapper(raw, encoding=encoding, newline="").readline(10).strip().removeprefix("\ufeff")
            )
        except UnicodeError:
            return None
    return (
        first[4] if len(first) == 5 and first.lower().startswith("sep=") and first[4] in DELIMITERS else None
    )


def _delimiter(path: Path, layout: Layout) -> str:
    """The delimiter under which most rows have the same number of cells, and the most of them."""
    return max(DELIMITERS, key=lambda delimiter: _evenness(path, layout, delimiter))


def _evenness(path: Path, layout: Layout, delimiter: str) -> tuple[float, int]:
    """The share of rows with the commonest width, one cell counting nothing, and that width."""
    widths = []
    try:
        for _, cells in rows(path, Layout("csv", layout.encoding, delimiter, None)):
            widths.append(len(cells))
            if len(widths) >= _LOOKED_AT:
                break
    except Unreadable as err:
        if err.fault is not Fault.CELL_TOO_LONG:
            raise
    if not widths:
        return (0.0, 0)
    width = max(set(widths), key=lambda one: (widths.count(one), one))
    return (round(widths.count(width) / len(widths), 1) if width > 1 else 0.0, width)
