"""Finds sentences of a reply that say nothing but what the contact wrote: small models begin with those."""

import re
from collections.abc import Sequence

from agents.text import content_stems, sentences
from core.languages import language_of, words

_GREETING = re.compile(
    r"\W*(?:(?:hello|hi|dear|good \w+|здравствуйте|привет\w*|добр\w+ \w+|уважаем\w+)\b[\s,]*(?:[^\W\d_]+\s*){0,3})?[.!,\s]*",
    re.IGNORECASE,
)
_SAME = 0.75
_FEWEST_WORDS = 3


def is_echo(text: str, messages: Sequence[str]) -> bool:
    """Whether a sentence is one of the contact's own, or nearly: most words of each stand in the other."""
    language = language_of(text, "en")
    said = content_stems(text, language)
    for sentence in (sentence for message in messages for sentence in sentences(message)):
        if words(sentence) == words(text):
            return True
        heard = content_stems(sentence, language)
        both = len(said & heard)
        if len(heard) >= _FEWEST_WORDS and both >= _SAME * len(heard) and both >= _SAME * len(said):
            return True
    return False


def is_greeting(text: str) -> bool:
    """Whether a sentence is nothing but a greeting, with a name or without, or empty."""
    return _GREETING.fullmatch(text) is not None


def is_bare_greeting(text: str) -> bool:
    """Whether a sentence is a greeting without an end, which would run into the next sentence."""
    return is_greeting(text) and not text.rstrip().endswith((".", "!", ","))
