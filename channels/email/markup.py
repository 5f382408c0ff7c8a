"""HTML mails to clean lines: what a person sees, nothing hidden, nothing fetched, quotes and signatures marked."""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from channels.email import wrappers
from channels.email.lines import LINES_LIMIT, Line, Role, plain_line
from channels.email.visibility import Look, Sheet

_DROPPED = frozenset((
    "head", "style", "script", "title", "noscript", "template", "svg", "math", "object", "embed", "iframe",
    "audio", "video", "canvas", "select", "textarea", "input", "link", "meta", "map",
))  # fmt: skip
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html",
    "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
))  # fmt: skip
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"])
_SPACES = re.compile(r"[ \t\r\n\f\u00a0\u200b\u200c\u034f\u00ad\ufeff]+")
_DEPTH_LIMIT = 64
_URL = re.compile(r"(?:https?://|mailto:|tel:)\S{1,2000}", re.IGNORECASE)


def lines_of(html: str) -> list[Line]:
    """The visible lines of a document, one more than are kept at the most."""
    tree = LexborHTMLParser(html)
    if tree.root is None:
        return []
    rendering = _Rendering(Sheet.of(tree))
    rendering.walk(tree.body or tree.root)
    return rendering.finished()


@dataclass
class _Box:
    """What collects lines: the document, or one cell of a table."""

    lines: list[Line] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    wants_blank: bool = False


@dataclass
class _Row:
    cells: list[list[Line]] = field(default_factory=list)


@dataclass
class _List:
    is_numbered: bool
    number: int = 0


@dataclass
class _Rendering:
    sheet: Sheet
    boxes: list[_Box] = field(default_factory=lambda: [_Box()])
    rows: list[_Row] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    quotes: int = 0
    indents: int = 0
    signatures: int = 0
    signature_follows: bool = False
    preformatted: int = 0

    def walk(self, root: LexborNode) -> None:
        """Depth first without recursion: mails nest deeper than Python does."""
        steps: list[tuple[LexborNode, Look, bool]] = [(root, Look(), False)]
        while steps and len(self.boxes[0].lines) <= LINES_LIMIT:
            node, look, is_end = steps.pop()
            if is_end:
                self._leave(node)
                continue
            tag = node.tag or ""
            if tag == "-text":
                if look.can_be_read:
                    self._say(node.text_content or "")
                continue
            if tag in _DROPPED or tag.startswith(("-", "!")):
                continue
            seen = look.inside(node, self.sheet)
            if seen.is_hidden:
                continue
            self._enter(node, tag)
            steps.append((node, seen, True))
            steps.extend((child, seen, False) for child in reversed(list(node.iter(include_text=True))))

    def finished(self) -> list[Line]:
        self._break()
        return self.boxes[0].lines

    # inline text ----------------------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        inline = self.boxes[-1].inline
        if self.preformatted:
            first, *others = text.split("\n")
            inline.append(first)
            for other in others:
                self._break(even_if_empty=True)
                self.boxes[-1].inline.append(other)
            return
        inline.append(_SPACES.sub(" ", text))

    def _break(self, *, even_if_empty: bool = False) -> None:
        """End the line that is being written."""
        box = self.boxes[-1]
        text = "".join(box.inline)
        text = text.rstrip() if self.preformatted else " ".join(text.split(" ")).strip()
        text = re.sub(r" {2,}", " ", text) if not self.preformatted else text
        box.inline.clear()
        if not text and not even_if_empty:
            return
        if box.wants_blank and box.lines:
            self._put("")
        box.wants_blank = False
        self._put(text)

    def _put(self, text: str) -> None:
        role = Role.WRITTEN
        if self.quotes:
            role = Role.QUOTED
        elif self.indents:
            role = Role.INDENTED
        elif self.signatures or self.signature_follows:
            role = Role.SIGNATURE
        if role is Role.WRITTEN and text.startswith(">"):
            self.boxes[-1].lines.append(plain_line(text))  # a text mail that Outlook made HTML of
            return
        depth = self.quotes + self.indents
        self.boxes[-1].lines.append(Line(text, role, min(depth, _DEPTH_LIMIT)))

    # elements -------------------------------------------------------------------------------------------------------

    def _enter(self, node: LexborNode, tag: str) -> None:
        if tag in _BLOCKS:
            self._break()
        if tag in _SPACED:
            self.boxes[-1].wants_blank = True
        if wrappers.starts_original(node):
            self._break()
            self.boxes[-1].lines.append(Line("", Role.ORIGINAL_STARTS, self.quotes))
        if wrappers.is_quote(node, tag):
            self.quotes += 1
            self.signature_follows = False
        self.indents += wrappers.is_indent(node, tag)
        self.signatures += wrappers.is_signature(node)
        match tag:
            case "br":
                self._break(even_if_empty=True)
                self.signature_follows |= wrappers.announces_signature(node)
            case "pre":
                self.preformatted += 1
            case "ul" | "ol":
                self.lists.append(_List(tag == "ol"))
            case "li":
                self.boxes[-1].inline.append(self._bullet())
            case "tr":
                self.rows.append(_Row())
            case "td" | "th" if self.rows:
                self.boxes.append(_Box())
            case _:
                pass

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        match tag:
            case "a":
                self._add_link(node)
            case "td" | "th" if self.rows and len(self.boxes) > 1:
                self._break()
                self.rows[-1].cells.append(self.boxes.pop().lines)
            case "tr" if self.rows:
                self._end_row(self.rows.pop())
            case _:
                pass
        if tag in _BLOCKS:
            self._break()
        if tag in _SPACED:
            self.boxes[-1].wants_blank = True
        if tag == "pre":
            self.preformatted -= 1
        if tag in ("ul", "ol") and self.lists:
            self.lists.pop()
        self.quotes -= wrappers.is_quote(node, tag)
        self.indents -= wrappers.is_indent(node, tag)
        self.signatures -= wrappers.is_signature(node)

    def _bullet(self) -> str:
        if not self.lists or not self.lists[-1].is_numbered:
            return "- "
        self.lists[-1].number += 1
        return f"{self.lists[-1].number}. "

    def _add_link(self, node: LexborNode) -> None:
        """The address after the words, unless the words are the address."""
        url = (node.attributes.get("href") or "").strip()
        if not _URL.fullmatch(url):
            return
        bare = re.sub(r"^(?:https?://(?:www\.)?|mailto:|tel:)", "", url, flags=re.IGNORECASE).rstrip("/")
        words = (node.text() or "").strip()
        plain_words = re.sub(r"^(?:https?://)?(?:www\.)?", "", words, flags=re.IGNORECASE).rstrip("/")
        if (
            words
            and bare.partition("?")[0] != plain_words
            and not url.lower().startswith(("mailto:", "tel:"))
        ):
            self.boxes[-1].inline.append(f" ({url})" if url.rstrip("/") != words.rstrip("/") else "")

    def _end_row(self, row: _Row) -> None:
        """A row of short cells is one readable line; a row that lays out a page is its cells one by one."""
        filled = [cell for cell in row.cells if any(not line.is_blank for line in cell)]
        is_data = len(filled) > 1 and all(sum(not line.is_blank for line in cell) == 1 for cell in filled)
        box = self.boxes[-1]
        if box.wants_blank and box.lines and filled:
            self._put("")
            box.wants_blank = False
        if is_data:
            texts = [line for cell in filled for line in cell if not line.is_blank]
            box.lines.append(Line(" | ".join(line.text for line in texts), texts[0].role, texts[0].depth))
        else:
            box.lines.extend(line for cell in filled for line in cell)
