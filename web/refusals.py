"""Refusals in the reader's language: the sentence of an error is found in the catalogue by its shape."""

import re
from dataclasses import dataclass
from functools import lru_cache

from core.errors import AppError
from crm.pipelines.moves import ActionRefused, MoveRefused
from web import i18n
from web.i18n import Words
from web.phrases import N_, missing_text, refused_action_text, stage_text
from web.values import LABELS

# What a field needs, as filters put it.
_WANTED = (
    N_("a text of at most 1000 characters"),
    N_("a number such as 12.5"),
    N_("an amount in minor units, a whole number"),
    N_("a date such as 2026-12-01"),
    N_("a time with its offset such as 2026-12-01T09:00:00+01:00"),
    N_("one of its choices"),
    N_("true or false"),
    N_("the id of a record"),
    N_("the id of a segment"),
)
_VALUE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class _Sentence:
    """A shape of a refusal and how the other language says it; `weight` is how many letters are the shape's own."""

    shape: re.Pattern[str]
    said: str
    weight: int


def refusal_text(err: AppError, words: Words) -> str:
    """Why something was not done and what to do about it, as pages say it."""
    match err:
        case MoveRefused():
            return words.gettext("Missing: %(what)s", what=missing_text(err.missing, words))
        case ActionRefused():
            return refused_action_text(err, words)
        case _:
            return in_words(err.detail, words)


def in_words(detail: str, words: Words) -> str:
    """The text of an error in the reader's language; a text that no error has stays as it is."""
    for sentence in _sentences(words.locale):
        found = sentence.shape.fullmatch(detail)
        if found is not None:
            values = {name: _value(name, text, words) for name, text in found.groupdict().items()}
            return sentence.said % values
    return detail


def _value(name: str, text: str, words: Words) -> str:
    """A value in a sentence: what users have written stays, what the product has put there is said as pages say it."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    match name:
        case "detail":
            return in_words(text, words)
        case "stage" | "stage2":
            return stage_text(text, words)
        case "wanted":
            return words.gettext(text)
        case "field":
            return words.gettext(LABELS[text]) if text in LABELS else text.removeprefix("custom.")
        case _:
            return text


@lru_cache
def _sentences(locale: str) -> list[_Sentence]:
    """The shapes that a language has, those with the most words of their own first."""
    sentences = [_sentence(shape, said) for shape, said in i18n.messages(locale, i18n.REFUSAL).items()]
    return sorted(sentences, key=lambda one: -one.weight)


def _sentence(message: str, said: str) -> _Sentence:
    literal, names = _VALUE.split(message)[::2], _VALUE.findall(message)
    parts = [re.escape(literal[0])]
    for name, text in zip(names, literal[1:], strict=True):
        parts += [f"(?P<{name}>.*?)", re.escape(text)]
    return _Sentence(re.compile("".join(parts), re.DOTALL), said, len("".join(literal)))
