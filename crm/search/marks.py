"""What of a text was asked for, and the part of a long text where it stands."""

from collections.abc import Mapping, Sequence

from core.languages import spans
from crm.search.meanings import Meaning, Sense
from crm.search.models import Marked

_BEFORE, _LONGEST = 50, 160


def words_meant(meanings: Sequence[Meaning]) -> dict[str, Sense]:
    """Every word that any term of the query may stand for."""
    return {word: sense for meaning in meanings for word, sense in meaning.words.items()}


def mark(text: str, meant: Mapping[str, Sense]) -> Marked:
    """The text with the words that were meant; of one that was begun, its beginning."""
    found = _whole(text, meant)
    if not found:
        found = [
            (start, min(end, start + (meant[word].typed_letters or end)))
            for word, start, end in spans(text)
            if word in meant
        ]
    return Marked(text, found)


def _whole(text: str, meant: Mapping[str, Sense]) -> list[tuple[int, int]]:
    """Where an address or a number that is one word for the search was meant."""
    word = text.lower()
    if word in meant:
        return [(0, min(len(text), meant[word].typed_letters or len(text)))]
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    digits = "".join(text[place] for place in places)
    if digits not in meant or len(digits) * 2 < len(text):
        return []
    typed = meant[digits].reading.text
    start = digits.find(typed)
    return [(places[start], places[start + len(typed) - 1] + 1)] if start >= 0 else []


def mark_first(texts: Sequence[str], meant: Mapping[str, Sense]) -> Marked | None:
    """The first of several short texts in which something was meant."""
    return next((marked for text in texts if (marked := mark(text, meant)).ranges), None)


def snippet_of(text: str, meant: Mapping[str, Sense]) -> Marked | None:
    """The part of a long text around the first word that was meant; None when there is none."""
    first = next(((start, end) for word, start, end in spans(text) if word in meant), None)
    if first is None:
        return None
    begin, end = max(0, first[0] - _BEFORE), min(len(text), max(0, first[0] - _BEFORE) + _LONGEST)
    part = text[begin:end]
    if begin > 0:
        part = f"… {part.partition(' ')[2] if ' ' in part[: first[0] - begin] else part}"
    if end < len(text):
        part = f"{part.rpartition(' ')[0] or part} …"
    return mark(" ".join(part.split()), meant)
