"""Whom or what a question is about: names as they are written in it, in quotes or with capital letters."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from agents.copilot.contract import Question
from core.languages import language_of, spans, stem, words

_QUOTED = re.compile(r"[«\"“„](?P<name>[^»\"”“]{2,80})[»\"”“]")
_THIS = re.compile(
    r"\b(?:this|that|the)\s+(?:deal|contact|company|lead|conversation|person|client|customer|thread)\b|\bhere\b|\bthem\b"
    r"|\b(?:he|she|his|her|him)\b|\bэт\w+\s+(?:сделк|контакт|компани|лид|переписк|клиент|разговор)\w*|\bздесь\b|\bтут\b"
    r"|\b(?:он|она|ему|ей|его|ее|нему|ней|ним|них|им)\b",
    re.IGNORECASE,
)
# What begins with a capital letter in a question and names nobody.


@cache
def _common() -> frozenset[str]:
    """Words that begin with a capital letter and name nobody."""
    raw = tomllib.loads(resources.files(__package__).joinpath("common.toml").read_text("utf-8"))
    return frozenset(word for language in raw.values() for word in language["words"].split())


def names_in(question: Question, without: Sequence[str] = ()) -> list[str]:
    """Names as they are written, quoted ones first; `without` are words that mean something else here."""
    text = question.question
    quoted = [match["name"].strip() for match in _QUOTED.finditer(text)]
    rest = _QUOTED.sub(" . ", text)
    skipped = {word for phrase in without for word in words(phrase)}
    found: list[str] = []
    last_end = -10
    for word, start, end in spans(rest):
        written = rest[start:end]
        is_name = written[:1].isupper() and word not in _common() and word not in skipped
        joined = rest[last_end:start]
        if is_name and last_end >= 0 and re.fullmatch(r"[ \-&']{1,3}", joined) and found:
            found[-1] += joined + written
        elif is_name:
            found.append(written)
        elif last_end >= 0 and found and re.fullmatch(r" ", joined) and word.isdigit() and found:
            found[-1] += f" {written}"
            last_end = end
            continue
        last_end = end if is_name else -10
    return [*quoted, *found]


def means_this(question: Question) -> bool:
    """Whether the question points at what its asker looks at."""
    return question.looking_at is not None and bool(_THIS.search(question.question))


def search_words(name: str) -> str:
    """A name as it can be searched for: Russian ones without their case endings."""
    if language_of(name, "en") != "ru":
        return name.removesuffix("'s").removesuffix("’s")
    return " ".join(_root(word) for word in words(name))


def _root(word: str) -> str:
    """What the cases of a name have in common."""
    short = stem(word)
    return short if len(short) >= 3 else word[: max(3, len(word) - 1)]


def is_called(title: str, name: str) -> bool:
    """Whether every word of a name, up to its ending, is in a title."""
    roots = [_root(word)[:6] for word in words(name.removesuffix("'s").removesuffix("’s"))]
    return bool(roots) and all(any(word.startswith(root) for word in words(title)) for root in roots)
