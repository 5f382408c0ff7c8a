"""Requests for an introduction: whom they name, and who on our side knows them."""

import re
from collections.abc import Sequence

from agents.inbox.contract import Case, CaseEvidence
from agents.llm.offline import slots
from agents.llm.offline.intents import NOTHING_NEAR, Intent, Nearness, read_burst
from core.languages import language_of, stem


def is_offered(text: str) -> bool:
    """The contact offers an introduction instead of asking for one."""
    pattern = (
        r"\b(?:I|let me|we) (?:can |will |would |'d )?(?:like to )?(?:introduce|connect) (?:you|my)|\bI'd like to introduce"
        r"|\bмогу познакомить вас|\bсведу вас|\bхочу познакомить вас"
    )
    return re.search(pattern, text, re.IGNORECASE) is not None


def wanted_introduction(case: Case, near: Nearness = NOTHING_NEAR) -> str:
    """Whom the burst asks to be introduced to, if it does and names somebody."""
    burst = [message.text for message in case.new_messages]
    heard = language_of(" ".join(burst), case.contact.language)
    parts = read_burst(burst, heard, near)
    asked = [part.text for part in parts if part.intent is Intent.INTRODUCTION]
    names = [name for text in asked if not is_offered(text) for name in slots.names(text, heard)]
    return names[0] if names else ""


def find_relation(case: Case, names: Sequence[str]) -> CaseEvidence | None:
    """The relation that leads to somebody of these names: through a colleague first, and in words."""
    relations = [evidence for evidence in case.evidence if evidence.kind == "relationship"]
    for evidence in sorted(
        relations, key=lambda evidence: (not evidence.details.get("via"), not evidence.text)
    ):
        known = f"{evidence.details.get('person', '')} {evidence.details.get('company', '')}"
        if is_named(known, names):
            return evidence
    return None


def is_named(known: str, names: Sequence[str]) -> bool:
    """Whether one of the names, as somebody wrote it, is in a full name."""
    return any(
        is_same_name(word, other) for name in names for word in name.split() for other in known.split()
    )


def search_text(name: str) -> str:
    """What to search for when a name may stand in another case: its first word without the ending."""
    first = name.split()[0]
    is_russian = language_of(first, "") == "ru"
    return first[: max(3, len(stem(first.lower())))] if is_russian else first


def is_same_name(written: str, known: str) -> bool:
    """The same name; a Russian one up to its case ending: `Томасом` and `Томас`."""
    left, right = written.lower().replace("ё", "е"), known.lower().replace("ё", "е")
    if language_of(written, "") == "en":
        return left.removesuffix("'s") == right and len(right) > 2
    shorter = min(len(left), len(right))
    common = next((i for i in range(shorter) if left[i] != right[i]), shorter)
    return shorter >= 3 and common >= max(3, shorter - 2) and max(len(left), len(right)) - common <= 3
