"""Words as memory is searched by: stems in both languages, who and when a question names, what is a question."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from core import languages

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DAY = re.compile(r"\b(3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th|-?го|-?е)?\b(?!\s*(?:%|€|\$|₽))")
_QUESTION = re.compile(r"\?[\s)»\"']*[^.!?]{0,40}$")
LONGEST_TERM = 64


def words(text: str) -> list[str]:
    """Lower-case words and numbers, in order; ё is е, and an English possessive is its owner."""
    return [word.removesuffix("'s") for word in languages.words(text)]


def stem(word: str) -> str:
    """A word without its endings, as long as a term may be."""
    return languages.stem(word)[:LONGEST_TERM]


def stems(text: str) -> list[str]:
    """What a text is found by: the stems of its words, without those that every text has."""
    return [stem(word) for word in words(text) if word not in _listed("stop")]


def name_stems(name: str) -> set[str]:
    """What a person's name is recognised by, whatever its case."""
    return {stem(word) for word in words(name) if len(word) > 1}


def without(text: str, unwanted: Iterable[str]) -> str:
    """The text without the words of these stems."""
    cut = set(unwanted)
    kept = [word for word in re.findall(r"\S+", text) if not cut.intersection(map(stem, words(word)))]
    return " ".join(kept) or text


def is_question(text: str) -> bool:
    """Whether a turn ends by asking something."""
    return bool(_QUESTION.search(text[-80:]))


def asks_when(question: str) -> bool:
    """Whether the answer is a time."""
    return bool(_pattern("when").search(question.lower().replace("ё", "е")))


def names_time(text: str) -> bool:
    """Whether a turn says when something was or will be."""
    return bool(_pattern("time").search(text.lower().replace("ё", "е")) or _YEAR.search(text))


@dataclass(frozen=True)
class Dates:
    """The months, years and days that a question names; each may be empty."""

    months: frozenset[int]
    years: frozenset[int]
    days: frozenset[int]

    def holds(self, at: datetime) -> bool:
        """Whether a time lies in a named month, of a named year if there is one."""
        return at.month in self.months and (not self.years or at.year in self.years)

    def is_just_past(self, at: datetime) -> bool:
        """Whether a time is at most ten days after a named day, or early in the month after a named one."""
        if self.holds(at):
            return any(0 <= at.day - day <= 10 for day in self.days)
        return (at.month - 2) % 12 + 1 in self.months and at.day <= 12


def dates_in(question: str) -> Dates:
    """Which dates a question names."""
    months = {month for word in words(question) if (month := _month(word))}
    years = {int(year) for year in _YEAR.findall(question)}
    days = {int(day) for day in _DAY.findall(_YEAR.sub(" ", question))} if months else set()
    return Dates(frozenset(months), frozenset(years), frozenset(days))


def _month(word: str) -> int | None:
    stemmed = stem(word)
    return next((number for number, names in enumerate(_months(), start=1) if stemmed in names), None)


@cache
def _months() -> list[frozenset[str]]:
    english, russian = _raw()["months"]["en"].split(), _raw()["months"]["ru"].split("|")
    return [
        frozenset({stem(first), *(stem(word) for word in second.split())})
        for first, second in zip(english, russian, strict=True)
    ]


@cache
def _listed(group: str) -> frozenset[str]:
    return frozenset(word for language in _raw()[group].values() for word in language.split())


@cache
def _pattern(group: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part.strip()})" for part in _patterns(group)))


def _patterns(group: str) -> Iterator[str]:
    for language in _raw()[group].values():
        yield from language.strip().splitlines()


@cache
def _raw() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
