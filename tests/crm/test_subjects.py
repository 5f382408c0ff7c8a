"""The marks before a mail's subject, in whatever language the program that set them speaks."""

import pytest

from crm.conversations.subjects import is_answer, is_marked


@pytest.mark.parametrize(
    "subject", ["Re: price", "RE[2]: price", "Отв: цена", "Ответ: цена", "SV: price", " aw (3) : x"]
)
def test_an_answer_is_one_in_every_language(subject: str) -> None:
    assert is_answer(subject)
    assert is_marked(subject)


@pytest.mark.parametrize("subject", ["Fwd: price", "WG: price", "Пересл: цена"])
def test_what_was_forwarded_answers_nothing(subject: str) -> None:
    assert not is_answer(subject)
    assert is_marked(subject)


@pytest.mark.parametrize("subject", ["", "Price: 5", "Regarding: x", "На складе: 5"])
def test_a_colon_alone_is_no_mark(subject: str) -> None:
    assert not is_marked(subject)
