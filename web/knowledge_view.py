"""Turns passages of documents into what their templates show: tables, lines, the line that was cited."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from core.languages import language_of_document
from memory.documents.models import CELL, Chunk
from memory.knowledge import citation
from memory.models import Memory
from memory.recall import Recollection


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


@dataclass(frozen=True)
class Answer:
    """A passage that was found for a question, with the place that a draft would cite."""

    document_id: UUID
    place: int
    name: str
    label: str
    heading: str
    language: str
    is_publishable: bool
    blocks: list[Block]


@dataclass(frozen=True)
class Answers:
    """What an agent would find, the best first; `is_by_words` says that the model for meanings was away."""

    items: list[Answer]
    milliseconds: int
    is_by_words: bool


def answers(found: Recollection, seconds: float) -> Answers:
    """What was recalled of documents, as the page shows it."""
    return Answers([_answer(one.memory) for one in found.found], round(seconds * 1000), found.is_by_words)


def _answer(memory: Memory) -> Answer:
    heading = tuple(memory.heading)
    return Answer(
        memory.source_id,
        memory.ordinal + 1,
        memory.title,
        citation(memory.title, page=memory.page, heading=heading, number=memory.line or 1),
        " › ".join(heading) if memory.page else " › ".join(heading[:-1]),
        language_of_document(" ".join((*heading, memory.text))),
        memory.is_publishable,
        blocks_of(memory.text),
    )
