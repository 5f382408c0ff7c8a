"""Plain text: decoded whatever its encoding, headings told by their look, wrapped lines put together."""

import re
from collections.abc import Iterable
from dataclasses import replace

from charset_normalizer import from_bytes

from memory.documents.models import Kind, Line, Refusal, Refused
from memory.documents.tables import cells_of, with_rows

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_ENCODINGS = ["cp1251", "koi8_r", "cp866", "cp1252"]
_NUMBERED = re.compile(r"(?:\d+\.)+\d*\s+\S")
_LIST = re.compile(r"\s*(?:[-*•–—·]|\d+[.)])\s+")
_LETTER = re.compile(r"[^\W\d_]")
_UNDERLINE = re.compile(r"(?:={3,}|-{3,}|~{3,})")
_HEADING_LENGTH = 80


def parse(content: bytes) -> list[Line]:
    """The lines of a text file."""
    return placed(enumerate(decode(content).splitlines(), start=1))


def decode(content: bytes) -> str:
    """The characters of a text, UTF-8 or one of the Russian and Western encodings. Raises: Refused."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content:
        raise Refused(Refusal.UNKNOWN_TYPE)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(content, cp_isolation=_ENCODINGS, threshold=0.6).best()
        return str(best) if best else content.decode("cp1251", "replace")


def placed(numbered: Iterable[tuple[int, str]], page: int | None = None, above: str = "") -> list[Line]:
    """Lines with their heading; `above` is the heading that goes on from the page before."""
    rows = [(number, text.expandtabs(8).rstrip()) for number, text in numbered]
    heading = (above,) if above else ()
    found: list[Line] = []
    for place, (number, text) in enumerate(rows):
        if not text.strip() or _UNDERLINE.fullmatch(text.strip()):
            found.append(Line("", number, page=page))
            continue
        after = rows[place + 1][1].strip() if place + 1 < len(rows) else ""
        before = rows[place - 1][1].strip() if place else ""
        if _is_heading(text.strip(), before, after):
            heading = (" ".join(text.split()),)
            found.append(Line("", number, page=page))
            continue
        found.append(Line(text, number, page=page, heading=heading))
    return unwrapped(with_rows(found))


def _is_heading(text: str, before: str, after: str) -> bool:
    """A short line that is underlined, stands alone and ends no sentence, or looks like the title of what follows."""
    if len(text) > _HEADING_LENGTH or len(cells_of(text)) > 1 or not _LETTER.search(text):
        return False
    if _LIST.match(text) and not _NUMBERED.match(text):
        return False
    if _UNDERLINE.fullmatch(after):
        return True
    return not before and text[-1] not in ".,;!?:…" and (not after or _is_title(text))


def _is_title(text: str) -> bool:
    """Numbered like a section, or in capitals."""
    letters = re.sub(r"[\W\d_]", "", text)
    return bool(_NUMBERED.match(text)) or (len(letters) >= 4 and letters.isupper())


def unwrapped(lines: list[Line]) -> list[Line]:
    """Sentences that a margin broke are put together again; empty lines end a paragraph and go."""
    found: list[Line] = []
    is_open = False
    for line in lines:
        if not line.text:
            is_open = False
            continue
        if (
            is_open
            and line.kind is Kind.TEXT
            and line.text[0].islower()
            and line.heading == found[-1].heading
        ):
            found[-1] = replace(found[-1], text=f"{found[-1].text} {line.text}")
        else:
            found.append(line)
        is_open = line.kind is Kind.TEXT and found[-1].text[-1] not in ".!?…:"
    return found
