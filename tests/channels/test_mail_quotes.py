"""The visible reply of mails of all named programs, in both languages, against what a person would read."""

from pathlib import Path

import pytest

from infra.bench import quotes

FOLDER = Path(__file__).parent / "mails" / "quotes"
AIM = 0.95


def test_the_share_read_right_meets_the_aim() -> None:
    figure = quotes.run(FOLDER).figures["quotes_right"]

    assert figure.n >= 120
    assert figure.value >= AIM


@pytest.mark.parametrize("language", ["en", "ru"])
def test_neither_language_is_behind(language: str) -> None:
    mails = sorted(FOLDER.glob(f"*-{language}-*.eml"))

    right = sum(quotes.is_right(mail, mail.with_suffix(".txt")) for mail in mails)

    assert right >= AIM * len(mails)
    assert len(mails) >= 55
