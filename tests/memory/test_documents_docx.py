"""DOCX: headings, tables, and packages that are heavier than they look."""

import time

import pytest

from memory.documents.models import Kind, Refusal, Refused
from memory.documents.parse import parse
from tests.support import papers


@pytest.mark.parametrize(
    ("title", "text", "head", "language"),
    [
        ("Prices", "Without VAT.", ("Scanners", "Price"), "en"),
        ("Цены", "Без НДС.", ("Сканеров", "Цена"), "ru"),
    ],
)
def test_a_document_has_headings_and_rows(
    title: str, text: str, head: tuple[str, str], language: str
) -> None:
    parsed = parse("p.docx", papers.word(title, text, (head, ("1–9", "26 €"))))

    assert [(line.kind, line.text, line.heading) for line in parsed.lines] == [
        (Kind.TEXT, text, (title,)),
        (Kind.HEADER, " | ".join(head), (title, "2026")),
        (Kind.ROW, "1–9 | 26 €", (title, "2026")),
    ]
    assert parsed.languages == (language,)


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    bomb = papers.zip_bomb(megabytes=200)
    began = time.perf_counter()

    with pytest.raises(Refused) as refused:
        parse("bomb.docx", bomb)

    assert refused.value.reason is Refusal.TOO_LARGE_INSIDE
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        pytest.param("prices.docx", papers.spreadsheet(), Refusal.UNKNOWN_TYPE, id="spreadsheet"),
        pytest.param("p.docx", papers.word("A", "B", (("c",),))[:-200], Refusal.BROKEN, id="cut-short"),
        pytest.param("p.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Refusal.ENCRYPTED, id="password"),
    ],
)
def test_a_package_that_is_no_document_is_refused(name: str, content: bytes, reason: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        parse(name, content)

    assert refused.value.reason is reason
