"""Language, words, stems and sentences of short messages in English and Russian."""

import re
from functools import lru_cache
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
    """A message in sentences; a greeting in front of a sentence stands alone."""
    found: list[str] = []
    for part in _SENTENCE_END.split(text):
        sentence = part.strip()
        greeting = _GREETING.match(sentence)
        if greeting and greeting.end() < len(sentence):
            found.append(greeting.group().strip())
            sentence = sentence[greeting.end() :]
        if sentence:
            found.append(sentence)
    return found


def is_question(sentence: str, language: Language) -> bool:
    """Ends with a question mark, or starts as questions do."""
    if sentence.rstrip(" )").endswith("?"):
        return True
    first = words(sentence)[:2]
    openers = _QUESTION_OPENERS[language]
    return bool(first) and (first[0] in openers or (first[0] in _JOINERS and first[-1] in openers))


_JOINERS = frozenset({"and", "but", "also", "so", "а", "и", "но", "еще", "ещё"})
_QUESTION_OPENERS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        [
            "how",
            "what",
            "when",
            "where",
            "who",
            "which",
            "why",
            "can",
            "could",
            "do",
            "does",
            "is",
            "are",
            "will",
            "would",
            "may",
            "shall",
            "have",
            "has",
        ]
    ),
    "ru": frozenset(
        [
            "как",
            "какой",
            "какая",
            "какие",
            "каков",
            "сколько",
            "когда",
            "где",
            "кто",
            "куда",
            "почему",
            "зачем",
            "можно",
            "можете",
            "сможете",
            "есть",
            "будет",
            "ли",
            "почем",
            "чем",
            "что",
            "какую",
            "каким",
        ]
    ),
}

_STOP: dict[Language, frozenset[str]] = {
    "en": frozenset(
        [
            "a",
            "an",
            "the",
            "and",
            "or",
            "but",
            "if",
            "so",
            "to",
            "of",
            "in",
            "on",
            "at",
            "for",
            "with",
            "from",
            "by",
            "is",
            "are",
            "was",
            "were",
            "be",
            "been",
            "do",
            "does",
            "did",
            "it",
            "its",
            "this",
            "that",
            "these",
            "those",
            "i",
            "you",
            "he",
            "she",
            "we",
            "they",
            "me",
            "us",
            "him",
            "her",
            "them",
            "my",
            "your",
            "our",
            "their",
            "can",
            "could",
            "will",
            "would",
            "shall",
            "may",
            "might",
            "have",
            "has",
            "had",
            "not",
            "no",
            "yes",
            "also",
            "there",
            "here",
            "then",
            "than",
            "how",
            "what",
            "when",
            "where",
            "who",
            "which",
            "why",
            "please",
        ]
    ),
    "ru": frozenset(
        [
            "и",
            "а",
            "но",
            "или",
            "если",
            "то",
            "же",
            "ли",
            "бы",
            "не",
            "ни",
            "да",
            "нет",
            "в",
            "во",
            "на",
            "за",
            "по",
            "с",
            "со",
            "к",
            "ко",
            "из",
            "у",
            "о",
            "об",
            "от",
            "до",
            "для",
            "при",
            "без",
            "над",
            "под",
            "что",
            "как",
            "это",
            "этот",
            "эта",
            "эти",
            "тот",
            "та",
            "те",
            "я",
            "ты",
            "он",
            "она",
            "оно",
            "мы",
            "вы",
            "они",
            "меня",
            "вас",
            "нас",
            "их",
            "его",
            "ее",
            "мне",
            "вам",
            "нам",
            "им",
            "мой",
            "ваш",
            "наш",
            "свой",
            "быть",
            "есть",
            "был",
            "была",
            "было",
            "были",
            "будет",
            "еще",
            "уже",
            "только",
            "вот",
            "там",
            "тут",
            "где",
            "когда",
            "кто",
            "какой",
            "какая",
            "какие",
            "сколько",
            "так",
            "можно",
        ]
    ),
}


def content_stems(text: str, language: Language) -> frozenset[str]:
    """The stems that carry meaning: no stop words, no single letters."""
    kept = [word for word in words(text) if word not in _STOP[language] and len(word) > 1]
    return frozenset(stems(" ".join(kept), language))
