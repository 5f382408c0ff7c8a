"""The offline model's intents on a labelled set that its examples were not taken from."""

import json
from pathlib import Path

import pytest

from agents.llm.offline.intents import Intent, classify, read_burst
from agents.text import sentences
from core.languages import Language, language_of

LABELLED = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "intents.jsonl").read_text(encoding="utf-8").splitlines()
]
FLOOR = 0.92


@pytest.mark.parametrize("language", ["en", "ru"])
def test_intents_of_the_labelled_set_are_recognised(language: Language) -> None:
    rows = [row for row in LABELLED if row["lang"] == language]

    right = sum(classify(row["text"], language)[0].intent == row["intent"] for row in rows)

    assert len(rows) >= 60
    assert right / len(rows) >= FLOOR


@pytest.mark.parametrize("language", ["en", "ru"])
def test_nobody_who_asks_to_be_left_alone_or_for_a_person_is_missed(language: Language) -> None:
    rows = [row for row in LABELLED if row["lang"] == language and row["intent"] in ("unsubscribe", "human")]

    assert [classify(row["text"], language)[0].intent for row in rows] == [row["intent"] for row in rows]


def test_a_burst_keeps_every_intent_in_order() -> None:
    parts = read_burst(["Hi Mira, how much for 40 scanners?", "Can we talk on Thursday?"], "en")

    assert [part.intent for part in parts] == [Intent.GREETING, Intent.PRICE, Intent.MEETING]
    assert [part.message for part in parts] == [0, 0, 1]


def test_one_sentence_may_ask_for_two_things() -> None:
    intents = {score.intent for score in classify("Какая цена и можно ли созвониться завтра?", "ru")}

    assert {Intent.PRICE, Intent.MEETING} <= intents


def test_an_emoji_asks_for_nothing() -> None:
    assert classify("👍", "en")[0].intent is Intent.THANKS


@pytest.mark.parametrize(
    ("text", "default", "language"),
    [
        ("Привет", "en", "ru"),
        ("Hello", "ru", "en"),
        ("👍", "ru", "ru"),
        ("Можно demo?", "en", "ru"),
        ("12:30", "ru-RU", "ru"),
    ],
)
def test_the_script_decides_the_language(text: str, default: str, language: str) -> None:
    assert language_of(text, default) == language


def test_a_greeting_in_front_stands_alone() -> None:
    assert sentences("Здравствуйте! Сколько стоит?") == ["Здравствуйте!", "Сколько стоит?"]
    assert sentences("Hi Mira, how much is it?") == ["Hi Mira,", "how much is it?"]
