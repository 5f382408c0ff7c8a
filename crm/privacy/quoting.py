"""Taking a person out of what others wrote: pure functions over texts and JSON."""

import re
from functools import lru_cache

from pydantic import JsonValue

from crm.privacy.models import Person

ERASED = "[erased]"


def needles(person: Person) -> list[str]:
    """The words to look for, in lower case."""
    return [word.lower() for word in person.words]


def cut_text(text: str, person: Person) -> str:
    """The text without the person's addresses and name; what nobody could read as theirs stays."""
    for pattern in _patterns(person.words):
        text = pattern.sub(ERASED, text)
    return text


def cut_json(value: JsonValue, person: Person) -> JsonValue:
    """The same value without what is about the person.

    An object that has one of the person's ids as a value is about them: it is emptied. In texts their words go, and
    their ids, so that nothing leads to what is gone.
    """
    ids = {str(id) for id in person.everything}

    def cut(one: JsonValue) -> JsonValue:
        match one:
            case dict() if any(isinstance(inner, str) and inner.lower() in ids for inner in one.values()):
                return {"erased": True}
            case dict():
                return {_text(key): cut(inner) for key, inner in one.items()}
            case list():
                return [cut(inner) for inner in one]
            case str():
                return _text(one)
            case _:
                return one

    def _text(text: str) -> str:
        return _ID.sub(lambda found: "" if found[0].lower() in ids else found[0], cut_text(text, person))

    return cut(value)


_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@lru_cache(maxsize=8)
def _patterns(words: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_pattern(word), re.IGNORECASE) for word in words)


def _pattern(word: str) -> str:
    # not inside another word or address: ann@example.com is no part of joann@example.com
    before = r"(?<!\w)\+?" if word.isdecimal() else r"(?<![\w.+-])"
    return rf"{before}{re.escape(word)}(?![\w-])"
