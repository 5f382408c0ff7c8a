"""Table files as people bring them, whole and broken."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook


def csv_bytes(
    rows: Sequence[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ",", end: str = "\r\n"
) -> bytes:
    """The rows as CSV in one of the usual encodings."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode(encoding)


def csv_file(
    folder: Path, rows: Sequence[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    path = folder / "table.csv"
    path.write_bytes(csv_bytes(rows, encoding=encoding, delimiter=delimiter))
    return path


def xlsx_file(folder: Path, rows: Sequence[Sequence[object]]) -> Path:
    path = folder / "table.xlsx"
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet")
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def zip_bomb(folder: Path, *, megabytes: int = 400) -> Path:
    """A workbook of some hundred kilobytes whose sheet unpacks to hundreds of megabytes."""
    path = folder / "bomb.xlsx"
    whole = xlsx_file(folder, [["Name"], ["Vera"]])
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for part in source.infolist():
            if part.filename != "xl/worksheets/sheet1.xml":
                bomb.writestr(part, source.read(part))
        with bomb.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(megabytes):
                sheet.write(b" " * 1024 * 1024)
    return path
