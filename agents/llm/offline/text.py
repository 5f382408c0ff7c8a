"""Language, words, stems and sentences of short messages in English and Russian."""

import re
import tomllib
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

import snowballstemmer

Language = Literal["en", "ru"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+|;\s+")
_LETTER = re.compile(r"[^\W\d_]")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
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
_STEMMERS = {"en": snowballstemmer.stemmer("english"), "ru": snowballstemmer.stemmer("russian")}


def language_of(text: str, default: str) -> Language:
    """The language that a text is written in, by its script; `default` decides when there are too few letters."""
    letters = len(_LETTER.findall(text))
    if letters < 2:
        return "ru" if default.startswith("ru") else "en"
    return "ru" if len(_CYRILLIC.findall(text)) * 2 > letters else "en"


def words(text: str) -> list[str]:
    """Lower-case words and numbers, in order."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower().replace("ё", "е"))]


@lru_cache(maxsize=20_000)
def stem(word: str, language: Language) -> str:
    return str(_STEMMERS[language].stemWord(word))


def stems(text: str, language: Language) -> list[str]:
    """The stems of a text, in order; a Latin word inside Russian text is stemmed as English."""
    return [
        stem(word, "ru" if _CYRILLIC.search(word) else "en" if language == "ru" else language)
        for word in words(text)
    ]


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
    return frozenset(stems(" ".join(kept), language))


@cache
def _words(group: str, language: Language) -> frozenset[str]:
    raw = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
    return frozenset(raw[group][language]["words"].split())
