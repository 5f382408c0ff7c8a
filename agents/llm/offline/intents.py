"""What a sentence wants: similarity to examples over stems (tf-idf cosine) and key phrases, joined by its meaning.

`agents/llm/offline/meanings.py` reads the meaning; where it cannot, stems and key phrases decide alone.
"""

import heapq
import itertools
import math
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources

from agents.text import sentences
from core.languages import Language, language_of, stems


class Intent(StrEnum):
    GREETING = "greeting"
    PRICE = "price"
    AVAILABILITY = "availability"
    MEETING = "meeting"
    OBJECTION = "objection"
    UNSUBSCRIBE = "unsubscribe"
    WRONG_PERSON = "wrong_person"
    INTRODUCTION = "introduction"
    COMPLAINT = "complaint"
    INTERESTED = "interested"
    THANKS = "thanks"
    HUMAN = "human"
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


ASKING = frozenset({Intent.PRICE, Intent.AVAILABILITY, Intent.MEETING, Intent.INTRODUCTION})

# Sentences of a burst, each with how near its meaning is to each intent, about 0 to 1.
Nearness = Mapping[str, Mapping[Intent, float]]
NOTHING_NEAR: Nearness = {}

_THRESHOLD = 0.36
_KEY_BONUS = 0.45
_MORE_KEYS_BONUS = 0.12
# The part of the stems' score beside nearness in meaning; chosen with the rest of `meanings`.
_STEMS_SHARE = 0.4
_JOINED_THRESHOLD = 0.3
_NEGATIONS = frozenset({"not", "no", "don't", "didn't", "не", "нет", "ни"})


@dataclass(frozen=True)
class Part:
    """One sentence of a burst and one thing that it wants; `message` is the position of its message in the burst."""

    intent: Intent
    text: str
    message: int
    score: float


@dataclass(frozen=True)
class Score:
    intent: Intent
    value: float
    has_key: bool


def read_burst(messages: Sequence[str], language: Language, near: Nearness = NOTHING_NEAR) -> list[Part]:
    """Every intent of every sentence of a burst, in the order in which they were written."""
    parts: list[Part] = []
    for position, message in enumerate(messages):
        for sentence in sentences(message):
            found = classify(sentence, language_of(sentence, language), near.get(sentence))
            parts += [Part(score.intent, sentence, position, score.value) for score in found]
    return parts


def classify(sentence: str, language: Language, near: Mapping[Intent, float] | None = None) -> list[Score]:
    """The best intent of a sentence, and every other thing that it asks for by a key phrase."""
    tokens = stems(sentence)
    if not tokens:
        return [Score(Intent.THANKS, 1.0, False)]  # an emoji or a smile answers, and asks nothing
    by_stems = _model(language).scores(tokens)
    best = _best(by_stems, _THRESHOLD) if near is None else _joined(by_stems, near)
    also = [
        score
        for score in sorted(by_stems, key=lambda score: -score.value)
        if score.has_key and score.intent in ASKING - {best.intent} and score.value >= _THRESHOLD
    ]
    return [best, *also] if best.intent in ASKING else [best]


def _joined(by_stems: list[Score], near: Mapping[Intent, float]) -> Score:
    """What meaning and stems say together."""
    joined = [replace(score, value=near[score.intent] + _STEMS_SHARE * score.value) for score in by_stems]
    return _best(joined, _JOINED_THRESHOLD)


def _best(scores: list[Score], threshold: float) -> Score:
    """A sentence that is like none of the examples is about something else."""
    best = max(scores, key=lambda score: score.value)
    return best if best.value >= threshold else Score(Intent.OTHER, best.value, False)


@dataclass(frozen=True)
class _Model:
    """Examples and key phrases of one language; `postings` lead from a feature to (example, weight)."""

    idf: dict[str, float]
    unseen: float
    intents: list[Intent]
    postings: dict[str, list[tuple[int, float]]]
    keys: dict[Intent, list[tuple[str, ...]]]

    def scores(self, tokens: list[str]) -> list[Score]:
        """Every intent by how near its nearest examples are, and by its key phrases."""
        cosines: dict[Intent, list[float]] = {intent: [0.0, 0.0, 0.0] for intent in Intent}
        near: dict[int, float] = defaultdict(float)
        for feature, weight in _weighed(_features(tokens), self.idf, self.unseen).items():
            for example, other in self.postings.get(feature, ()):
                near[example] += weight * other
        for example, cosine in near.items():
            cosines[self.intents[example]].append(cosine)
        text = f" {' '.join(tokens)} "
        return [self._score(intent, cosines[intent], tokens, text) for intent in Intent]

    def _score(self, intent: Intent, cosines: list[float], tokens: list[str], text: str) -> Score:
        best = heapq.nlargest(3, cosines)
        hits = sum(f" {' '.join(key)} " in text and _contains(tokens, key) for key in self.keys[intent])
        bonus = _KEY_BONUS + _MORE_KEYS_BONUS * (hits - 1) if hits else 0.0
        return Score(intent, 0.7 * best[0] + 0.1 * sum(best) + bonus, hits > 0)


@cache
def _model(language: Language) -> _Model:
    raw = tomllib.loads(resources.files(__package__).joinpath(f"intents.{language}.toml").read_text("utf-8"))
    texts = {intent: [_features(stems(text)) for text in raw[intent]["examples"]] for intent in Intent}
    seen = Counter(token for examples in texts.values() for tokens in examples for token in set(tokens))
    total = sum(len(examples) for examples in texts.values())
    idf = {token: math.log((1 + total) / (1 + count)) + 1 for token, count in seen.items()}
    unseen = max(idf.values())
    intents: list[Intent] = []
    postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for intent, examples in texts.items():
        for features in examples:
            for feature, weight in _weighed(features, idf, unseen).items():
                postings[feature].append((len(intents), weight))
            intents.append(intent)
    keys = {intent: [tuple(stems(key)) for key in raw[intent]["key"]] for intent in Intent}
    return _Model(idf, unseen, intents, dict(postings), keys)


def warm_up() -> None:
    """Load both languages now, so that the first message does not wait for it."""
    for language in ("en", "ru"):
        _model(language)


def _features(tokens: list[str]) -> list[str]:
    """Stems and pairs of neighbours; numbers are all one word."""
    plain = ["#" if re.fullmatch(r"\d+", token) else token for token in tokens]
    return plain + [f"{first} {second}" for first, second in itertools.pairwise(plain)]


def _weighed(features: list[str], idf: dict[str, float], unseen: float) -> dict[str, float]:
    # A pair of words says more than each of them, and is rarer: at half weight it helps without ruling.
    weights = {
        feature: count * idf.get(feature, unseen * 0.6) * (0.5 if " " in feature else 1.0)
        for feature, count in Counter(features).items()
        if feature in idf or " " not in feature
    }
    norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {feature: weight / norm for feature, weight in weights.items()}


def _contains(tokens: list[str], key: tuple[str, ...]) -> bool:
    """The key stands in the sentence and is not denied right before it."""
    for start in range(len(tokens) - len(key) + 1):
        if tuple(tokens[start : start + len(key)]) == key:
            return start == 0 or key[0] in _NEGATIONS or tokens[start - 1] not in _NEGATIONS
    return False
