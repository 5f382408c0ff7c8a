"""The two memory sets are one set in two languages: same turns, same questions, same evidence."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

DATASETS = Path(__file__).parents[2] / "evals" / "datasets"
ENGLISH, RUSSIAN = (
    json.loads((DATASETS / f"memory_twins.{language}.json").read_text(encoding="utf-8"))
    for language in ("en", "ru")
)
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


def turns(sample: dict[str, Any]) -> list[dict[str, str]]:
    """All turns of a sample, session by session."""
    conversation = sample["conversation"]
    numbers = range(1, 100)
    return [turn for number in numbers for turn in conversation.get(f"session_{number}", [])]


def test_the_sets_are_large_enough_to_measure_with() -> None:
    assert len(ENGLISH) >= 4
    assert sum(len(turns(sample)) for sample in ENGLISH) >= 600
    assert sum(len(sample["qa"]) for sample in ENGLISH) >= 160
    asked = Counter(question["category"] for sample in ENGLISH for question in sample["qa"])
    assert set(asked) == {1, 2, 3, 4, 5}
    assert min(asked.values()) >= 15


def test_both_languages_hold_the_same_turns_by_the_same_speakers() -> None:
    assert len(ENGLISH) == len(RUSSIAN)
    for english, russian in zip(ENGLISH, RUSSIAN, strict=True):
        assert english["sample_id"] == russian["sample_id"]
        assert _shape(english) == _shape(russian)


def test_both_languages_ask_the_same_questions_of_the_same_evidence() -> None:
    for english, russian in zip(ENGLISH, RUSSIAN, strict=True):
        assert [(question["category"], question["evidence"]) for question in english["qa"]] == [
            (question["category"], question["evidence"]) for question in russian["qa"]
        ]


@pytest.mark.parametrize("samples", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_every_piece_of_evidence_exists_once(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        ids = [turn["dia_id"] for turn in turns(sample)]
        assert len(set(ids)) == len(ids)
        for question in sample["qa"]:
            assert question["evidence"]
            assert set(question["evidence"]) <= set(ids), question["question"]


@pytest.mark.parametrize("samples", [ENGLISH, RUSSIAN], ids=["en", "ru"])
def test_no_text_is_written_twice(samples: list[dict[str, Any]]) -> None:
    for sample in samples:
        texts = [turn["text"] for turn in turns(sample)]
        questions = [question["question"] for question in sample["qa"]]
        assert len(set(texts)) == len(texts)
        assert len(set(questions)) == len(questions)


def test_each_file_is_in_its_own_language() -> None:
    english = [turn["text"] for sample in ENGLISH for turn in turns(sample)]
    russian = [turn["text"] for sample in RUSSIAN for turn in turns(sample)]

    assert not [text for text in english if CYRILLIC.search(text)]
    assert not [text for text in russian if not CYRILLIC.search(text)]


def _shape(sample: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """What a translation must keep: the sessions' times, the order of turns, who speaks."""
    conversation = sample["conversation"]
    dates = [(key, value, True) for key, value in conversation.items() if key.endswith("_date_time")]
    return dates + [
        (turn["dia_id"], "", turn["speaker"] == conversation["speaker_a"]) for turn in turns(sample)
    ]
