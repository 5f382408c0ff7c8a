"""DOCX: paragraphs under their headings, tables as rows. The package is weighed before it is opened."""

from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph

from memory.documents import limits
from memory.documents.models import CELL, Kind, Line, Refusal, Refused

_MAIN_PART = "word/document.xml"
_PARTS = 5000
_STYLES = ("heading", "заголовок")


def parse(content: bytes) -> list[Line]:
    """The lines of a document. Raises: Refused."""
    weigh(content)
    try:
        document = docx.Document(BytesIO(content))
        return list(_lines(document.iter_inner_content()))
    except (PackageNotFoundError, BadZipFile, KeyError, ValueError, SyntaxError, AttributeError) as err:
        raise Refused(Refusal.BROKEN) from err  # lxml calls damaged XML a SyntaxError


def weigh(content: bytes) -> None:
    """Refuse a package that is no DOCX or would unpack to more than a document ever has. Raises: Refused."""
    try:
        with ZipFile(BytesIO(content)) as package:
            parts = package.infolist()
    except (BadZipFile, ValueError, RuntimeError) as err:
        raise Refused(Refusal.BROKEN) from err  # zipfile calls a version that it does not know a RuntimeError
    if any(part.flag_bits & 1 for part in parts):
        raise Refused(Refusal.ENCRYPTED)
    if _MAIN_PART not in {part.filename for part in parts}:
        raise Refused(Refusal.UNKNOWN_TYPE)
    if len(parts) > _PARTS or sum(part.file_size for part in parts) > limits.UNPACKED_BYTES:
        raise Refused(Refusal.TOO_LARGE_INSIDE)


def _lines(blocks: Iterator[Paragraph | Table]) -> Iterator[Line]:
    path: dict[int, str] = {}
    number = 0
    for block in blocks:
        heading = tuple(path[level] for level in sorted(path))
        if isinstance(block, Table):
            for place, row in enumerate(block.rows):
                number += 1
                text = CELL.join(_cells(row.cells))
                if text:
                    kind = Kind.HEADER if place == 0 and _names_columns(text) else Kind.ROW
                    yield Line(text, number, kind, heading=heading)
            continue
        number += 1
        text = " ".join(block.text.split())
        if not text:
            continue
        if level := _level(block):
            path = {above: words for above, words in path.items() if above < level} | {level: text}
        else:
            yield Line(text, number, heading=heading)


def _cells(cells: tuple[object, ...]) -> list[str]:
    """The texts of a row; a merged cell stands in it several times and is said once."""
    seen: list[object] = []
    texts: list[str] = []
    for cell in cells:
        element = getattr(cell, "_tc", cell)
        if element in seen:
            continue
        seen.append(element)
        texts.append(" ".join(str(getattr(cell, "text", "")).split()))
    return [text for text in texts if text]


def _names_columns(text: str) -> bool:
    return not any(letter.isdigit() for letter in text)


def _level(paragraph: Paragraph) -> int:
    """1 to 9 for a heading, 0 for anything else."""
    name = (paragraph.style.name or "").lower() if paragraph.style is not None else ""
    if name == "title":
        return 1
    if name.startswith(_STYLES) and name[-1].isdigit():
        return int(name[-1])
    return 0
