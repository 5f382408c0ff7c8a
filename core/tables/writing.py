"""Rows as CSV or JSON, piece by piece: whoever takes them slowly costs no memory."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any, Literal

from core import jsons
from core.tables.formulas import escaped

Format = Literal["csv", "json"]
MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
_PIECE = 64 * 1024


async def as_csv(
    columns: Sequence[str], rows: AsyncIterator[dict[str, Any]], *, has_mark: bool = False
) -> AsyncIterator[bytes]:
    """A header and a line for each row; text that looks like a formula is escaped.

    `has_mark` puts the byte order mark in front by which Excel knows UTF-8.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if has_mark:
        buffer.write("\ufeff")
    writer.writerow(columns)
    async for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
        if buffer.tell() > _PIECE:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case list():
            return escaped("; ".join(str(one) for one in value))
        case _:
            return escaped(str(value))


async def as_json(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """One array of objects, a line for each."""
    pieces, size, is_first = [b"["], 1, True
    async for row in rows:
        pieces.append((b"\n" if is_first else b",\n") + jsons.dump_bytes(row))
        size += len(pieces[-1])
        is_first = False
        if size > _PIECE:
            yield b"".join(pieces)
            pieces, size = [], 0
    yield b"".join([*pieces, b"\n]\n"])
