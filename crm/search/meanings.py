"""Which words of an organization a word of a query may stand for, and how sure that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from crm.search.words import Reading, Term, mistakes, mistakes_allowed

MOST_GUESSES = 20
_SAME, _SAME_STEM, _BEGINNING, _SAME_BEGINNING, _MISSPELT = 1.0, 0.86, 0.78, 0.66, 0.7
_FOR_LENGTH, _A_MISTAKE = 0.16, 0.13
# How much longer than the typed word another form of it may be.
ENDING_LETTERS = 3


@dataclass(frozen=True)
class Candidate:
    """A word of the organization that one reading of a term led to; `piece` is true when digits are in its middle."""

    term: int
    reading: int
    word: str
    stem: str | None
    piece: bool = False


@dataclass(frozen=True)
class Sense:
    """How well a word fits, 0 to 1, and how many of its letters were typed; None for all of them."""

    fit: float
    typed_letters: int | None
    reading: Reading


@dataclass(frozen=True)
class Meaning:
    """A term of a query with the words that it may stand for."""

    term: Term
    words: dict[str, Sense]
    is_guessed: bool = False

    def or_else(self, guess: "Meaning | None") -> "Meaning":
        """These words and those of a guess, the surer sense of each."""
        if guess is None:
            return self
        words = dict(guess.words)
        for word, sense in self.words.items():
            if word not in words or sense.fit >= words[word].fit:
                words[word] = sense
        return replace(self, words=words, is_guessed=True)


def likely_words(terms: Sequence[Term], candidates: Iterable[Candidate]) -> list[Meaning]:
    """What each term means without a typing error."""
    found: list[dict[str, Sense]] = [{} for _ in terms]
    for candidate in candidates:
        sense = _sense(terms[candidate.term].readings[candidate.reading], candidate)
        known = found[candidate.term].get(candidate.word)
        if sense is not None and (known is None or known.fit < sense.fit):
            found[candidate.term][candidate.word] = sense
    return [Meaning(term, words) for term, words in zip(terms, found, strict=True)]


def _sense(reading: Reading, candidate: Candidate) -> Sense | None:
    word = candidate.word
    if word == reading.text:
        return Sense(_SAME - reading.cost, None, reading)
    if word.startswith(reading.text):
        fit = _BEGINNING + _FOR_LENGTH * len(reading.text) / len(word)
        return Sense(fit - reading.cost, len(reading.text), reading)
    if candidate.piece:
        return Sense(_BEGINNING - reading.cost, None, reading)
    if reading.stem is not None and reading.stem in (candidate.stem, word):
        return Sense(_SAME_STEM - reading.cost, None, reading)
    if reading.stem is not None and word.startswith(reading.stem):
        return Sense(_SAME_BEGINNING - reading.cost, None, reading)
    return None


def guesses(terms: Sequence[Term], candidates: Iterable[Candidate]) -> list[Meaning]:
    """What each term means if it was misspelt: the words with the fewest mistakes."""
    found: list[dict[str, Sense]] = [{} for _ in terms]
    for candidate in candidates:
        reading = terms[candidate.term].readings[candidate.reading]
        count, is_begun = mistakes(reading.text, candidate.word)
        if count <= mistakes_allowed(reading.text):
            fit = _MISSPELT - _A_MISTAKE * count - reading.cost - (0.06 if is_begun else 0)
            known = found[candidate.term].get(candidate.word)
            if known is None or known.fit < fit:
                letters = len(reading.text) if is_begun else None
                found[candidate.term][candidate.word] = Sense(fit, letters, reading)
    return [Meaning(term, _surest(words), is_guessed=True) for term, words in zip(terms, found, strict=True)]


def _surest(words: dict[str, Sense]) -> dict[str, Sense]:
    return dict(sorted(words.items(), key=lambda pair: -pair[1].fit)[:MOST_GUESSES])


def understood_as(meanings: Sequence[Meaning]) -> str:
    """The query from the other layout or alphabet, when nothing was found as it was typed; else ''."""
    senses = [
        max(meaning.words.values(), key=lambda sense: sense.fit) for meaning in meanings if meaning.words
    ]
    if not any(sense.reading.cost >= 0.1 for sense in senses):
        return ""
    return " ".join(sense.reading.text for sense in senses)
