"""Reads a file of any kind that we take, told by its content before its name."""

import re
from pathlib import PurePath

from core.languages import language_of_document
from memory.documents import docx, html, limits, markdown, pdf, text
from memory.documents.models import Line, Parsed, Refusal, Refused

MIMES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
    "md": "text/markdown",
    "txt": "text/plain",
}
_SUFFIXES = {".htm": "html", ".html": "html", ".xhtml": "html", ".md": "md", ".markdown": "md", ".txt": "txt",
             ".text": "txt", "": "txt"}  # fmt: skip
_OLD_WORD = b"\xd0\xcf\x11\xe0"
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)


def kind_of(name: str, content: bytes) -> str:
    """One of the keys of MIMES. Raises: Refused for anything else."""
    suffix = PurePath(name).suffix.lower()
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content.startswith(b"PK"):
        return "docx"
    if content.startswith(_OLD_WORD):
        raise Refused(Refusal.ENCRYPTED if suffix == ".docx" else Refusal.OLD_WORD)
    if suffix in (".pdf", ".docx"):
        raise Refused(Refusal.BROKEN if content.strip() else Refusal.EMPTY)
    if content.startswith(b"{\\rtf") or suffix not in _SUFFIXES:
        raise Refused(Refusal.UNKNOWN_TYPE)
    return "html" if _HTML.match(content) else _SUFFIXES[suffix]


def parse(name: str, content: bytes) -> Parsed:
    """The lines of a file with their places. Raises: Refused."""
    kind = kind_of(name, content)
    lines, pages = _read(kind, content)
    if sum(len(line.text) for line in lines) > limits.CHARACTERS:
        raise Refused(Refusal.TOO_MUCH_TEXT)
    said = tuple(line for line in lines if any(letter.isalnum() for letter in line.text))
    if not said:
        raise Refused(Refusal.EMPTY)
    return Parsed(said, _languages(said), pages)


def _languages(lines: tuple[Line, ...]) -> tuple[str, ...]:
    """Those of all lines that say enough to tell: a row of figures does not."""
    texts = [" ".join((*line.heading, line.text)) for line in lines]
    telling = [text for text in texts if sum(letter.isalpha() for letter in text) >= 10] or [" ".join(texts)]
    return tuple(sorted({language_of_document(text) for text in telling}))


def _read(kind: str, content: bytes) -> tuple[list[Line], int | None]:
    match kind:
        case "pdf":
            return pdf.parse(content)
        case "docx":
            return docx.parse(content), None
        case "html":
            return html.parse(content), None
        case "md":
            return markdown.parse(content), None
        case _:
            return text.parse(content), None
