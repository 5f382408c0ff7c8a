"""Looks a draft over before a person does: values without a source, addresses, links, language, look-alike letters."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core import hidden
from core.trust import Trust
from tools import addressing, promises

_LINK = re.compile(r"(?:https?://|www\.|\bt\.me/)[^\s<>()«»“”\"']+[^\s<>()«»“”\"'.,!?:;]", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CURRENCY = (
    r"€|\$|£|₽|₸|zł|\b(?:eur|usd|gbp|rub|euros?|dollars?|pounds?)\b|евро\b|руб(?:л\w*|\.)?|доллар\w*|тенге\b"
)
_AMOUNT = r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_MONEY = re.compile(
    rf"(?:(?:{_CURRENCY})\s?(?:{_AMOUNT}))|(?:(?:{_AMOUNT})\s?(?:{_CURRENCY}))", re.IGNORECASE
)
_PERCENT = re.compile(rf"(?:{_AMOUNT})\s?(?:%|percent\b|процент\w*)", re.IGNORECASE)
# A total that says how it comes about: "50 × €17 = €850".
_PRODUCT = re.compile(
    rf"(?P<count>{_AMOUNT})\s?[×x*]\s?(?P<each>{_MONEY.pattern})\s?=\s?(?P<total>{_MONEY.pattern})",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"(?<![\w.,])(?:{_AMOUNT})(?![\w]*@)")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
# Letters and at least two digits in one word of eight characters or more.
_CODE = re.compile(r"(?<![\w-])(?=[\w-]*[^\W\d_])(?=(?:[\w-]*\d){2})[\w-]{8,}")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN, _CYRILLIC = re.compile(r"[a-z]", re.IGNORECASE), re.compile(r"[а-яё]", re.IGNORECASE)
_DAYS = (
    ("monday", "понедельник"), ("tuesday", "вторник"), ("wednesday", "сред"), ("thursday", "четверг"),
    ("friday", "пятниц"), ("saturday", "суббот"), ("sunday", "воскресень"),
)  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """Something in the body that a person should look at; the kinds are those of `crm.drafts.models.Flag`."""

    kind: str
    value: str
    text: str = ""


@dataclass(frozen=True)
class Source:
    """A text that the run has read, and how far it may be trusted."""

    text: str
    trust: str
    at: datetime | None = None


def inspect(
    body: str, sources: Sequence[Source], *, language: str, reader: str = "", spoken: str = ""
) -> tuple[Mark, ...]:
    """Everything in the body that a person should check, each value once, in the order of the text.

    `language` is what the body claims to be in, `spoken` what its reader speaks, and `reader` what they are called.
    """
    marks = [
        *(
            Mark("hidden_text", hidden.shown(word))
            for word in hidden.findings(body)
            if hidden.has_hidden(word)
        ),
        *_addresses(body, sources),
        *_codes(_without_addresses(body), sources),
        *_values(_without_addresses(body), sources),
        *(Mark("wrong_name", name) for name in addressing.strangers(body, reader)),
        *_language(body, language, spoken or language),
    ]
    if not any(mark.kind == "language" for mark in marks):
        marks += _statements(body, sources, marks)
    return tuple(dict.fromkeys(marks))


def _statements(body: str, sources: Sequence[Source], marks: Sequence[Mark]) -> list[Mark]:
    """Promises that nothing trusted bears out, and statements that nothing at all does; what is marked in them is told
    already."""
    trusted = [source.text for source in sources if _is_trusted([source])]
    told = [mark.value for mark in marks]
    promised = [Mark("promise", one[:300]) for one in promises.unfounded(body, trusted)]
    stated = promises.unsourced(body, [source.text for source in sources])
    return promised + [
        Mark("unsourced_claim", one[:300]) for one in stated if not any(value in one for value in told)
    ]


def _addresses(body: str, sources: Sequence[Source]) -> Iterable[Mark]:
    for pattern, kind in ((_EMAIL, "new_address"), (_LINK, "new_link")):
        for value in pattern.findall(body):
            holders = [source for source in sources if value.lower() in source.text.lower()]
            if not holders:
                yield Mark(kind, value)
            elif not _is_trusted(holders):
                yield Mark("untrusted_value", value)


def _without_addresses(body: str) -> str:
    return _LINK.sub(" ", _EMAIL.sub(" ", body))


def _codes(body: str, sources: Sequence[Source]) -> Iterable[Mark]:
    """A code, a key or an account number that nothing says which was read: nobody makes those up for a good reason."""
    read = " ".join(source.text for source in sources).casefold()
    for match in _CODE.finditer(body):
        if match.group().casefold() not in read:
            yield Mark("unsourced_value", match.group())


def _values(body: str, sources: Sequence[Source]) -> Iterable[Mark]:
    """Money and percentages must rest on the same from somebody we trust; other numbers and days on anything read."""
    body = _without_shown_totals(body)
    for pattern in (_MONEY, _PERCENT):
        known = _weighty(pattern, sources)
        trusted = _weighty(pattern, [source for source in sources if _is_trusted([source])])
        for match in pattern.finditer(body):
            figure = _figure(match.group())
            if figure not in trusted:
                kind = "untrusted_value" if figure in known else "unsourced_value"
                yield Mark(kind, match.group().strip())
    read = _figures(sources)
    for match in _NUMBER.finditer(_PERCENT.sub(" ", _MONEY.sub(" ", body))):
        if _figure(match.group()) not in read:
            yield Mark("unsourced_value", match.group())
    yield from _days(body, " ".join(source.text for source in sources).lower())


def _without_shown_totals(body: str) -> str:
    """A product that is written out and right adds nothing to check: its factors are checked as any other value."""

    def without_total(found: re.Match[str]) -> str:
        count, each, total = (Decimal(_figure(found[name]) or 0) for name in ("count", "each", "total"))
        return f"{found['count']}; {found['each']}" if count * each == total else found.group()

    return _PRODUCT.sub(without_total, body)


def _days(body: str, read: str) -> Iterable[Mark]:
    for names in _DAYS:
        spoken = next(
            (found.group() for name in names if (found := re.search(rf"\b{name}\w*", body, re.I))), ""
        )
        if spoken and not any(name in read for name in names):
            yield Mark("unsourced_value", spoken)


def _weighty(pattern: re.Pattern[str], sources: Iterable[Source]) -> frozenset[str]:
    """Every sum of money, or every percentage, of the sources."""
    return frozenset(_figure(match.group()) for source in sources for match in pattern.finditer(source.text))


def _is_trusted(holders: Iterable[Source]) -> bool:
    return any(source.trust == Trust.CONFIRMED for source in holders)


def _figures(sources: Iterable[Source]) -> frozenset[str]:
    """Every number of the sources in one spelling, and the days on which they were written."""
    found: set[str] = set()
    for source in sources:
        found |= {_figure(match) for match in re.findall(_AMOUNT, source.text)}
        found |= set(re.findall(r"\d+", source.text))
        if source.at is not None:
            found |= {str(source.at.day), str(source.at.year)}
    return frozenset(found)


def _figure(value: str) -> str:
    """The digits of a value without separators and without cents that are zero."""
    digits = re.sub(r"[^\d.,]", "", value).strip(".,")
    whole, mark, cents = (
        digits.rpartition(max(".", ",", key=digits.rfind))
        if re.search(r"[.,]\d{1,2}$", digits)
        else (digits, "", "")
    )
    plain = re.sub(r"\D", "", whole)
    return f"{plain}.{cents}" if mark and cents.strip("0") else plain


def _language(body: str, language: str, spoken: str) -> Iterable[Mark]:
    """Words of two alphabets, and a text or a sentence of it that its reader does not speak."""
    for word in _WORD.findall(body):
        if hidden.is_mixed(word):
            yield Mark("mixed_script", word)
    plain = _without_addresses(re.sub(r"[«“\"][^»”\"]*[»”\"]", " ", body))
    foreign = [part for part in (plain, *_SENTENCE.split(plain)) if _is_foreign(part, spoken)]
    if foreign or _is_cyrillic(language) != _is_cyrillic(spoken):
        yield Mark("language", spoken)


def _is_foreign(text: str, language: str) -> bool:
    letters, cyrillic = len(_LATIN.findall(text)), len(_CYRILLIC.findall(text))
    return letters + cyrillic >= 20 and (cyrillic > letters) != _is_cyrillic(language)


def _is_cyrillic(language: str) -> bool:
    return language in ("ru", "uk", "be", "bg", "kk")
