"""HTML pages: what a reader sees, under its headings, tables as rows; scripts, menus and hidden parts are not read."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from memory.documents.models import CELL, Kind, Line
from memory.documents.text import decode

_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_UNSEEN = "script, style, noscript, template, nav, svg, iframe, object, form, button, select, head, [hidden], [aria-hidden=true]"
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])", re.I
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "ul",
    ]
)


def parse(content: bytes) -> list[Line]:
    """The visible lines of a page."""
    tree = LexborHTMLParser(_characters(content))
    for node in tree.css(_UNSEEN):
        node.decompose()
    for node in tree.css("[style]"):
        if _HIDDEN.search(node.attributes.get("style") or ""):
            node.decompose()
    return [
        Line(text, number, kind, heading=heading)
        for number, (text, kind, heading) in enumerate(_blocks(tree), start=1)
    ]


def _characters(content: bytes) -> str:
    """As the page itself says it is encoded, if that is true."""
    if said := _CHARSET.search(content[:4096]):
        try:
            return content.decode(said[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(content)


def _blocks(tree: LexborHTMLParser) -> Iterator[tuple[str, Kind, tuple[str, ...]]]:
    """Text between the edges of blocks; an explicit stack, because pages may be nested as deep as they like."""
    path: dict[int, str] = {}
    words: list[str] = []

    def flush() -> Iterator[tuple[str, Kind, tuple[str, ...]]]:
        text = " ".join("".join(words).split())
        words.clear()
        if text:
            yield text, Kind.TEXT, tuple(path[level] for level in sorted(path))

    stack: list[LexborNode | None] = [tree.body]
    while stack:
        node = stack.pop()
        if node is None:  # a block that was opened ends here
            yield from flush()
        elif node.tag == "-text":
            words.append(node.text_content or "")
        elif node.tag in _HEADINGS:
            yield from flush()
            level = int(node.tag[1])
            title = " ".join(node.text(deep=True, separator=" ").split())
            if title:
                path = {above: text for above, text in path.items() if above < level} | {level: title}
        elif node.tag == "tr":
            yield from flush()
            text, kind = _row(node)
            if text:
                yield text, kind, tuple(path[level] for level in sorted(path))
        else:
            is_block = node.tag in _BLOCKS
            if is_block:
                yield from flush()
                stack.append(None)
            stack += reversed(list(node.iter(include_text=True)))
    yield from flush()


def _row(node: LexborNode) -> tuple[str, Kind]:
    cells = [cell for cell in node.iter() if cell.tag in ("td", "th")]
    texts = [" ".join(cell.text(deep=True, separator=" ").split()) for cell in cells]
    is_header = bool(cells) and all(cell.tag == "th" for cell in cells)
    return CELL.join(text for text in texts if text), Kind.HEADER if is_header else Kind.ROW
