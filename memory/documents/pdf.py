"""PDF: the text layer page by page in its layout, so that the row of a table stays one line."""

from collections import Counter
from collections.abc import Callable
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

from memory.documents import limits
from memory.documents.models import Line, Refusal, Refused
from memory.documents.text import placed


def parse(content: bytes) -> tuple[list[Line], int]:
    """The lines and the number of pages. Raises: Refused."""
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused(Refusal.ENCRYPTED)
        if len(reader.pages) > limits.PAGES:
            raise Refused(Refusal.TOO_MANY_PAGES)
        pages = _pages(reader)
    except (FileNotDecryptedError, DependencyError) as err:
        raise Refused(Refusal.ENCRYPTED) from err
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as err:
        raise Refused(Refusal.BROKEN) from err  # pypdf lets through whatever a damaged object made of itself
    if not any(any(row.strip() for row in page) for page in pages):
        raise Refused(Refusal.NO_TEXT)
    return _lines(pages), len(pages)


def _pages(reader: PdfReader) -> list[list[str]]:
    pages: list[list[str]] = []
    total = 0
    for page in reader.pages:
        text = page.extract_text(extraction_mode="layout")
        total += len(text)
        if total > limits.CHARACTERS * 4:  # a layout is mostly space
            raise Refused(Refusal.TOO_MUCH_TEXT)
        pages.append(text.splitlines())
    return pages


def _lines(pages: list[list[str]]) -> list[Line]:
    is_running = _running_lines(pages)
    found: list[Line] = []
    for number, rows in enumerate(pages, start=1):
        numbered = [(place, "" if is_running(row) else row) for place, row in enumerate(rows, start=1)]
        above = found[-1].heading[-1] if found and found[-1].heading else ""
        found += placed(numbered, page=number, above=above)
    return found


def _running_lines(pages: list[list[str]]) -> Callable[[str], bool]:
    """Heads and feet that stand on most pages, told by their words without the numbers."""
    edges: Counter[str] = Counter()
    for rows in pages:
        said = [row for row in rows if row.strip()]
        edges.update({_words(row) for row in (*said[:1], *said[-1:])})
    running = {words for words, count in edges.items() if count >= 3 and count * 2 > len(pages)}
    return lambda row: bool(row.strip()) and _words(row) in running


def _words(row: str) -> str:
    return "".join(letter for letter in row if letter.isalpha())
