"""Drafts with a planted fault are flagged before anybody approves them, and honest ones are left alone.

The cases are ours, English and Russian; facts are what the run has read and may trust.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.guard import Source, inspect

CASES = Path(__file__).parent / "data" / "planted_drafts.jsonl"
# What flags each kind of fault; a wrong price is one that nobody trusted has named.
KINDS = {
    "price": {"unsourced_value", "untrusted_value"},
    "name": {"wrong_name"},
    "language": {"language"},
    "promise": {"promise", "unsourced_claim"},
}


@dataclass(frozen=True)
class Talk:
    language: str
    contact: str
    facts: list[str]
    asked: str
    benign: str
    planted: list[dict[str, str]]

    def flags(self, body: str) -> set[str]:
        sources = [Source(fact, "confirmed") for fact in self.facts] + [Source(self.asked, "untrusted")]
        marks = inspect(body, sources, language=self.language, reader=self.contact, spoken=self.language)
        return {mark.kind for mark in marks}


TALKS = [Talk(**json.loads(line)) for line in CASES.read_text("utf-8").splitlines()]


def _faults(kind: str = "") -> Iterator[tuple[Talk, dict[str, str]]]:
    return ((talk, one) for talk in TALKS for one in talk.planted if kind in ("", one["kind"]))


def test_there_are_enough_of_each_kind_in_both_languages() -> None:
    by_kind = {
        (language, kind): sum(talk.language == language for talk, _ in _faults(kind))
        for kind in KINDS
        for language in ("en", "ru")
    }

    assert sum(by_kind.values()) >= 100
    assert min(by_kind.values()) >= 7, by_kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_fault_is_flagged(kind: str) -> None:
    missed = [one["body"] for talk, one in _faults(kind) if not talk.flags(one["body"]) & KINDS[kind]]
    total = len(list(_faults(kind)))

    assert len(missed) <= 0.05 * total, f"{len(missed)} of {total} missed: {missed}"


def test_an_honest_draft_is_left_alone() -> None:
    marked = {talk.benign: flags for talk in TALKS if (flags := talk.flags(talk.benign))}

    assert marked == {}
