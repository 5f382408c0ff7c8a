"""Turns passages of documents into what their templates show: tables, lines, the line that was cited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from memory.documents.models import CELL, Chunk

_PAGE = re.compile(r", page (\d+)$")


@dataclass(frozen=True)
class Block:
    """A run of lines of one kind: paragraphs, or a table with or without names of its columns."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    lines: list[str]


@dataclass(frozen=True)
class Passage:
    """One passage as it is found and quoted; `text` is exactly what an agent reads."""

    place: int
    page: int | None
    heading: str
    language: str
    number: int
    blocks: list[Block]


def passages(chunks: Sequence[Chunk]) -> list[Passage]:
    """The passages of a document in order."""
    return [
        Passage(
            place,
            chunk.page,
            " › ".join(chunk.heading),
            chunk.language,
            chunk.number,
            blocks_of(chunk.text),
        )
        for place, chunk in enumerate(chunks, start=1)
    ]


def blocks_of(text: str) -> list[Block]:
    """A passage cut where tables begin and end."""
    found: list[Block] = []
    for is_table, run in groupby(text.split("\n"), key=lambda line: CELL in line):
        lines = list(run)
        found.append(_table(lines) if is_table else Block((), [], lines))
    return found


def _table(lines: list[str]) -> Block:
    rows = [tuple(line.split(CELL)) for line in lines]
    has_names = len(rows) > 1 and not any(letter.isdigit() for letter in lines[0])
    return Block(rows[0], rows[1:], []) if has_names else Block((), rows, [])


def page_of(label: str) -> str:
    """The page that a citation names, or nothing."""
    found = _PAGE.search(label)
    return found[1] if found else ""
