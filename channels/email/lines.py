"""The body of a mail as lines that know what they are: written, quoted, signature."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

LINES_LIMIT = 20_000
_QUOTE_PREFIX = re.compile(r"(?:>[ \t]?)+")
_REPEATED_LINK = re.compile(r"(?<!\S)(\S{3,300}?)\s?<(?:mailto:|https?://)\1/?>", re.IGNORECASE)
_BLANKS = re.compile(r"\n{3,}")


class Role(StrEnum):
    """What the markup of a mail says about a line.

    `INDENTED` is in a bare blockquote, by which some programs quote and some people only indent.
    `ORIGINAL_STARTS` is an empty line: all after it was received.
    """

    WRITTEN = "written"
    QUOTED = "quoted"
    INDENTED = "indented"
    SIGNATURE = "signature"
    ORIGINAL_STARTS = "original_starts"


@dataclass(frozen=True)
class Line:
    """One line; `depth` counts the quotes around it, whose marks are not part of `text`."""

    text: str
    role: Role = Role.WRITTEN
    depth: int = 0

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


def from_plain(text: str) -> list[Line]:
    """The lines of a text body; Outlook's repeated links (a@b.example<mailto:a@b.example>) are said once."""
    text = _REPEATED_LINK.sub(r"\1", text)
    return [plain_line(line) for line in text.splitlines()]


def plain_line(line: str) -> Line:
    """A line whose quote marks are read off its text."""
    match = _QUOTE_PREFIX.match(line)
    if not match:
        return Line(line.rstrip())
    return Line(line[match.end() :].rstrip(), Role.QUOTED, match.group().count(">"))


def unflow(text: str, *, drop_space: bool) -> str:
    """Undo the soft line ends of format=flowed. Source: RFC 3676 section 4."""
    paragraphs: list[list[str]] = []
    open_prefix: str | None = None
    for line in text.splitlines():
        content = line.lstrip(">")
        prefix = line[: len(line) - len(content)]
        content = content.removeprefix(" ")
        is_delimiter = content == "-- "
        is_soft = content.endswith(" ") and not is_delimiter
        words = content[:-1] if drop_space and is_soft else content
        if open_prefix == prefix and not is_delimiter:
            paragraphs[-1].append(words)
        else:
            paragraphs.append([f"{prefix} {words}" if prefix else words])
        open_prefix = prefix if is_soft else None
    return "\n".join("".join(pieces) for pieces in paragraphs)


def to_text(lines: Iterable[Line]) -> str:
    """The lines as people read them, quotes marked, without runs of empty lines."""
    return tidy("\n".join(_shown(lines)))


def _shown(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        yield f"{'>' * line.depth} {line.text}".strip() if line.depth else line.text


def tidy(text: str) -> str:
    lines = (line.replace("\u00a0", " ").rstrip() for line in text.splitlines())
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip()
