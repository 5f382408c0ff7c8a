"""Cuts a document into chunks along its structure: never across a heading or a page, never inside a row."""

import re
from collections.abc import Iterator
from itertools import groupby

from core.languages import language_of_document
from memory.documents.models import Chunk, Kind, Line

# About 250 tokens of multilingual-e5: an English token is some four letters, a Russian one some three.
CHARACTERS = {"en": 1000, "ru": 800}
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def chunks_of(lines: tuple[Line, ...]) -> list[Chunk]:
    """The chunks of a document in order."""
    found: list[Chunk] = []
    for _, section in groupby(lines, key=lambda line: (line.page, line.heading)):
        found += _section(list(section))
    return found


def _section(lines: list[Line]) -> Iterator[Chunk]:
    limit = CHARACTERS[language_of_document(" ".join(line.text for line in lines))]
    pending: list[Line] = []
    header: Line | None = None
    for line in _pieces(lines, limit):
        if line.kind is Kind.HEADER:
            header = line
        elif line.kind is Kind.TEXT:
            header = None
        if pending and _size(pending) + len(line.text) > limit:
            kept = _lead(pending)
            yield _chunk(pending)
            # What introduces a table stays with it, and every part of a table begins with its head.
            pending = (
                [header] if header and line.kind is Kind.ROW else kept if line.kind is Kind.HEADER else []
            )
        pending.append(line)
    if any(line.kind is not Kind.HEADER for line in pending) or (pending and not header):
        yield _chunk(pending)


def _lead(pending: list[Line]) -> list[Line]:
    return [pending[-1]] if len(pending) > 1 and pending[-1].text.endswith(":") else []


def _pieces(lines: list[Line], limit: int) -> Iterator[Line]:
    """Lines, a paragraph that is longer than a chunk in sentences; a row is never split."""
    for line in lines:
        if line.kind is not Kind.TEXT or len(line.text) <= limit:
            yield line
            continue
        for text in _grouped(_SENTENCE.split(line.text), limit):
            yield Line(text, line.number, line.kind, line.page, line.heading)


def _grouped(sentences: list[str], limit: int) -> Iterator[str]:
    text = ""
    for sentence in sentences:
        parts = [sentence[at : at + limit] for at in range(0, len(sentence), limit)]
        for part in parts:
            if text and len(text) + len(part) > limit:
                yield text
                text = ""
            text = f"{text} {part}".strip()
    if text:
        yield text


def _size(lines: list[Line]) -> int:
    return sum(len(line.text) + 1 for line in lines)


def _chunk(lines: list[Line]) -> Chunk:
    text = "\n".join(line.text for line in lines)
    first = lines[0]
    language = language_of_document(" ".join((*first.heading, text)))
    return Chunk(text, language, first.number, first.page, first.heading)
