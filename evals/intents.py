"""The labelled sentences of sales chats and mails, and how classifiers are judged on them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agents.llm.offline.intents import Intent
from core.languages import Language
from evals.stats import wilson

LANGUAGES: tuple[Language, ...] = ("en", "ru")
# What a sentence can be labelled. The product tells thanks, consent, automatic replies and calls for a person apart
# as well; here they are `other`.
LABELS = (
    Intent.GREETING,
    Intent.PRICE,
    Intent.AVAILABILITY,
    Intent.MEETING,
    Intent.OBJECTION,
    Intent.UNSUBSCRIBE,
    Intent.WRONG_PERSON,
    Intent.INTRODUCTION,
    Intent.COMPLAINT,
    Intent.OTHER,
)
_DATASETS = Path(__file__).parent / "datasets"


@dataclass(frozen=True)
class Sentence:
    text: str
    intent: Intent


def labelled(language: Language, part: Literal["tuning", "test"]) -> list[Sentence]:
    """One part of the sentences of a language."""
    lines = (_DATASETS / f"intents.{language}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Sentence(row["text"], Intent(row["intent"])) for row in rows if row["part"] == part]


@dataclass(frozen=True)
class Judgement:
    """Right labels beside those that a classifier gave, in the same order."""

    right: Sequence[Intent]
    given: Sequence[Intent]

    @property
    def accuracy(self) -> float:
        return sum(map(_is_same, self.right, self.given)) / len(self.right)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the accuracy. Source: Wilson (1927), score interval."""
        return wilson(sum(map(_is_same, self.right, self.given)), len(self.right))

    def recall(self, intent: Intent) -> float:
        asked = [given for right, given in zip(self.right, self.given, strict=True) if right is intent]
        return sum(_is_same(intent, given) for given in asked) / len(asked)

    def f1(self, intent: Intent) -> float:
        claimed = sum(_is_same(intent, given) for given in self.given)
        wanted = sum(right is intent for right in self.right)
        return 2 * self.recall(intent) * wanted / (wanted + claimed)

    @property
    def macro_f1(self) -> float:
        return sum(map(self.f1, LABELS)) / len(LABELS)


def _is_same(right: Intent, given: Intent) -> bool:
    return right is (given if given in LABELS else Intent.OTHER)
