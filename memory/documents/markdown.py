"""Markdown: headings, tables, lists and paragraphs; marks of emphasis and links leave their words."""

import re
from collections.abc import Iterator

from memory.documents.models import CELL, Kind, Line
from memory.documents.text import decode

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_UNDERLINE = re.compile(r" {0,3}(?:(=+)|(-{2,}))\s*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_SEPARATOR = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_RULE = re.compile(r" {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_QUOTE = re.compile(r"^\s{0,3}(?:>\s?)+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"(\*\*|__|~~|`+)|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def parse(content: bytes) -> list[Line]:
    """The lines of a Markdown file, each under its headings."""
    text = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), decode(content))
    return list(_lines(_without_front_matter(text.splitlines())))


def _without_front_matter(rows: list[str]) -> list[str]:
    """Settings of a site generator say nothing to a reader; the numbers of lines stay."""
    if rows and rows[0].strip() == "---" and "---" in (row.strip() for row in rows[1:]):
        end = 1 + next(place for place, row in enumerate(rows[1:]) if row.strip() == "---")
        return [""] * (end + 1) + rows[end + 1 :]
    return rows


def _lines(rows: list[str]) -> Iterator[Line]:
    path: dict[int, str] = {}
    paragraph: list[str] = []
    start = 0
    is_code = False
    for place, row in enumerate(rows):
        number = place + 1
        after = rows[place + 1] if place + 1 < len(rows) else ""
        heading = tuple(path[level] for level in sorted(path))
        title = None if is_code else _title(row, after, bool(paragraph))
        is_fence = bool(_FENCE.match(row))
        ends = (
            is_fence
            or is_code
            or title
            or _is_row(row)
            or not row.strip()
            or _ITEM.match(row)
            or _RULE.match(row)
        )
        if paragraph and ends:
            yield Line(_plain(" ".join(paragraph)), start, heading=heading)
            paragraph = []
        if is_fence:
            is_code = not is_code
        elif is_code:
            if row.strip():
                yield Line(row.strip(), number, heading=heading)
        elif title:
            level, words = title
            path = {above: text for above, text in path.items() if above < level} | {level: words}
        elif _is_row(row):
            if not _SEPARATOR.match(row):
                kind = Kind.HEADER if _SEPARATOR.match(after) and "-" in after else Kind.ROW
                yield Line(_cells(row), number, kind, heading=heading)
        elif row.strip() and not _RULE.match(row) and not _underlines(row, rows[place - 1] if place else ""):
            start = start if paragraph else number
            paragraph.append(_ITEM.sub("", _QUOTE.sub("", row), count=1).strip())
    if paragraph:
        yield Line(_plain(" ".join(paragraph)), start, heading=tuple(path[level] for level in sorted(path)))


def _title(row: str, after: str, in_paragraph: bool) -> tuple[int, str] | None:
    """The level and words of a heading that begins in this row."""
    if found := _HEADING.match(row):
        return len(found[1]), _plain(found[2])
    under = _UNDERLINE.match(after)
    if under and row.strip() and not in_paragraph and not _is_row(row) and not _ITEM.match(row):
        return (1 if under[1] else 2), _plain(row.strip())
    return None


def _underlines(row: str, before: str) -> bool:
    return bool(_UNDERLINE.match(row)) and bool(before.strip())


def _is_row(row: str) -> bool:
    return row.count("|") >= 2 or (row.count("|") == 1 and bool(_SEPARATOR.match(row)) and "-" in row)


def _cells(row: str) -> str:
    cells = [_plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
    return CELL.join(cell for cell in cells if cell)


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).replace("\\|", "|").split())
