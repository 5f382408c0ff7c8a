"""One home for two questions: which language is this, and what is a word without its endings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.languages import language_of, language_of_document, language_of_sender, stem, stems, words


@pytest.mark.parametrize(
    ("text", "message", "document", "sender"),
    [
        ("Привет", "ru", "ru", "ru"),
        ("Hello", "en", "en", "en"),
        ("", "en", "en", "en"),
        ("Да, MX-9", "en", "ru", "en"),
        ("Смотрите https://example.com/pl", "en", "en", "en"),
        ("Смотрите acme.io", "ru", "ru", "ru"),
        ("Счётчик Zebra CT", "en", "ru", "ru"),
    ],
)
def test_the_letters_decide_as_it_suits_the_kind_of_text(
    text: str, message: str, document: str, sender: str
) -> None:
    decided = (language_of(text, "en"), language_of_document(text), language_of_sender(text))

    assert decided == (message, document, sender)


@pytest.mark.parametrize("text", ["👍", "12:30", "a"])
def test_where_letters_do_not_tell_the_default_does(text: str) -> None:
    assert (language_of(text, "ru-RU"), language_of_sender(text, "ru-RU")) == ("ru", "ru")
    assert (language_of(text, ""), language_of_sender(text, "")) == ("en", "en")


def test_a_short_latin_line_may_be_a_name_and_a_long_one_is_english() -> None:
    assert language_of_sender("Anna Lind", "ru") == "ru"
    assert language_of_sender("Anna Lind writes to you", "ru") == "en"


@given(st.text(max_size=60))
def test_every_text_has_a_language_and_as_many_stems_as_words(text: str) -> None:
    assert {language_of(text, "en"), language_of_document(text), language_of_sender(text)} <= {"en", "ru"}
    assert len(stems(text)) == len(words(text))


def test_words_are_lower_case_and_yo_is_ye() -> None:
    assert words("Ёлки, don’t MX-9") == ["елки", "don't", "mx", "9"]


def test_each_word_is_stemmed_in_the_language_of_its_script() -> None:
    assert stems("Сканеры scanners") == [stem("сканер"), stem("scanner")]
