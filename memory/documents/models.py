"""What a document becomes: lines with their place, chunks of them, or a refusal by name."""

from dataclasses import dataclass, field
from enum import StrEnum

CELL = " | "


class Kind(StrEnum):
    """What a line is in its document."""

    TEXT = "text"
    HEADER = "header"  # the first row of a table, which names the columns
    ROW = "row"


class Refusal(StrEnum):
    """Why a file cannot be read; pages say each in the reader's language, with the way out."""

    UNKNOWN_TYPE = "unknown_type"
    OLD_WORD = "old_word"
    ENCRYPTED = "encrypted"
    NO_TEXT = "no_text"
    EMPTY = "empty"
    BROKEN = "broken"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_MUCH_TEXT = "too_much_text"
    TOO_LARGE_INSIDE = "too_large_inside"
    TOO_SLOW = "too_slow"
    LOST = "lost"


class Refused(Exception):
    """The file is not taken; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """One line, paragraph or table row as it is searched and quoted.

    `number` counts from 1 in the source: lines of a text, lines of a page in a PDF, blocks of a DOCX or HTML file.
    """

    text: str
    number: int
    kind: Kind = Kind.TEXT
    page: int | None = None
    heading: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """A document that was read. `languages` are those of its parts; `pages` is known for PDF only."""

    lines: tuple[Line, ...]
    languages: tuple[str, ...]
    pages: int | None = None


@dataclass(frozen=True)
class Chunk:
    """Lines that are found together: one section, one page, and the head of a table before each part of it."""

    text: str
    language: str
    number: int
    page: int | None = None
    heading: tuple[str, ...] = field(default=())
