"""Reading tables: what people bring is understood, and what cannot be read is named with its line."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tables import reader
from core.tables.models import Fault, Row, Survey, Unreadable, Wish
from core.tables.reader import survey_of
from tests.support.tables import csv_bytes, csv_file, xlsx_file, zip_bomb

PEOPLE = [
    ["Имя", "Почта", "Телефон", "Компания"],
    ["Вера Линд", "vera@lind.example", "+7 916 123-45-67", "Ромашка, ООО"],
    ["Олег Зуев", "oleg@zuev.example", "8 (495) 765-43-21", "Вектор"],
    ["Анна Белая", "anna@belaya.example", "", "Ромашка; партнёры"],
]


def _survey(path: Path, **wish: Any) -> Survey:
    return survey_of(path, Wish(**wish))


def _refused(path: Path, **wish: Any) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        survey_of(path, Wish(**wish))
    return refused.value


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1251", "cp1251"),
        ("utf-16", "utf-16"),
        ("koi8_r", "koi8_r"),
        ("cp866", "cp866"),
    ],
)
def test_the_encoding_and_the_delimiter_are_found(
    tmp_path: Path, encoding: str, found: str, delimiter: str
) -> None:
    survey = _survey(csv_file(tmp_path, PEOPLE, encoding=encoding, delimiter=delimiter))

    assert (survey.layout.encoding, survey.layout.delimiter) == (found, delimiter)
    assert survey.layout.columns == tuple(PEOPLE[0])
    assert [cells for _, cells in survey.sample] == PEOPLE[1:]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_found(tmp_path: Path, encoding: str) -> None:
    path = csv_file(tmp_path, [["Name", "Email"], ["Vera Lind", "vera@lind.example"]], encoding=encoding)

    assert _survey(path).layout.columns == ("Name", "Email")


def test_western_letters_are_read_as_western(tmp_path: Path) -> None:
    rows = [["Name", "City"], *[["Jürgen Müller", "Köln"], ["Zoë Fläche", "Zürich"]] * 5]

    survey = _survey(csv_file(tmp_path, rows, encoding="cp1252", delimiter=";"))

    assert survey.sample[0][1] == ["Jürgen Müller", "Köln"]


def test_a_workbook_gives_what_a_person_sees(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path, [["Name", "Phone", "Amount"], ["Vera", 79161234567, 12.5], ["Oleg", None, 3]])

    survey = _survey(path)

    assert [cells for _, cells in survey.sample] == [["Vera", "79161234567", "12.5"], ["Oleg", "", "3"]]


def test_titles_above_the_table_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    rows = [
        ["Contacts, November"],
        [],
        ["Name", "Email", "City"],
        ["Vera", "v@lind.example", "Oslo"],
        ["", "", ""],
    ]

    survey = _survey(csv_file(tmp_path, rows))

    assert (survey.layout.header, survey.total, survey.sample[0][0]) == (3, 1, 4)


def test_a_table_without_a_header_names_its_columns_by_letter(tmp_path: Path) -> None:
    survey = _survey(csv_file(tmp_path, [["Vera", "vera@lind.example"], ["Oleg", "oleg@zuev.example"]]))

    assert (survey.layout.header, survey.layout.columns, survey.total) == (None, ("A", "B"), 2)


def test_two_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    survey = _survey(csv_file(tmp_path, [["Phone", "Name", "phone"], ["1", "Vera", "2"]], delimiter=";"))

    assert survey.layout.columns == ("Phone", "Name", "phone (2)")
    assert survey.repeated == ("Phone",)


def test_the_first_line_that_excel_writes_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes(b"sep=;\r\nName;City, country\r\nVera;Oslo, Norway\r\n")

    assert _survey(path).layout.columns == ("Name", "City, country")


def test_a_wished_encoding_and_delimiter_win(tmp_path: Path) -> None:
    path = csv_file(tmp_path, PEOPLE, encoding="cp1251", delimiter=";")

    survey = _survey(path, encoding="koi8_r", delimiter="|")

    assert (survey.layout.encoding, survey.layout.delimiter) == ("koi8_r", "|")


@pytest.mark.parametrize(
    ("content", "fault", "line"),
    [
        (b"", Fault.EMPTY, None),
        (b" \r\n\r\n", Fault.EMPTY, None),
        (b"Name,Email\r\n", Fault.NO_ROWS, None),
        (b"Name,Email\nVera,v\0\n", Fault.NUL_BYTES, 2),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old excel", Fault.OLD_EXCEL, None),
        (b"%PDF-1.7 a document", Fault.NOT_A_TABLE, None),
        (b"PK\x03\x04 cut off", Fault.BROKEN, None),
        ("Имя,Город\nВера,Осло\n".encode() + "Олег,Омск\n".encode("cp1251"), Fault.WRONG_ENCODING, 3),
        (b'Name,Note\nVera,"never closed\n' + b"more,words\n" * 20_000, Fault.CELL_TOO_LONG, None),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes, fault: Fault, line: int | None) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)

    refused = _refused(path)

    assert refused.fault is fault
    assert line is None or refused.line == line


def test_one_endless_line_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_bytes(b"Name,Email\n" + b"a," * 50 * 1024 * 1024)

    refused = _refused(path)

    assert (refused.fault, refused.line) == (Fault.LINE_TOO_LONG, 2)


def test_bytes_of_another_encoding_are_named_with_their_line(tmp_path: Path) -> None:
    path = csv_file(tmp_path, PEOPLE, encoding="cp1251")

    refused = _refused(path, encoding="utf-8")

    assert (refused.fault, refused.line, refused.detail) == (Fault.WRONG_ENCODING, 1, "utf-8")


def test_a_truncated_workbook_is_refused(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path, [["Name"], *[[f"Person {n}"] for n in range(2000)]])
    path.write_bytes(path.read_bytes()[:-400])

    assert _refused(path).fault is Fault.BROKEN


async def test_a_workbook_that_bursts_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        await reader.survey(zip_bomb(tmp_path))

    assert refused.value.fault is Fault.TOO_LARGE_INSIDE


async def test_rows_are_read_in_chunks_after_those_that_are_done(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [["Name", "Age"], *[[f"Person {n}", str(n)] for n in range(25)]])
    survey = await reader.survey(path)

    chunks: list[list[Row]] = [chunk async for chunk in reader.rows(path, survey.layout, chunk=10, skip=7)]

    assert [len(chunk) for chunk in chunks] == [10, 8]
    assert chunks[0][0] == (9, ["Person 7", "7"])


_CELLS = st.text(st.characters(codec="cp1251", exclude_characters="\0\r\n\x1a\xa0\xad"), max_size=12)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(_CELLS, _CELLS, _CELLS), min_size=1, max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_every_cell_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], encoding: str, delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "property.csv"
    path.write_bytes(csv_bytes([("Имя", "Город", "Заметка"), *rows], encoding=encoding, delimiter=delimiter))
    expected = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]

    if not expected:
        assert _refused(path, encoding=encoding, delimiter=delimiter, has_header=True).fault is Fault.NO_ROWS
        return
    survey = _survey(path, encoding=encoding, delimiter=delimiter, has_header=True)

    assert [cells for _, cells in survey.sample] == expected
