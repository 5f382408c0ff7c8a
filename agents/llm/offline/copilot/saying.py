"""The sentences in which the offline model answers a colleague, with dates and money as each language writes them."""

import tomllib
from datetime import datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from agents.copilot.contract import Question
from agents.llm.offline.copilot.plans import Record, text
from agents.llm.offline.phrases import day, money
from core.languages import Language


@cache
def _phrases(language: Language) -> dict[str, str]:
    raw = resources.files(__package__).joinpath(f"phrases.{language}.toml").read_text("utf-8")
    return {
        f"{group}.{name}": phrase
        for group, entries in tomllib.loads(raw).items()
        for name, phrase in entries.items()
    }


def say(question: Question, key: str, **fields: object) -> str:
    """The phrase in the language of the question."""
    return _phrases(question.language)[key].format(**fields)


def counted(question: Question, count: int, noun: str) -> str:
    """A number with its noun in the right form: `3 deals`, `2 сделки`."""
    forms = _phrases(question.language)[f"nouns.{noun}"].split("|")
    if question.language == "en":
        return f"{count:,} {forms[0] if count == 1 else forms[1]}"
    tens, ones = count % 100, count % 10
    place = 0 if ones == 1 and tens != 11 else 1 if 2 <= ones <= 4 and not 12 <= tens <= 14 else 2
    return f"{count} {forms[place]}"


def amount(question: Question, minor: int, currency: str) -> str:
    return money(minor, currency, question.language)


def local(question: Question, value: str) -> datetime | None:
    """A time out of a record, where the asker is."""
    try:
        return datetime.fromisoformat(value).astimezone(ZoneInfo(question.time_zone)) if value else None
    except ValueError:
        return None


def date_of(question: Question, value: str) -> str:
    """`9 October`; another year is named."""
    at = local(question, value) if "T" in value or " " in value else _date(value)
    if at is None:
        return ""
    said = day(at, question.language)
    return said if at.year == question.now.year else f"{said} {at.year}"


def _date(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def time_of(question: Question, value: str) -> str:
    """`9 October, 14:30`."""
    at = local(question, value)
    return f"{date_of(question, value)}, {at:%H:%M}" if at else ""


def quoted(question: Question, words: str, *, limit: int = 240) -> str:
    """What somebody wrote, in the marks of the language, on one line."""
    line = " ".join(words.split()).replace("[", "(").replace("]", ")")
    line = line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0] + " …"
    return f"«{line}»" if question.language == "ru" else f"“{line}”"


def author(question: Question, message: Record, contact: str) -> str:
    """Who wrote a message, as a colleague calls them."""
    return say(question, "said.we") if text(message, "direction") == "out" else contact
