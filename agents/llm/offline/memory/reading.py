"""Reads a talk as the prompt of the memory writer asks, without a language model."""

from agents.llm.offline.memory.facts import facts_of
from agents.llm.offline.memory.promises import kept_of, promises_of
from agents.memory_writer.contract import Found, FoundFact, FoundPromise, Talk

MOST_FACTS, MOST_PROMISES = 12, 6


def read_talk(talk: Talk) -> Found:
    """What the new lines say; what is known already is found again only where it changed."""
    facts: list[FoundFact] = []
    promises: list[FoundPromise] = []
    for line in talk.lines:
        if not line.is_new:
            continue
        if line.author == "contact":
            facts = _with(facts, facts_of(line, talk.known))
        promises += promises_of(line)
    kept = [one for one in (kept_of(promise, talk.lines) for promise in talk.promises) if one is not None]
    return Found(facts=facts[-MOST_FACTS:], promises=promises[-MOST_PROMISES:], kept=kept[:MOST_PROMISES])


def _with(found: list[FoundFact], more: list[FoundFact]) -> list[FoundFact]:
    """Of the same respect the contact's last word counts, within one talk."""
    again = {one.predicate for one in more}
    return [*(one for one in found if one.predicate not in again), *more]
