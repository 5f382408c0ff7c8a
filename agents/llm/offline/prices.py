"""Reads price lists: spans of quantities, sums of money, and rows of tables with the names of their columns."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from agents.inbox.contract import Case, CaseEvidence
from agents.text import content_stems
from core.languages import Language, language_of, stems

CELL = " | "
_N = r"(?:\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+|\d+)(?![.,]?\d)"
_SPANS: tuple[tuple[re.Pattern[str], int, int], ...] = tuple(
    (re.compile(pattern.replace("N", _N), re.IGNORECASE), low, high)
    for pattern, low, high in (
        # the pattern, and what to add to its bounds: "less than 10" ends at 9
        (r"(?:\b(?:от|с|from|between)\s+)?(?P<low>N)\s*(?:-|–|—|\.\.\.?|…|\bдо\b|\bпо\b|\bto\b|\buntil\b|\band\b)\s*(?P<high>N)", 0, 0),
        (r"(?P<low>N)\s*(?:\+|и\s+(?:более|больше|выше)|or\s+more|and\s+(?:more|up|above|over)|or\s+above)", 0, 0),
        (r"(?:\b(?:более|больше|свыше|more\s+than|over|above)|>)\s*(?P<low>N)", 1, 0),
        (r"(?:\b(?:от|from|at\s+least|не\s+менее)|≥|>=)\s*(?P<low>N)", 0, 0),
        (r"(?:\b(?:менее|меньше|less\s+than|fewer\s+than|under|below)|<)\s*(?P<high>N)", 0, -1),
        (r"(?:\b(?:до|up\s+to|не\s+более|at\s+most)|≤|<=)\s*(?P<high>N)", 0, 0),
    )
)  # fmt: skip
_ONE = re.compile(rf"(?P<low>{_N})(?:\s+[^\W\d_]+\.?)?")
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "₽": "RUB", "₸": "KZT", "zł": "PLN"}
_WORDS = {"eur": "EUR", "евро": "EUR", "usd": "USD", "долл": "USD", "gbp": "GBP", "rub": "RUB", "руб": "RUB", "р.": "RUB",
          "тенге": "KZT", "pln": "PLN"}  # fmt: skip
_CURRENCY = r"€|\$|£|₽|₸|zł|\b(?:EUR|USD|GBP|RUB|PLN)\b|евро\b|долл\w*\.?|руб\w*\.?|тенге\b|р\."
_AMOUNT = r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_MONEY = re.compile(
    rf"(?:(?:{_CURRENCY})\s?(?:{_AMOUNT}))|(?:(?:{_AMOUNT})\s?(?:{_CURRENCY}))", re.IGNORECASE
)
_PER_PIECE = re.compile(
    r"\bper\s+(?!month|year|day|hour|week)\w+|\beach\b|\bapiece\b|/\s?(?:user|seat|unit|device|scanner|pcs?)\b"
    r"|\bза\s+(?:(?:одн\w+|кажд\w+|1)\s+)?(?!месяц|год|день|час|недел|раз\b)[а-яё]+|/\s?(?:шт|польз|чел)|\bшт\.",
    re.IGNORECASE,
)

_A_MONTH = re.compile(r"\b(?:per|and|a|each)\s+month\b|/\s?mo(?:nth)?\b|\bв\s+месяц\b|/\s?мес", re.IGNORECASE)
_A_YEAR = re.compile(r"\b(?:per|and|a|each)\s+year\b|/\s?y(?:ea)?r\b|\bв\s+год\b|/\s?год", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """Quantities from `low` to `high`, both included; None is no end."""

    low: int
    high: int | None

    def holds(self, number: int) -> bool:
        return self.low <= number and (self.high is None or number <= self.high)


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str
    text: str


@dataclass(frozen=True)
class Row:
    """A row of a table in a document; `header` names its columns when there is one for each."""

    evidence: CaseEvidence
    line: str
    cells: tuple[str, ...]
    header: tuple[str, ...]
    span: Span | None

    @property
    def heading(self) -> str:
        return self.evidence.details.get("heading", "").rpartition(" › ")[2]

    @property
    def language(self) -> Language:
        return language_of(" ".join((self.heading, *self.header, *self.cells)), "")

    @property
    def values(self) -> list[tuple[str, str]]:
        """The name and the text of every column after the first; without a header the names are empty."""
        names = self.header[1:] or ("",) * (len(self.cells) - 1)
        return list(zip(names, self.cells[1:], strict=False))

    @property
    def is_per_piece(self) -> bool:
        """The list says that its prices are for one."""
        return bool(_PER_PIECE.search(" ".join((self.heading, *self.header))))

    @property
    def period(self) -> Literal["month", "year", ""]:
        """For how long the list says that its prices are."""
        said = " ".join((self.heading, *self.header))
        return "month" if _A_MONTH.search(said) else "year" if _A_YEAR.search(said) else ""

    def words(self) -> str:
        return " ".join((self.evidence.label, self.evidence.details.get("heading", ""), *self.header))


def span_of(text: str) -> Span | None:
    """The quantities that a cell or clause is about, or None; sums of money are not quantities."""
    bare = _MONEY.sub(" ", text)
    for pattern, add_low, add_high in _SPANS:
        if found := pattern.search(bare):
            bounds = found.groupdict()
            low = _number(bounds["low"]) + add_low if bounds.get("low") else 0
            high = _number(bounds["high"]) + add_high if bounds.get("high") else None
            return Span(low, high) if high is None or low <= high else None
    if found := _ONE.fullmatch(bare.strip()):
        return Span(_number(found["low"]), _number(found["low"]))
    return None


def money_in(text: str) -> list[Money]:
    """Every sum of money of a text, in order."""
    return [_money(found.group()) for found in _MONEY.finditer(text)]


def _money(text: str) -> Money:
    lowered = text.lower()
    currency = next((code for sign, code in _SIGNS.items() if sign in text), "")
    currency = currency or next((code for word, code in _WORDS.items() if word in lowered), "EUR")
    figure = re.search(_AMOUNT, text)
    digits = re.sub(r"[ \u00a0\u202f]", "", figure.group() if figure else "0")
    cents = re.search(r"[.,](\d{1,2})$", digits)
    whole = re.sub(r"[.,]", "", digits[: cents.start()] if cents else digits)
    return Money(Decimal(f"{whole}.{cents[1]}" if cents else whole), currency, text.strip())


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def rows_of(case: Case) -> Iterator[Row]:
    """Every table row of the documents that may be quoted to people outside, in the order of the evidence."""
    for evidence in case.evidence:
        if is_quotable(evidence):
            yield from _rows(evidence)


def is_quotable(evidence: CaseEvidence) -> bool:
    """A line of a document that may be told to people outside."""
    is_withheld = evidence.details.get("is_publishable", "True") in ("False", "false")
    return evidence.kind == "knowledge" and evidence.trust == "confirmed" and not is_withheld


def _rows(evidence: CaseEvidence) -> Iterator[Row]:
    header: tuple[str, ...] = ()
    is_table = False
    for line in evidence.text.split("\n"):
        cells = tuple(line.split(CELL))
        if len(cells) < 2:
            is_table = False
            continue
        if not is_table and not any(letter.isdigit() for letter in line):
            header, is_table = cells, True
            continue
        header = header if is_table else ()
        is_table = True
        names = header if len(header) == len(cells) else ()
        yield Row(evidence, line, cells, names, span_of(cells[0]))


def choose(rows: list[Row], question: str, number: int | None, language: Language) -> list[Row]:
    """The rows that answer a question about a price: one, or several when nothing tells them apart."""
    spoken = [row for row in rows if row.language == language] or rows
    if named := _named(spoken, question):
        return named
    if number is None:
        return []
    fitting = [row for row in spoken if row.span is not None and row.span.holds(number)]
    asked = frozenset(stems(question))
    shared = {row.line: len(asked & content_stems(row.words(), row.language)) for row in fitting}
    best = max(shared.values(), default=0)
    told: dict[tuple[str, tuple[str, ...]], Row] = {}
    for row in fitting:
        if shared[row.line] == best:
            told.setdefault((row.heading, row.cells), row)
    return list(told.values())


def _named(rows: list[Row], question: str) -> list[Row]:
    """Rows called by what is asked about: `Spare battery`, not `25–99`."""
    scored: list[tuple[float, Row]] = []
    for row in rows:
        name = content_stems(row.cells[0], row.language)
        shared = name & content_stems(question, row.language) - _HEAD_WORDS
        if row.span is None and shared and money_in(row.line):
            scored.append((len(shared) / len(name), row))
    best = max((score for score, _ in scored), default=0.0)
    return [row for score, row in scored if score == best][:1]


_HEAD_WORDS = frozenset(stems("price cost month year day цена стоимость стоит месяц год день"))
