"""Which words of a source a statement rests on: of a passage of a document, the one line that says it."""

import re

from agents.inbox.items import QUOTE, Item
from agents.llm.offline.prices import span_of
from agents.text import content_stems
from core.languages import language_of
from crm.drafts.models import EvidenceKind

_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")


def quote_of(item: Item, statement: str) -> str:
    """The line of a document that shares most with the statement, figures first; all of any other source."""
    if item.kind is not EvidenceKind.KNOWLEDGE or not statement:
        return item.text[:QUOTE]
    return max(item.text.split("\n"), key=lambda line: _shared(line, statement))[:QUOTE]


def _shared(line: str, statement: str) -> tuple[int, int]:
    """Figures in common, a span that holds a figure of the statement counting too; then words in common."""
    said = set(_FIGURE.findall(statement))
    figures = len(said & set(_FIGURE.findall(line)))
    span = span_of(line.split(" | ")[0])
    holds = span is not None and any(span.holds(int(figure)) for figure in said if figure.isdigit())
    language = language_of(line, "")
    return figures + holds, len(content_stems(line, language) & content_stems(statement, language))
