"""PDF: rows stay rows, pages are known, and what has no text is refused by name."""

from pathlib import Path

import pytest

from infra.seed import price_list
from memory.documents.models import Kind, Refusal, Refused
from memory.documents.parse import parse
from tests.support import papers

RECORDED = Path(price_list.__file__).parent / "documents" / "Price list 2026.pdf"


@pytest.mark.parametrize(
    ("page", "heading", "row"),
    [
        (2, "Subscription, per scanner and month", "25–99 | €20 | €17"),
        (4, "Подписка, за один сканер в месяц", "25–99 | 20 € | 17 €"),
    ],
)
def test_a_row_of_a_price_list_stays_one_line_of_its_page(page: int, heading: str, row: str) -> None:
    parsed = parse("price list.pdf", RECORDED.read_bytes())

    (line,) = [line for line in parsed.lines if line.text == row]
    assert (line.kind, line.page, line.heading) == (Kind.ROW, page, (heading,))
    assert (parsed.pages, parsed.languages) == (4, ("en", "ru"))


def test_heads_and_feet_of_pages_are_left_out() -> None:
    parsed = parse(
        "a.pdf", papers.pdf("First words.", "Second words.", "Third words.", footer="Norrwick, page {}")
    )

    assert [(line.text, line.page) for line in parsed.lines] == [
        ("First words.", 1),
        ("Second words.", 2),
        ("Third words.", 3),
    ]


def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    parsed = parse("a.pdf", papers.encrypted(papers.pdf("Открытый текст."), ""))

    assert [line.text for line in parsed.lines] == ["Открытый текст."]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(papers.encrypted(papers.pdf("Secret."), "hidden"), Refusal.ENCRYPTED, id="password"),
        pytest.param(papers.scanned_pdf(), Refusal.NO_TEXT, id="pictures"),
        pytest.param(papers.long_pdf(501), Refusal.TOO_MANY_PAGES, id="501-pages"),
        pytest.param(papers.pdf("Cut short.")[:700], Refusal.BROKEN, id="cut-short"),
        pytest.param(b"%PDF-1.7\n%%EOF", Refusal.BROKEN, id="nothing-inside"),
    ],
)
def test_a_pdf_that_cannot_be_read_is_refused_by_name(content: bytes, reason: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        parse("a.pdf", content)

    assert refused.value.reason is reason
