"""Finds the sentence that answers a question: in confirmed facts meant for customers, and in what we wrote before."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from agents.inbox.contract import Case, CaseEvidence
from agents.llm.offline.phrases import openings
from agents.text import content_stems, is_question, sentences
from core.languages import Language, language_of, stems

_UNKNOWN = ("answer.unknown", "answer.unknown_more", "answer.unknown_quoted", "price.none", "price.none_quantity",
            "price.unconfirmed", "introduction.none")  # fmt: skip
_BAND = re.compile(
    r"(?:\bот\s+)?(?P<low>\d+)\s*(?:to|until|до|-|–|—)\s*(?P<high>\d+)\s+[^\W\d_]{3,}", re.IGNORECASE
)


@dataclass(frozen=True)
class Found:
    """A sentence that may be quoted; `said_at` is set when we wrote it before in this thread."""

    n: int
    sentence: str
    language: Language
    said_at: datetime | None = None


@dataclass(frozen=True)
class _Candidate:
    """A sentence, the text that it is found by, and the share of the question that must be found."""

    found: Found
    text: str
    share: float
    topics: frozenset[str] = frozenset()


def find_answer(question: str, case: Case, language: Language) -> Found | None:
    """The best sentence for a question, if it shares enough of the words that carry meaning."""
    wanted = content_stems(question, language)
    asked = set(stems(question))
    best: tuple[float, Found] | None = None
    for candidate in (*_facts(case, language), *_said(case, language)):
        score = _score(wanted, asked, candidate, language)
        if score and (best is None or score > best[0]):
            best = (score, candidate.found)
    return best[1] if best else None


def _score(wanted: frozenset[str], asked: set[str], candidate: _Candidate, language: Language) -> float:
    about = len(asked & candidate.topics)
    is_same = candidate.found.language == language
    shared = len(wanted & content_stems(candidate.text, language)) if is_same else 0
    share = shared / len(wanted) if wanted else 0.0
    if about:
        return 1 + share + (0.1 if is_same else 0)
    is_enough = shared >= 2 or (shared == 1 and len(wanted) <= 2)
    return share if is_enough and share >= candidate.share else 0.0


def find_price(number: int | None, case: Case, language: Language) -> Found | None:
    """The price that is on record for a number of pieces, or the one price when none was asked about."""
    facts = [evidence for evidence in case.evidence if evidence.details.get("predicate") == "price"]
    facts = [evidence for evidence in facts if is_publishable(evidence)]
    facts.sort(key=lambda evidence: language_of(evidence.text, "") != language)
    for evidence in facts:
        clauses = [clause.strip() for clause in evidence.text.split(";")]
        for clause in clauses:
            band = _BAND.search(clause)
            if number is not None and band and int(band["low"]) <= number <= int(band["high"]):
                return Found(evidence.n, closed(clause), language_of(clause, ""))
        if number is None or not any(_BAND.search(clause) for clause in clauses):
            return Found(evidence.n, closed(evidence.text), language_of(evidence.text, ""))
    return None


def said_unknown(case: Case, language: Language) -> bool:
    """Our last message already said that something has to be checked first."""
    ours = [message.text for message in case.history if message.author == "us"]
    return bool(ours) and any(
        opening in ours[-1] for opening in openings(language, *_UNKNOWN) if len(opening) > 8
    )


def _facts(case: Case, language: Language) -> Iterator[_Candidate]:
    for evidence in case.evidence:
        if is_publishable(evidence) and evidence.details["predicate"] != "price":
            written = language_of(evidence.text, "")
            about = topics()[evidence.details["predicate"]]
            yield _Candidate(Found(evidence.n, closed(evidence.text), written), evidence.text, 0.34, about)


def _said(case: Case, language: Language) -> Iterator[_Candidate]:
    """What we wrote in this thread, found by its own words or by the question that it answered."""
    history = case.history
    for position in range(len(history) - 1, -1, -1):
        message = history[position]
        if message.author != "us" or language_of(message.text, "") != language:
            continue
        statements = [text for text in sentences(message.text) if not is_question(text, language)]
        for order, text in enumerate(statements):
            found = Found(message.n, closed(text), language, message.at)
            if len(text.split()) >= 4:
                yield _Candidate(found, text, 0.34)
            before = history[position - 1].text if position and order == 0 else ""
            if before and history[position - 1].author == "contact" and is_question(before, language):
                yield _Candidate(found, before, 0.6)


def is_publishable(evidence: CaseEvidence) -> bool:
    """A confirmed fact about what we offer."""
    return (
        evidence.kind == "fact"
        and evidence.trust == "confirmed"
        and evidence.details.get("predicate", "") in topics()
        and bool(evidence.text)
    )


@cache
def topics() -> dict[str, frozenset[str]]:
    """Predicate -> the stems that show that a text is about it."""
    raw = tomllib.loads(resources.files(__package__).joinpath("topics.toml").read_text("utf-8"))
    return {predicate: frozenset(stems(" ".join(words))) for predicate, words in raw.items()}


def closed(text: str) -> str:
    """A text as one sentence with a capital letter and a full stop."""
    sentence = re.sub(r"\s+", " ", text).strip()
    sentence = sentence[:1].upper() + sentence[1:]
    return sentence if sentence.endswith((".", "!", "…", "?")) else f"{sentence}."
