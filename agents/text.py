"""Sentences, questions and the words that carry meaning, of short messages in English and Russian."""

import re
import tomllib
from functools import cache
from importlib import resources

from core.languages import Language, language_of, stems, words

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+|;\s+")
_GREETING = re.compile(
    r"^\s*(?:(?:hi|hello|hey)(?:\s+(?:there|again|all|team))?|good\s+(?:morning|afternoon|evening|day)"
    r"|привет(?:ствую)?|здравствуйте|здравствуй|добр(?:ый|ого|ое)\s+(?:день|дня|вечер|утро)|доброго\s+времени\s+суток)"
    r"(?P<name>\s+[A-ZА-ЯЁ][\w-]+)?\s*[,!.:)…-]+\s*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"^\s*(?:thank(?:s| you)(?: (?:a lot|very much|so much))?|ok(?:ay)?|great|perfect|got it|спасибо(?: большое)?|благодарю"
    r"|ок(?:ей)?|хорошо|отлично|понял(?:а|и)?|понятно|ясно)\s*[,.!:-]+\s*",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """A message in sentences; a greeting, or thanks in front of a question, stands alone."""
    found: list[str] = []
    for part in _SENTENCE_END.split(text):
        rest = part.strip()
        greeting = _GREETING.match(rest)
        if greeting and greeting.end() < len(rest):
            found.append(greeting.group().strip())
            rest = rest[greeting.end() :]
        thanks = _THANKS.match(rest)
        if thanks and is_question(rest[thanks.end() :], language_of(rest, "en")):
            found.append(thanks.group().strip())
            rest = rest[thanks.end() :]
        if rest:
            found.append(rest)
    return found


def is_question(sentence: str, language: Language) -> bool:
    """Ends with a question mark, or starts as questions do."""
    if sentence.rstrip(" )").endswith("?"):
        return True
    first = words(sentence)[:2]
    openers = _words("question", language)
    return bool(first) and (first[0] in openers or (first[0] in _JOINERS and first[-1] in openers))


_JOINERS = frozenset({"and", "but", "also", "so", "а", "и", "но", "еще", "ещё"})


def content_stems(text: str, language: Language) -> frozenset[str]:
    """The stems that carry meaning: no stop words, no single letters."""
    kept = [word for word in words(text) if word not in _words("stop", language) and len(word) > 1]
    return frozenset(stems(" ".join(kept)))


@cache
def _words(group: str, language: Language) -> frozenset[str]:
    raw = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
    return frozenset(raw[group][language]["words"].split())
