"""The memory bench reads LoCoMo's format, its uncleaned evidence too, and prints a figure a category."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.bench import memory as bench

SAMPLE: dict[str, Any] = {
    "conversation": {
        "speaker_a": "Лена",
        "speaker_b": "Виктор",
        "session_2_date_time": "9:40 am on 3 March, 2025",
        "session_2": [{"speaker": "Виктор", "dia_id": "D2:1", "text": "Сканеры пришли вчера, все сорок."}],
        "session_1_date_time": "1:56 pm on 8 February, 2025",
        "session_1": [
            {"speaker": "Лена", "dia_id": "D1:1", "text": "Чем пользуются сборщики?"},
            {
                "speaker": "Виктор",
                "dia_id": "D1:2",
                "text": "Бумагой и карандашом.",
                "blip_caption": "a list",
            },
        ],
        "session_3_date_time": "1:56 pm on 8 April, 2025",
        "session_3": None,
    },
    "qa": [
        {"question": "Когда пришли сканеры?", "evidence": ["D2:1; D9:17"], "category": 2},
        {"question": "Чем писали сборщики?", "evidence": ["D1:2", "D1:2"], "category": 4},
        {"question": "Что он ел?", "evidence": [], "category": 4},
        {"question": "Чем писала Лена?", "evidence": ["D01:05"], "category": 5},
    ],
}


def test_turns_are_read_in_the_order_of_their_sessions() -> None:
    turns = bench._sample(SAMPLE).turns

    assert [turn.id for turn in turns] == ["D1:1", "D1:2", "D2:1"]
    assert turns[1].at == datetime(2025, 2, 8, 13, 57, tzinfo=UTC)
    assert turns[1].text == "Бумагой и карандашом. [a list]"


def test_only_evidence_that_names_a_turn_counts() -> None:
    asked = bench._sample(SAMPLE).questions

    assert [(question.category, question.evidence) for question in asked] == [
        ("temporal", frozenset({"D2:1"})),
        ("single_hop", frozenset({"D1:2"})),
    ]


@pytest.mark.full
def test_the_bench_prints_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "sample.json"
    file.write_text(json.dumps([SAMPLE, SAMPLE]))

    figures = bench.run(file).figures

    assert {"all_at_5", "temporal_at_5", "single_hop_at_20", "recall_p95", "turns_per_second"} <= set(figures)
    assert (figures["all_at_5"].value, figures["all_at_5"].n) == (1.0, 4)
    assert figures["foreign_results"].value == 0
