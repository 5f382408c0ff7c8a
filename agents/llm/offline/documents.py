"""What the organization's documents say to a question: a line of prose, or the row of a price list in words."""

from collections.abc import Iterator

from agents.inbox.contract import Case, CaseEvidence
from agents.llm.offline import prices, slots
from agents.llm.offline.lookup import Found, closed, topics
from agents.llm.offline.phrases import money, say
from agents.llm.offline.prices import Row
from agents.text import content_stems, sentences
from core.languages import Language, language_of, stems
from core.money import digits_of

_ENOUGH = 0.5
_LENGTH = 320


def find_line(question: str, case: Case, language: Language) -> Found | None:
    """The passage that answers a question, found by its heading, its own words or what both are about."""
    best: tuple[float, Found] | None = None
    for evidence, line in _prose(case):
        heading = evidence.details.get("heading", "")
        score = _score(question, heading, line, language)
        if score and (best is None or score > best[0]):
            best = (score, Found(evidence.n, _short(line), language_of(f"{heading} {line}", "")))
    return best[1] if best else None


def _prose(case: Case) -> Iterator[tuple[CaseEvidence, str]]:
    for evidence in case.evidence:
        if prices.is_quotable(evidence):
            for line in evidence.text.split("\n"):
                if prices.CELL not in line and line.strip():
                    yield evidence, line


def _score(question: str, heading: str, line: str, language: Language) -> float:
    """How much of the question a passage takes up; 0 when it is not enough to answer."""
    written = language_of(f"{heading} {line}", "")
    bonus = 0.1 if written == language else 0.0
    asked = frozenset(stems(question))
    said = frozenset(stems(f"{heading} {line}"))
    about = any(asked & words and said & words for words in topics().values())
    wanted = content_stems(question, language)
    shared = len(wanted & said) / len(wanted) if wanted and written == language else 0.0
    in_heading = len(wanted & frozenset(stems(heading))) if written == language else 0
    if about:
        return 1 + shared + bonus
    is_enough = shared >= _ENOUGH and (len(wanted & said) >= 2 or in_heading > 0)
    return shared + bonus + 0.2 * in_heading if is_enough else 0.0


def _short(line: str) -> str:
    """The first sentences of a passage, as many as a message has room for."""
    told = ""
    for sentence in sentences(line):
        if told and len(told) + len(sentence) > _LENGTH:
            break
        told = f"{told} {closed(sentence)}".strip()
    return told


def find_prose_price(question: str, number: int | None, case: Case, language: Language) -> Found | None:
    """A clause that names a sum for the quantity that was asked about, or for the thing when none was."""
    wanted = content_stems(question, language)
    found: list[tuple[bool, Found]] = []
    for evidence, line in _prose(case):
        for clause in (part for sentence in sentences(line) for part in sentence.split(";")):
            if not prices.money_in(clause):
                continue
            written = language_of(clause, language)
            span = prices.span_of(clause)
            fits = span is not None and number is not None and span.holds(number)
            is_named = span is None and len(wanted & content_stems(clause, written)) >= 2
            if fits or is_named:
                found.append((written == language, Found(evidence.n, closed(clause), written)))
    found.sort(key=lambda pair: not pair[0])
    return found[0][1] if found else None


def sentence_of(row: Row, quantity: str, number: int | None, conditions: list[str]) -> str:
    """A row as a sentence in its own language: its span or name, what each column says, what that makes in all."""
    language = row.language
    values = _asked_for(row, conditions)
    joined = ", ".join(f"{_lowered(name)} {value}".strip() for name, value in values)
    if row.span is None or number is None:
        only = values[0][1] if len(values) == 1 else joined
        return say(language, "price.named", name=row.cells[0], prices=only)
    fields = {"quantity": quantity, "span": row.cells[0], "prices": joined}
    if row.heading:
        text = say(language, "price.listed_unit", unit=_lowered(row.heading), **fields)
    else:
        text = say(language, "price.listed", **fields)
    sums = _sums(row, number, values, language)
    return f"{text} {say(language, 'price.total', number=str(number), sums=sums)}" if sums else text


def _asked_for(row: Row, conditions: list[str]) -> list[tuple[str, str]]:
    """The column of the condition that was asked about, or all of them."""
    about = [pair for pair in row.values if "year" in slots.conditions(pair[0])]
    return about if "year" in conditions and len(about) == 1 else row.values


def _sums(row: Row, number: int, values: list[tuple[str, str]], language: Language) -> str:
    """The total of each column, with how it comes about; only where the list says that its prices are for one."""
    if not row.is_per_piece:
        return ""
    told: list[str] = []
    for name, value in values:
        found = prices.money_in(value)
        if len(found) != 1:
            return ""
        minor = int((found[0].amount * number).scaleb(digits_of(found[0].currency)))
        total = money(minor, found[0].currency, language)
        period = f" {say(language, f'price.per_{row.period}')}" if row.period else ""
        condition = f" ({_lowered(name)})" if name else ""
        told.append(f"{number} × {found[0].text} = {total}{period}{condition}")
    return ", ".join(told)


def steps_of(rows: list[Row], language: Language) -> tuple[Row, str] | None:
    """A whole price list in one line, by its first column, for somebody who did not say how many."""
    spoken = [row for row in rows if row.span is not None and row.language == language]
    first = next((row for row in spoken if prices.money_in(row.line)), None)
    if first is None:
        return None
    same = [row for row in spoken if row.evidence.n == first.evidence.n and row.heading == first.heading]
    steps = "; ".join(f"{row.cells[0]}: {row.values[0][1]}" for row in same)
    unit = ", ".join(_lowered(part) for part in (first.values[0][0], first.heading) if part)
    key = "price.steps_unit" if unit else "price.steps"
    return first, say(language, key, steps=steps, unit=unit)


def _lowered(name: str) -> str:
    """A title inside a sentence; abbreviations keep their capitals."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def differing(fact: str, row: Row) -> bool:
    """Whether a fact names a sum for the same quantity that the row of the price list does not have."""
    listed = {(sum.amount, sum.currency) for sum in prices.money_in(row.line)}
    noted = {(sum.amount, sum.currency) for sum in prices.money_in(fact)}
    return bool(listed) and bool(noted - listed)
