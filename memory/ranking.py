"""Puts candidates in order: one linear blend of what speaks for each, with weights fitted on LoCoMo.

The weights come from a fit by maximum likelihood on the development half of LoCoMo, rounded; leaving out one of its
five conversations at a time gives the same recall within a point.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from memory import words
from memory.search import Candidate, Speaker
from memory.words import Dates

# An episode is as good as its best turns.
_EPISODE_BEST = 3
WEIGHTS = {
    "meaning": 0.8,
    "words": 0.25,
    "episode_meaning": 0.7,
    "episode_words": 0.3,
    "is_speaker": 2.5,
    "is_dated": 3.0,
    "is_just_past": 2.1,
    "is_time_for_when": 2.0,
    "is_question": -0.7,
    "follows_question": 0.35,
    "length": 0.4,
    # LoCoMo has one conversation a tenant, so these two were set by hand
    "is_contact": 1.0,
    "nearness": 1.0,
}


@dataclass(frozen=True)
class Question:
    """What was asked, taken apart. `near` gives people around the contact a weight between 0 and 1."""

    text: str
    terms: tuple[str, ...]
    speakers: frozenset[str]
    dates: Dates
    asks_when: bool
    contact_id: UUID | None = None
    near: Mapping[UUID, float] = field(default_factory=dict)


def capitalised_stems(question: str) -> list[str]:
    """Stems of the words that may be names; a question word that opens the question is none."""
    first, *later = question.split() or [""]
    opening = [first] if words.stems(first) else []
    marked = [word for word in opening + later if any(letter.isupper() for letter in word[:2])]
    return [words.stem(word) for part in marked for word in words.words(part)]


def understand(
    text: str,
    named: Sequence[Speaker],
    *,
    contact_id: UUID | None = None,
    near: Mapping[UUID, float] | None = None,
) -> Question:
    """Take a question apart. A name in it says whose words are meant, and is no word to look for: the other one
    says it."""
    by_stem: dict[str, set[str]] = defaultdict(set)
    for one in named:
        by_stem[one.stem].add(one.speaker)
    meant = set.intersection(*by_stem.values()) if by_stem else set()
    return Question(
        text=words.without(text, by_stem),
        terms=tuple(dict.fromkeys(stem for stem in words.stems(text) if stem not in by_stem)),
        speakers=frozenset(meant),
        dates=words.dates_in(text),
        asks_when=words.asks_when(text),
        contact_id=contact_id,
        near=near or {},
    )


def rank(question: Question, candidates: Sequence[Candidate]) -> list[tuple[Candidate, float]]:
    """The candidates with their scores, the best first."""
    if not candidates:
        return []
    scores = features(question, candidates) @ np.array(list(WEIGHTS.values()))
    order = np.argsort(-scores, kind="stable")
    return [(candidates[place], float(scores[place])) for place in order]


def features(question: Question, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """What speaks for each candidate: one row each, a column for every weight."""
    meaning = _best_of_episodes(candidates, [one.meaning for one in candidates])
    lexical = _best_of_episodes(candidates, [one.words for one in candidates])
    return np.array(
        [
            (
                one.meaning,
                one.words,
                meaning[one.thread_id, one.episode],
                lexical[one.thread_id, one.episode],
                one.speaker in question.speakers,
                question.dates.holds(one.occurred_at),
                question.dates.is_just_past(one.occurred_at),
                question.asks_when and one.names_time,
                one.is_question,
                one.follows_question,
                math.log1p(one.length),
                question.contact_id is not None and one.contact_id == question.contact_id,
                question.near.get(one.contact_id, 0.0) if one.contact_id else 0.0,
            )
            for one in candidates
        ],
        np.float64,
    )


def _best_of_episodes(
    candidates: Sequence[Candidate], values: Sequence[float]
) -> dict[tuple[UUID, int], float]:
    """The mean of the best values of each episode."""
    found: dict[tuple[UUID, int], list[float]] = defaultdict(list)
    for one, value in zip(candidates, values, strict=True):
        found[one.thread_id, one.episode].append(value)
    return {
        episode: sum(sorted(of_it)[-_EPISODE_BEST:]) / min(len(of_it), _EPISODE_BEST)
        for episode, of_it in found.items()
    }
