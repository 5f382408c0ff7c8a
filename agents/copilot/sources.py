"""Numbers everything that an answer may rest on, inside the results of tools, and finds what an answer cites."""

import re
from uuid import UUID

from pydantic import JsonValue

from agents.copilot.state import Cited
from agents.text import is_question, sentences
from core.languages import Language, words

_MARK = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
# Numbers behind the full stop of the sentence that they belong to.
_BEHIND = re.compile(r"([.!?…]+[»”\"]?)\s*((?:\[\d{1,3}(?:\s*,\s*\d{1,3})*\]\s*)+)")
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”")
_STOPS = re.compile(r"[.!?…]+")
_LABELS = ("name", "title", "label", "contact", "author", "source_label", "type")
_TEXTS = ("text", "body", "snippet", "next_step", "stage", "about", "note", "description")
_QUOTE = 300
# A sentence of fewer words says nothing that could be wrong: "Done." "Here it is:"
_FEW_WORDS = 4


class Sources:
    """Everything that was read in a run, numbered from 1 in the order in which it came; the same thing once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Cited] = {}

    @property
    def is_empty(self) -> bool:
        return not self._known

    def number(self, content: JsonValue, *, figure_id: UUID | None = None) -> JsonValue:
        """A result with the number `n` on everything that has a source. `figure_id` makes the whole a figure's source:
        something that was computed."""
        if figure_id is not None and isinstance(content, dict):
            return {"n": self._figure(content, figure_id), **content}
        return self._walk(content, None)

    def find(self, answer: str) -> list[Cited]:
        """What an answer cites, by number."""
        by_number = {one.n: one for one in self._known.values()}
        return [by_number[n] for n in sorted(cited_numbers(answer)) if n in by_number]

    def missing(self, answer: str) -> set[int]:
        """Numbers that an answer cites and that nothing has."""
        return cited_numbers(answer) - {one.n for one in self._known.values()}

    def _walk(self, content: JsonValue, conversation_id: str | None) -> JsonValue:
        if isinstance(content, list):
            return [self._walk(part, conversation_id) for part in content]
        if not isinstance(content, dict):
            return content
        if isinstance(content.get("messages"), list):
            conversation_id = str(content.get("id"))
        inner = {key: self._walk(value, conversation_id) for key, value in content.items() if key != "source"}
        source = content.get("source")
        if isinstance(source, dict) and isinstance(source.get("id"), str):
            return {
                "n": self._record(content, source, conversation_id),
                "trust": source.get("trust"),
                **inner,
            }
        return inner

    def _record(
        self, content: dict[str, JsonValue], source: dict[str, JsonValue], conversation_id: str | None
    ) -> int:
        kind, id = str(source.get("kind")), str(source["id"])
        known = self._known.get((kind, id))
        if known is None:
            known = Cited(
                n=len(self._known) + 1,
                kind=kind,
                source_id=UUID(id),
                label=_first(content, _LABELS)[:200],
                quote=_first(content, _TEXTS)[:_QUOTE],
                conversation_id=UUID(conversation_id) if conversation_id and kind == "message" else None,
            )
            self._known[kind, id] = known
        return known.n

    def _figure(self, content: dict[str, JsonValue], figure_id: UUID) -> int:
        key = ("figure", str(figure_id))
        if key not in self._known:
            label = " ".join(str(content.get(name, "")) for name in ("kind", "measure")).strip()
            self._known[key] = Cited(len(self._known) + 1, "figure", figure_id, label, "", None)
        return self._known[key].n


def _first(content: dict[str, JsonValue], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := content.get(name), str) and value), "")


def cited_numbers(answer: str) -> set[int]:
    """The numbers in the brackets of an answer: `[2]`, `[1, 3]`."""
    return {int(number) for mark in _MARK.finditer(answer) for number in mark[1].split(",")}


def without_marks(answer: str) -> str:
    """An answer without the numbers of its sources."""
    return _MARK.sub("", answer)


def uncited(answer: str, language: Language) -> list[str]:
    """Statements without a number; questions back, and lines that only introduce a list, need none.

    What somebody else said stands in quotes and belongs to the sentence around it, full stops and all.
    """
    whole = _QUOTED.sub(lambda quoted: _STOPS.sub(",", quoted[0][:-1]) + quoted[0][-1], answer)
    return [
        sentence
        for sentence in sentences(_BEHIND.sub(r" \2\1 ", whole))
        if not _MARK.search(sentence)
        and not is_question(sentence, language)
        and not sentence.rstrip().endswith(":")
        and len(words(sentence)) >= _FEW_WORDS
    ]
