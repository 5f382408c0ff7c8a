"""Both languages say everything."""

import pytest

from web import catalogue
from web.i18n import REFUSAL


def test_every_message_is_in_the_catalogue_and_nothing_else() -> None:
    said = {str(message.id) for message in catalogue.extract() if message.id}

    assert {str(message.id) for message in catalogue.read() if message.id} == said


def test_every_message_is_translated() -> None:
    for message in catalogue.read():
        if message.id:
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            assert all(strings), message.id
            assert not message.fuzzy, message.id


def test_plurals_have_their_three_russian_forms() -> None:
    plural = [message for message in catalogue.read() if isinstance(message.id, tuple | list)]

    assert plural
    assert all(message.string and len(message.string) == 3 for message in plural)


@pytest.mark.parametrize("message", [m for m in catalogue.read() if m.id], ids=lambda m: str(m.id)[:40])
def test_a_translation_names_the_same_values(message: catalogue.Message) -> None:
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)

    wanted = catalogue.places(ids[-1])
    if message.context == REFUSAL:  # what is a code, or a list of codes, is no help to readers
        assert all(catalogue.places(string or "") <= wanted for string in strings)
    else:
        assert all(catalogue.places(string or "") == wanted for string in strings)
