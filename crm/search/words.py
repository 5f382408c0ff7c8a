"""The words that a record is found by, and what each word of a query may mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from core.languages import stem, words
from core.layouts import other_alphabet, other_layout
from crm.search.models import FoundKind, Rank, Record

LONGEST_WORD = 64
# More different words than this are not kept of one record; a book of 400 pages has about 15,000.
MOST_WORDS = 20_000
FEWEST_DIGITS = 3
# Found by what they say, not by whose they are: the person is found as a contact.
SAID = frozenset({FoundKind.MESSAGE, FoundKind.NOTE})
_PHONE = re.compile(r"\+?[\d\s().\-–]+")
_EDGES = ".,;:!?\"'«»“”()[]{}<>…—–"
# Everybody has an address there: the name of the provider says nothing about a company.
_PROVIDERS = frozenset(
    (
        "gmail",
        "mail",
        "yandex",
        "ya",
        "outlook",
        "hotmail",
        "icloud",
        "yahoo",
        "bk",
        "inbox",
        "list",
        "rambler",
    )
)


def words_of(kind: FoundKind, record: Record) -> dict[str, Rank]:
    """Every word of a record with the best place where it stands."""
    ranked: dict[str, Rank] = {}
    fields = [] if kind in SAID else [(Rank.TITLE, _spoken(record.title))]
    fields += [(Rank.HANDLE, handle_words(handle)) for handle in record.handles]
    fields += [(Rank.DETAIL, _label_words(label)) for label in record.labels]
    if kind not in SAID:
        fields.append((Rank.DETAIL, _spoken(record.detail)))
    fields.append((Rank.BODY, _spoken(record.body)))
    for rank, found in fields:
        for word in found:
            if len(ranked) >= MOST_WORDS:
                return ranked
            ranked.setdefault(word, rank)
    return ranked


def _spoken(text: str) -> list[str]:
    """The words of a text; `O'Brien` is also `obrien`."""
    found = [word for word in words(text) if len(word) <= LONGEST_WORD]
    return found + [word.replace("'", "") for word in found if "'" in word]


def _label_words(label: str) -> list[str]:
    """A number that is grouped, as those of contracts are, is asked for as one word."""
    numbers = [phone_digits(chunk) for chunk in _chunks(label)]
    return [*_spoken(label), *(digits for digits in numbers if 0 < len(digits) <= LONGEST_WORD)]


def handle_words(handle: str) -> list[str]:
    """`+7 916 123-45-67` is one word, an address also its parts: the name, the domain and the domain's own name."""
    text = "".join(handle.lower().split())
    if digits := phone_digits(text):
        return [digits]
    found = [text.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")]
    name, at, domain = found[0].rpartition("@")
    if at:
        found.append(domain)
        found += words(name.replace("_", " "))
    label = (domain or found[0]).split(".")[0]
    if label not in _PROVIDERS:
        found += words(label)
    return [word for word in dict.fromkeys(found) if 0 < len(word) <= LONGEST_WORD]


def phone_digits(text: str) -> str:
    """The digits of something that is written like a phone number or a part of one, else ''."""
    digits = "".join(filter(str.isdigit, text))
    return digits if len(digits) >= FEWEST_DIGITS and _PHONE.fullmatch(text) else ""


def stem_of(word: str) -> str | None:
    """What the forms of a word have in common; None for numbers and addresses."""
    return stem(word) if word.replace("'", "").isalpha() else None


def grams_of(word: str) -> list[str]:
    """The pieces by which a word is found: of a number its ends, of a word its threes of letters."""
    if word.isdigit():
        return (
            [f"#{word[place:]}" for place in range(len(word) - FEWEST_DIGITS + 1)] if len(word) >= 5 else []
        )
    return letter_grams(word) if 3 <= len(word) <= 32 and word.isalpha() else []


def letter_grams(word: str) -> list[str]:
    padded = f"  {word} "
    return sorted({padded[place : place + 3] for place in range(len(padded) - 2)})


@dataclass(frozen=True)
class Reading:
    """One way to read a word of a query: as it was typed, from the other layout or in the other alphabet."""

    text: str
    stem: str | None
    cost: float

    @property
    def is_number(self) -> bool:
        return self.text.isdigit()


@dataclass(frozen=True)
class Term:
    """One word of a query with its readings, the likeliest first."""

    typed: str
    readings: tuple[Reading, ...]


OTHER_LAYOUT, OTHER_ALPHABET = 0.12, 0.18


def terms_of(query: str, *, most: int = 8) -> list[Term]:
    """The words of a query. A phone number is one word, however it is grouped; so is an address."""
    found: list[Term] = []
    for chunk in _chunks(query):
        digits = phone_digits(chunk)
        if digits:
            found.append(_number(digits))
        elif "@" in chunk or "." in chunk.strip(_EDGES):
            found.append(_address(chunk))
        else:
            # a bracket is a letter on the other layout: `[jhjibq` is `хороший`
            typed = words(chunk)
            swapped = words(other_layout(chunk))
            if len(swapped) == 1 and len(typed) != 1:
                typed = typed or swapped
                found.append(Term(chunk, (_reading(swapped[0], OTHER_LAYOUT),)))
            else:
                found += [_word(word, chunk if len(typed) == 1 else word) for word in typed]
    return list({term.typed: term for term in found}.values())[:most]


def _chunks(query: str) -> Iterator[str]:
    """What stands between spaces; groups of digits that belong to one phone number stay together."""
    group: list[str] = []
    for chunk in query.split():
        if _PHONE.fullmatch(chunk) and any(map(str.isdigit, chunk)):
            group.append(chunk)
            continue
        if group:
            yield "".join(group)
            group = []
        yield chunk
    if group:
        yield "".join(group)


def _reading(text: str, cost: float) -> Reading:
    return Reading(text[:LONGEST_WORD], stem_of(text), cost)


def _number(digits: str) -> Term:
    """In Russia a number begins with 8 at home and with 7 from abroad."""
    readings = [_reading(digits, 0)]
    if digits.startswith("8") and len(digits) > FEWEST_DIGITS + 1:
        readings.append(_reading(f"7{digits[1:]}", 0.02))
    return Term(digits, tuple(readings))


def _address(chunk: str) -> Term:
    text = chunk.lower().strip(_EDGES).removeprefix("@")
    swapped = "".join(words(other_layout(chunk)))
    readings = [_reading(text, 0)]
    if swapped and len(words(other_layout(chunk))) == 1:
        readings.append(_reading(swapped, OTHER_LAYOUT))
    return Term(text, tuple(readings))


def _word(word: str, chunk: str) -> Term:
    readings = [_reading(word, 0)]
    swapped = words(other_layout(chunk))
    if len(swapped) == 1:
        readings.append(_reading(swapped[0], OTHER_LAYOUT))
    spelled = other_alphabet(word)
    if spelled.isalpha():
        readings.append(_reading(spelled, OTHER_ALPHABET))
    unique = {reading.text: reading for reading in reversed(readings)}
    return Term(word, tuple(sorted(unique.values(), key=lambda reading: reading.cost)))


def parts_of(term: Term) -> list[Term]:
    """An address that nobody has, as its words: `petrova@sever` is `petrova` and `sever`."""
    pieces = words(term.typed)
    return [_word(piece, piece) for piece in pieces] if len(pieces) > 1 else []


def mistakes_allowed(word: str) -> int:
    """How many letters may be wrong, missing, too many or swapped."""
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def fewest_shared(typed: str, grams: int) -> int:
    """How many of its threes of letters a word must share that could be meant: each mistake spoils three of them, and
    a word that was only begun has another end."""
    return max(1, grams - 2 - 3 * mistakes_allowed(typed))


def mistakes(typed: str, word: str) -> tuple[int, bool]:
    """The fewest letters that are wrong, missing, too many or swapped between two words; with True when it is the
    beginning of the word that was meant."""
    whole = OSA.distance(typed, word)
    begun = min(
        (
            OSA.distance(typed, word[:length])
            for length in range(len(typed) - 1, min(len(typed) + 2, len(word)))
        ),
        default=whole,
    )
    return (begun, True) if begun < whole else (whole, False)
