"""Chunks follow the structure of a document, and reading happens in a process of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.documents import reader
from memory.documents.chunks import CHARACTERS, chunks_of
from memory.documents.models import Kind, Line, Refusal, Refused
from tests.support import papers


def test_each_part_of_a_long_table_begins_with_its_header() -> None:
    header = Line("Scanners | Price", 1, Kind.HEADER)
    rows = [
        Line(f"{n * 10}–{n * 10 + 9} scanners of the second series | €{n}", n, Kind.ROW) for n in range(1, 90)
    ]

    chunks = chunks_of((header, *rows))

    assert len(chunks) > 2
    assert all(chunk.text.startswith("Scanners | Price\n") for chunk in chunks)
    assert [row for chunk in chunks for row in chunk.text.split("\n")[1:]] == [row.text for row in rows]


def test_a_chunk_never_crosses_a_heading_or_a_page() -> None:
    lines = (
        Line("One.", 1, page=1, heading=("A",)),
        Line("Two.", 2, page=2, heading=("A",)),
        Line("Три.", 3, page=2, heading=("Б",)),
    )

    assert [(c.text, c.page, c.heading, c.language) for c in chunks_of(lines)] == [
        ("One.", 1, ("A",), "en"),
        ("Two.", 2, ("A",), "en"),
        ("Три.", 2, ("Б",), "ru"),
    ]


@given(st.lists(st.text("абвгд .!", min_size=1, max_size=3000), min_size=1, max_size=12))
def test_no_word_is_lost_and_no_chunk_is_long(texts: list[str]) -> None:
    lines = tuple(Line(text, n) for n, text in enumerate(texts, start=1))

    chunks = chunks_of(lines)

    assert "".join("".join(c.text.split()) for c in chunks) == "".join("".join(t.split()) for t in texts)
    assert all(len(chunk.text) <= max(CHARACTERS.values()) + 1 for chunk in chunks)


async def test_a_file_is_read_in_a_process_of_its_own() -> None:
    read = await reader.read("Цены.pdf", papers.pdf("Пятьдесят сканеров стоят 850 €."))

    assert [chunk.text for chunk in read.chunks] == ["Пятьдесят сканеров стоят 850 €."]
    assert (read.mime, read.languages, read.pages) == ("application/pdf", ("ru",), 1)


async def test_a_file_that_takes_too_long_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        await reader.read("slow.txt", b"hello", seconds=0.001)

    assert refused.value.reason is Refusal.TOO_SLOW


async def test_a_refusal_comes_back_by_name() -> None:
    with pytest.raises(Refused) as refused:
        await reader.read("scan.pdf", papers.scanned_pdf())

    assert refused.value.reason is Refusal.NO_TEXT
