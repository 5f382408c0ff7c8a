"""What is answered, what goes to a person, what is left alone."""

import pytest

from agents.llm.offline.triage import triage
from tests.support.cases import case


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("stop", "customer_request"),
        ("please remove me from your list", "customer_request"),
        ("стоп", "customer_request"),
        ("Отпишите меня", "customer_request"),
        ("позовите человека", "customer_request"),
        ("are you a bot?", "customer_request"),
        ("This is unacceptable, nobody answers", "policy_restriction"),
        ("Хочу пожаловаться", "policy_restriction"),
    ],
)
def test_some_messages_need_a_person(line: str, reason: str) -> None:
    answer = triage(case("How much is it?", line))

    assert answer.decision == "notify"
    assert answer.hand_off is not None
    assert answer.hand_off.reason == reason
    assert line in answer.hand_off.summary
    assert answer.hand_off.next_step


@pytest.mark.parametrize(
    "line",
    [
        "thanks!",
        "ok",
        "👍",
        "спасибо",
        "Ок, понял",
        "I am out of office until Monday",
        "Я в отпуске до 5 мая",
    ],
)
def test_some_messages_need_no_answer(line: str) -> None:
    assert triage(case(line)).decision == "ignore"


@pytest.mark.parametrize("line", ["Thanks! And the price?", "Спасибо, а когда привезёте?", "Hello", "test"])
def test_everything_else_is_answered(line: str) -> None:
    assert triage(case(line)).decision == "answer"


def test_a_file_with_thanks_is_answered() -> None:
    assert triage(case("thanks", files=("contract.pdf",))).decision == "answer"


def test_a_colleague_who_wants_a_new_draft_gets_one() -> None:
    assert triage(case("thanks", feedback="shorter")).decision == "answer"
