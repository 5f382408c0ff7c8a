"""Who asks us to stop is understood in both languages, and nobody else is."""

import pytest

from crm.contacts.consent import asks_to_stop


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop.", "Unsubscribe!", "/stop", "Стоп", "отпишите меня, пожалуйста", "Не пишите мне больше."],
)
def test_a_request_to_stop_is_heard(text: str) -> None:
    assert asks_to_stop(text)


@pytest.mark.parametrize(
    "text", ["stop by on Thursday", "can the scanner stop?", "стоп-лист пришлите", "не пишите код сами", ""]
)
def test_other_words_are_not_a_request_to_stop(text: str) -> None:
    assert not asks_to_stop(text)
