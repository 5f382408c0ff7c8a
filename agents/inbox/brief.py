"""The case for models with little room: what fits into their context, and for small ones plain lines, not JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agents.inbox.contract import Case, CaseEvidence, CaseMessage, TriageAnswer
from agents.text import content_stems
from core.languages import Language, language_of
from core.tokens import estimated_tokens
from crm.drafts.models import EvidenceKind
from prompts import library

# A small model reads some 75 tokens a second on an ordinary processor.
BRIEF_TOKENS = 1500
_LONGEST_LINE = 600
_HISTORY = 6
_FACTS = 3
_ROOT = 5
_REASONS = ("customer_request", "policy_restriction", "unsupported_request")
# Answered without any fact.
_FREE = frozenset({"interested", "greeting", "introduction", "wrong_person", "thanks"})
_CONFIRM: dict[Language, str] = {
    "en": "With pleasure. I will check the time and confirm it shortly.",
    "ru": "С удовольствием. Уточню время и подтвержу в ближайшее время.",
}
_CHECK: dict[Language, str] = {
    "en": "Thank you for asking; I will check this and come back to you.",
    "ru": "Спасибо за вопрос, уточню и вернусь к вам с ответом.",
}
LANGUAGES: dict[Language, str] = {"en": "English", "ru": "Russian"}
# What the team keeps to itself; a small model cannot be trusted to.
_PRIVATE_KINDS = (EvidenceKind.DEAL, EvidenceKind.TASK, EvidenceKind.CONTACT, EvidenceKind.RELATIONSHIP)
_PRIVATE_FACTS = frozenset({"budget", "decision", "note", "internal"})


def fitted(case: Case, tokens: int) -> Case:
    """The case in at most so many tokens, as far as these can be told: the newest and what comes first stays."""
    left = tokens - estimated_tokens(case.feedback) - 200
    burst, left = _newest(case.new_messages, left, share=0.5)
    evidence: list[CaseEvidence] = []
    for piece in case.evidence:
        size = estimated_tokens(piece.model_dump_json())
        if size <= left * 0.7:
            evidence.append(piece)
            left -= size
    history, _ = _newest(case.history, left, share=1)
    return case.model_copy(
        update={
            "new_messages": burst,
            "evidence": tuple(evidence),
            "history": history if case.history else (),
        }
    )


def _newest(
    messages: tuple[CaseMessage, ...], tokens: int, *, share: float
) -> tuple[tuple[CaseMessage, ...], int]:
    """The newest messages that fit into their share, at least the last one, cut; and the tokens that are left."""
    kept: list[CaseMessage] = []
    room = int(tokens * share)
    for message in reversed(messages):
        size = estimated_tokens(message.model_dump_json())
        if size > room and kept:
            break
        if size > room:
            message = message.model_copy(update={"text": message.text[: max(room, 100)]})
            size = min(size, room)
        kept.append(message)
        room -= size
        tokens -= size
    return tuple(reversed(kept)), tokens


@dataclass(frozen=True)
class Brief:
    """A case in plain lines, with the language of the answer and the numbers that it may cite."""

    text: str
    language: Language
    numbers: tuple[int, ...]
    has_facts: bool = False


def brief(case: Case, *, with_evidence: bool) -> Brief:
    """The case as a small model reads it."""
    language = language_of(" ".join(message.text for message in case.new_messages), case.contact.language)
    asked = " ".join(message.text for message in case.new_messages)
    facts = _near(_open(case.evidence), asked, language) if with_evidence else []
    lines = _within([f"[{fact.n}] {_line(f'{fact.label}: {fact.text}')}" for fact in facts], BRIEF_TOKENS)
    text = library.load("inbox/case_brief").render(
        contact=case.contact.name,
        facts="\n".join(lines),
        earlier="\n".join(_said(message) for message in case.history[-_HISTORY:]),
        messages="\n".join(_said(message) for message in case.new_messages),
        feedback=case.feedback,
        language=LANGUAGES[language],
    )
    cited = [*(message.n for message in case.new_messages), *(fact.n for fact in facts[: len(lines)])]
    return Brief(text, language, tuple(cited), bool(lines))


def _open(evidence: Sequence[CaseEvidence]) -> list[CaseEvidence]:
    """What a customer may be told."""
    return [
        piece
        for piece in evidence
        if piece.text
        and piece.kind not in _PRIVATE_KINDS
        and piece.details.get("predicate") not in _PRIVATE_FACTS
    ]


def _near(facts: list[CaseEvidence], asked: str, language: Language) -> list[CaseEvidence]:
    """The facts that share the telling words of the question; a small model retells whatever else it is shown."""
    wanted = _roots(asked, language)
    words = [_roots(f"{fact.label} {fact.text}", language) & wanted for fact in facts]
    common = Counter(word for found in words for word in found)
    weights = [sum(1 / common[word] for word in found) for found in words]
    least = max(weights, default=0) / 2
    near = [
        (weight, fact) for weight, fact in zip(weights, facts, strict=True) if weight > 0 and weight >= least
    ]
    return [fact for _, fact in sorted(near, key=lambda pair: -pair[0])][:_FACTS]


def _roots(text: str, language: Language) -> frozenset[str]:
    """The beginnings of the telling words: `доставка` and `доставляются` have one. Numbers tell nothing."""
    return frozenset(stem[:_ROOT] for stem in content_stems(text, language) if not stem.isdigit())


def _within(lines: list[str], tokens: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        tokens -= estimated_tokens(line)
        if tokens < 0:
            break
        kept.append(line)
    return kept


def _said(message: CaseMessage) -> str:
    files = f" (file: {', '.join(message.files)})" if message.files else ""
    return f"[{message.n}] {'we' if message.author == 'us' else 'customer'}: {_line(message.text)}{files}"


def _line(text: str) -> str:
    """A text on one line, cut where nobody reads on."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_LINE else f"{flat[:_LONGEST_LINE]} …"


def triage_schema(shown: Brief, rules: TriageAnswer) -> dict[str, JsonValue]:
    """What a small model may judge; a decision for a person brings its reason along.

    `rules` is what plain rules say. A wish to be left alone, a complaint and a call for a person are never overlooked,
    and nothing is passed over in silence that the rules would answer.
    """
    language: JsonValue = {"const": shown.language}
    hand_off = _object(
        reason={"enum": [rules.hand_off.reason] if rules.hand_off else list(_REASONS)},
        summary={"type": "string"},
        next_step={"type": "string"},
    )
    kept = _object(
        language=language,
        intents=_some_of(_FOR_US),
        decision={"enum": ["answer", "ignore"] if rules.decision == "ignore" else ["answer"]},
        hand_off={"type": "null"},
    )
    given = _object(
        language=language,
        intents=_some_of((*_FOR_PEOPLE, *_FOR_US)),
        decision={"const": "notify"},
        hand_off=hand_off,
    )
    return {"oneOf": [given] if rules.decision == "notify" else [kept, given]}


# What is named first decides: with one of these intents nothing is left but to call a person.
_FOR_PEOPLE = ("human", "complaint", "unsubscribe", "threat")
_FOR_US = (
    "price", "discount", "availability", "question", "meeting", "objection", "greeting", "thanks", "wrong_person",
    "introduction", "out_of_office", "other",
)  # fmt: skip


def _some_of(intents: Sequence[str]) -> JsonValue:
    return {"type": "array", "items": {"enum": list(intents)}, "minItems": 1, "maxItems": 3}


def draft_schema(shown: Brief, rules: TriageAnswer) -> dict[str, JsonValue]:
    """What a small model may write: few sentences, each with numbers that there are.

    Asked for what no fact answers, it would make something up; all that it may say then is that it will be checked.
    """
    numbers: dict[str, JsonValue] = {"type": "array", "items": {"enum": list(shown.numbers)}, "maxItems": 3}
    # The numbers first: what they name is what the model then writes about.
    only = _only_answer(shown, rules)
    text: JsonValue = {"const": only} if only else {"type": "string"}
    sentence = _object(evidence=numbers, text=text)
    longest = 1 if only else 3
    return _object(
        language={"const": shown.language},
        sentences={"type": "array", "items": sentence, "minItems": 1, "maxItems": longest},
        missing={"type": "array", "items": {"type": "string"}, "maxItems": 2},
    )


def _only_answer(shown: Brief, rules: TriageAnswer) -> str:
    """All that can be said without a fact about what was asked; empty where words of its own are harmless."""
    asked = set(rules.intents) - _FREE
    if shown.has_facts or not asked:
        return ""
    return (_CONFIRM if asked == {"meeting"} else _CHECK)[shown.language]


def _object(**properties: JsonValue) -> dict[str, JsonValue]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
