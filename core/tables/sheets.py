"""XLSX: the first sheet that has rows, with every value as the text that a person would type."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, PasswordError, SheetVisibleEnum, load_workbook

from core.tables import limits
from core.tables.models import Fault, Row, Unreadable

Value = int | float | str | bool | time | date | datetime | timedelta | None


def rows(path: Path) -> Iterator[Row]:
    """Every row that has a cell with something in it. Raises: Unreadable."""
    require_honest(path)
    for number, values in enumerate(_first_sheet(path).iter_rows(), start=1):
        cells = [_text(value).strip() for value in values]
        if any(cells):
            yield number, cells


def require_honest(path: Path) -> None:
    """Refuse what is no whole archive, or bursts when it is unpacked. Raises: Unreadable."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile as err:
        raise Unreadable(Fault.BROKEN) from err
    if not any(part.filename == "[Content_Types].xml" for part in parts):
        raise Unreadable(Fault.NOT_A_TABLE)
    unpacked = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if unpacked > limits.UNPACKED_BYTES or unpacked > max(packed, 100_000) * limits.PACKING:
        raise Unreadable(Fault.TOO_LARGE_INSIDE)


def _first_sheet(path: Path) -> CalamineSheet:
    try:
        book = load_workbook(path)
        visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible is SheetVisibleEnum.Visible]
        for name in visible:
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                return sheet
    except PasswordError as err:
        raise Unreadable(Fault.ENCRYPTED) from err
    except (CalamineError, OSError) as err:
        raise Unreadable(Fault.BROKEN) from err
    raise Unreadable(Fault.NO_SHEET)


def _text(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case _:
            return str(value)
