"""Tables inside plain text: columns told apart by tabs, wide gaps or bars become rows of cells."""

import re
from collections.abc import Sequence
from dataclasses import replace

from memory.documents.models import CELL, Kind, Line

_GAP = re.compile(r"\t+| {2,}|\s*\|\s*")
_FIGURE = re.compile(r"\d")
_RULE = re.compile(r"[\s|+:=_-]+")


def cells_of(text: str) -> list[str]:
    """The cells of a line, one for a line that has no columns."""
    return [cell.strip() for cell in _GAP.split(text.strip().strip("|")) if cell.strip()]


def with_rows(lines: Sequence[Line]) -> list[Line]:
    """The same lines, where runs of at least two with columns are rows and the first without figures a header.

    One empty line does not end a table: in a PDF the rows of a roomy one stand that far apart.
    """
    found: list[Line] = []
    run: list[tuple[Line, list[str]]] = []
    gap: list[Line] = []
    for line in lines:
        if _RULE.fullmatch(line.text):
            continue  # a ruled line inside a table separates nothing that is said
        if not line.text and run and not gap:
            gap = [line]
            continue
        cells = cells_of(line.text)
        if len(cells) < 2 or (run and not _goes_on(run[-1], line, cells)):
            found += [*_rows(run), *gap]
            run = []
        run, gap = ([*run, (line, cells)] if len(cells) >= 2 else []), []
        if not run:
            found.append(replace(line, text=" ".join(line.text.split())))
    return [*found, *_rows(run), *gap]


def _goes_on(last: tuple[Line, list[str]], line: Line, cells: list[str]) -> bool:
    """A table keeps its place and about the number of its columns."""
    same_place = (last[0].page, last[0].heading) == (line.page, line.heading)
    return same_place and abs(len(last[1]) - len(cells)) <= 1


def _rows(run: list[tuple[Line, list[str]]]) -> list[Line]:
    if len(run) < 2:
        return [replace(line, text=" ".join(line.text.split())) for line, _ in run]
    names_columns = not _FIGURE.search(run[0][0].text) and any(
        _FIGURE.search(line.text) for line, _ in run[1:]
    )
    return [
        replace(line, text=CELL.join(cells), kind=Kind.HEADER if names_columns and not place else Kind.ROW)
        for place, (line, cells) in enumerate(run)
    ]
