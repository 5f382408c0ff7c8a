"""Plain text and Markdown in both languages: lines, headings, tables and their places."""

import pytest

from memory.documents.models import Kind, Refusal, Refused
from memory.documents.parse import parse

RUSSIAN = "Доставка\n\nПривозим в течение пяти рабочих дней.\nСамовывоз со склада в Твери.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251", "koi8-r", "cp866"])
def test_a_russian_text_is_read_whatever_its_encoding(encoding: str) -> None:
    parsed = parse("доставка.txt", RUSSIAN.encode(encoding))

    assert [line.text for line in parsed.lines] == [
        "Привозим в течение пяти рабочих дней.",
        "Самовывоз со склада в Твери.",
    ]
    assert parsed.languages == ("ru",)


def test_a_line_knows_its_number_and_the_heading_above_it() -> None:
    parsed = parse(
        "delivery.txt", b"DELIVERY\nWithin five days.\n\n1. Returns\n\nWithin two weeks,\nif unopened.\n"
    )

    assert [(line.text, line.number, line.heading) for line in parsed.lines] == [
        ("Within five days.", 2, ("DELIVERY",)),
        ("Within two weeks, if unopened.", 6, ("1. Returns",)),
    ]


def test_columns_of_a_text_become_rows_under_their_header() -> None:
    parsed = parse("prices.txt", "Сканеров   Цена\n1–9        26 €\n10–24      23 €\n".encode())

    assert [(line.kind, line.text) for line in parsed.lines] == [
        (Kind.HEADER, "Сканеров | Цена"),
        (Kind.ROW, "1–9 | 26 €"),
        (Kind.ROW, "10–24 | 23 €"),
    ]


def test_markdown_keeps_the_path_of_headings_and_the_words_of_links() -> None:
    text = "# Scanners\n\nSee [the **manual**](https://x.example/m).\n\n## Battery\n\n- lasts *two* shifts\n- charges in 1 h\n"

    parsed = parse("scanners.md", text.encode())

    assert [(line.text, line.number, line.heading) for line in parsed.lines] == [
        ("See the manual.", 3, ("Scanners",)),
        ("lasts two shifts", 7, ("Scanners", "Battery")),
        ("charges in 1 h", 8, ("Scanners", "Battery")),
    ]


def test_a_markdown_table_has_a_header_and_rows() -> None:
    parsed = parse("p.md", "Цены\n====\n\n| Штук | Цена |\n|---|---|\n| 1–9 | 26 € |\n".encode())

    assert [(line.kind, line.text, line.heading) for line in parsed.lines] == [
        (Kind.HEADER, "Штук | Цена", ("Цены",)),
        (Kind.ROW, "1–9 | 26 €", ("Цены",)),
    ]


def test_settings_and_comments_of_a_markdown_file_are_not_read() -> None:
    parsed = parse("p.md", b"---\ntitle: secret\n---\n<!-- note -->\nHello there.\n")

    assert [(line.text, line.number) for line in parsed.lines] == [("Hello there.", 5)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("prices.xlsx", b"PK\x03\x04broken", Refusal.BROKEN),
        ("photo.png", b"\x89PNG\r\n\x1a\n", Refusal.UNKNOWN_TYPE),
        ("program.txt", b"MZ\0\0\0", Refusal.UNKNOWN_TYPE),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Refusal.OLD_WORD),
        ("letter.rtf", b"{\\rtf1 hello}", Refusal.UNKNOWN_TYPE),
        ("empty.txt", b"  \n\n", Refusal.EMPTY),
        ("empty.pdf", b"", Refusal.EMPTY),
        ("not.pdf", b"hello", Refusal.BROKEN),
    ],
)
def test_what_is_no_document_is_refused_by_name(name: str, content: bytes, reason: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        parse(name, content)

    assert refused.value.reason is reason
