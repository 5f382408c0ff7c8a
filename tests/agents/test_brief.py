"""What a model with little room is shown: what fits, the newest first, and nothing that the team keeps to itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.inbox.brief import brief, draft_schema, fitted, triage_schema
from agents.inbox.contract import Case, CaseContact, CaseEvidence, CaseMessage
from agents.inbox.echo import is_echo, is_greeting
from agents.llm.offline.triage import triage
from core.tokens import estimated_tokens

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def _message(n: int, text: str, author: str = "contact") -> CaseMessage:
    return CaseMessage.model_validate({"n": n, "author": author, "text": text, "at": NOW})


def _fact(n: int, text: str, kind: str = "fact", predicate: str = "price") -> CaseEvidence:
    return CaseEvidence(
        n=n,
        kind=kind,
        id="7",
        label="Price list",
        text=text,
        trust="confirmed",
        details={"predicate": predicate},
    )


def _case(text: str = "Сколько стоит?", **more: object) -> Case:
    contact = CaseContact(id="1", name="Vera Lind", language="en")
    return Case.model_validate({"now": NOW, "contact": contact, "new_messages": (_message(1, text),), **more})


def test_a_small_case_stays_as_it_is() -> None:
    case = _case(history=(_message(2, "Hello", "us"),), evidence=(_fact(3, "€17"),))

    assert fitted(case, 5000) == case


@pytest.mark.parametrize("letter", ["x", "ы"])
def test_a_long_case_is_cut_to_what_fits_and_keeps_the_newest(letter: str) -> None:
    history = tuple(_message(n, f"{n} {letter * 500}") for n in range(2, 40))
    evidence = tuple(_fact(n, letter * 400) for n in range(40, 90))
    case = _case(history=history, evidence=evidence)

    small = fitted(case, 5000)

    assert estimated_tokens(small.model_dump_json()) <= 5000
    assert small.new_messages == case.new_messages
    assert small.evidence[0].n == 40
    assert small.history[-1].n == 39


def test_a_message_that_is_too_long_for_the_whole_room_is_cut_and_not_dropped() -> None:
    small = fitted(_case("слово " * 20_000), 3000)

    assert estimated_tokens(small.model_dump_json()) <= 3000
    assert small.new_messages[0].text.startswith("слово")


def test_a_small_model_is_not_shown_what_the_team_keeps_to_itself() -> None:
    evidence = (
        _fact(2, "Стоит €17 в месяц"),
        _fact(3, "Budget is 9000", predicate="budget"),
        _fact(4, "8160 EUR, Proposal", kind="deal"),
    )

    shown = brief(_case(evidence=evidence), with_evidence=True)

    assert "[2] Price list: Стоит €17 в месяц" in shown.text
    assert "9000" not in shown.text
    assert "8160" not in shown.text
    assert shown.numbers == (1, 2)


def test_the_language_follows_what_was_written_and_not_the_card() -> None:
    shown = brief(_case(), with_evidence=False)

    assert shown.language == "ru"
    assert shown.text.rstrip().endswith("Language: Russian")


def test_a_draft_can_cite_only_numbers_that_there_are() -> None:
    case = _case(evidence=(_fact(2, "Стоит €17"),))

    schema = draft_schema(brief(case, with_evidence=True), triage(case))

    assert '"enum": [1, 2]' in str(schema).replace("'", '"')


def test_a_decision_for_a_person_brings_its_reason() -> None:
    choices: Any = triage_schema(brief(_case(), with_evidence=False), triage(_case()))["oneOf"]

    answering, notifying = (choice["properties"]["hand_off"] for choice in choices)
    assert answering == {"type": "null"}
    assert "reason" in notifying["properties"]


@pytest.mark.parametrize(
    ("said", "is_repeated"),
    [
        ("Я хотел бы попробовать несколько сканеров до покупки.", True),
        ("Да, первый месяц вы можете работать с пятью сканерами бесплатно.", False),
        ("Понимаю.", False),
    ],
)
def test_a_sentence_that_only_repeats_the_contact_is_found(said: str, is_repeated: bool) -> None:
    assert is_echo(said, ["Здравствуйте! Можно попробовать несколько сканеров до покупки?"]) is is_repeated


@pytest.mark.parametrize(
    ("said", "is_nothing_more"),
    [
        ("Здравствуйте, Vera Lind!", True),
        ("Hello!", True),
        (" ", True),
        ("Hello Vera, 40 scanners cost €17 each.", False),
        ("Да.", False),
    ],
)
def test_a_greeting_alone_is_found(said: str, is_nothing_more: bool) -> None:
    assert is_greeting(said) is is_nothing_more


def test_what_calls_for_a_person_leaves_a_small_model_no_other_decision() -> None:
    case = _case("Не пишите мне больше.")

    choices: Any = triage_schema(brief(case, with_evidence=False), triage(case))["oneOf"]

    assert [choice["properties"]["decision"] for choice in choices] == [{"const": "notify"}]


def test_a_small_model_is_shown_the_facts_that_belong_to_the_question() -> None:
    evidence = (
        _fact(2, "Сканеры доставляются за 10 рабочих дней"),
        _fact(3, "Сканы хранятся в устройстве до 14 дней, пока нет связи"),
    )

    shown = brief(_case("Что будет, если пропадёт связь?", evidence=evidence), with_evidence=True)

    assert shown.numbers == (1, 3)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Здравствуйте! Есть ли интеграция с 1С?", "уточню и вернусь"),
        ("Можно показать продукт в четверг в 10?", "Уточню время"),
    ],
)
def test_asked_for_what_no_fact_answers_a_small_model_can_only_say_that_it_will_be_checked(
    asked: str, said: str
) -> None:
    case = _case(asked, evidence=(_fact(2, "Стоит €17"),))

    schema: Any = draft_schema(brief(case, with_evidence=True), triage(case))

    assert said in schema["properties"]["sentences"]["items"]["properties"]["text"]["const"]
