"""Whatever people are refused with, they are told in their language."""

import ast

import pytest

from core import filters
from core.errors import AppError, Conflict, Unprocessable
from web import sentences
from web.catalogue import places
from web.i18n import Words
from web.refusals import in_words, refusal_text

RUSSIAN, ENGLISH = Words("ru", "Europe/Moscow"), Words("en", "Europe/Moscow")


def _has_cyrillic(text: str) -> bool:
    return any("а" <= letter <= "я" for letter in text.lower())


@pytest.mark.parametrize("sentence", sorted(sentences.find_sentences()))
def test_every_sentence_that_errors_are_raised_with_is_said_in_russian(sentence: str) -> None:
    detail = sentence % {name: f"{name} 7" for name in places(sentence)}

    assert _has_cyrillic(in_words(detail, RUSSIAN))


def test_the_words_of_every_error_are_found_but_of_those_whose_parts_are_translated_one_by_one() -> None:
    unknown = [(one.place, one.line) for one in sentences.find_raised() if not one.sentence]

    assert {place for place, _ in unknown} == {"crm/pipelines/moves.py"}
    assert len(unknown) == 1


def test_what_a_filter_wants_is_said_in_russian() -> None:
    for wanted in filters._WANTED.values():
        assert _has_cyrillic(in_words(f"employees needs {wanted}.", RUSSIAN).partition("только")[2])


@pytest.mark.parametrize(
    ("err", "said"),
    [
        (Conflict("Another company already has the domain lind.de."), "Домен lind.de уже есть у другой компании."),
        (Unprocessable("'EURO' is no currency; use a code of three letters, as in EUR."),
         "«EURO» — не валюта; укажите код из трёх букв, например EUR."),
        (Unprocessable("Cold is a stage of another pipeline."),
         "Этап «Без ответа» из другой воронки; выберите этап из своей."),
        (Unprocessable("employees needs a number such as 12.5."),
         "Полю «Сотрудники» подходит только число, например 12,5."),
        (Unprocessable("The segment VIP cannot be read. There is no field 'x' to filter by; use one of a, b."),
         "Сегмент «VIP» не прочитать. По полю «x» отбирать нельзя; выберите другое."),
    ],
)  # fmt: skip
def test_values_stay_and_what_the_product_calls_by_a_code_is_said_in_words(err: AppError, said: str) -> None:
    assert refusal_text(err, RUSSIAN) == said
    assert refusal_text(err, ENGLISH) == err.detail


def test_a_text_that_no_error_has_stays_as_it_is() -> None:
    assert in_words("Quota exceeded by 5.", RUSSIAN) == "Quota exceeded by 5."


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("raise Conflict('Gone; stay.')", "Gone; stay."),
        ("raise Conflict(f'{a.name} and {b.name} meet.')", "%(name)s and %(name2)s meet."),
        ("def no(text): return Conflict(text)\nraise no(f'Not {len(x)}.')", "Not %(x)s."),
        ("FORMS = 'Like this.'\nraise Conflict(FORMS)", "Like this."),
        ("raise Conflict(f\"Use {', '.join(known)}.\")", "Use %(known)s."),
        ("raise Conflict(_words(x))", ""),
    ],
)
def test_sentences_are_found_as_the_code_writes_them(code: str, found: str) -> None:
    module = sentences.Module("a.py", ast.parse(code), {"Conflict": False})

    assert [one.sentence for one in module.raised()] == [found]
