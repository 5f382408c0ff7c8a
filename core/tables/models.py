"""What a table file is once it was looked at, and why one cannot be read."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal, Self

FileKind = Literal["csv", "xlsx"]
# How a spreadsheet numbers its rows, and the cells of that row as text.
Row = tuple[int, list[str]]


class Fault(StrEnum):
    """Why a file cannot be read; pages say each in the reader's language, with the way out."""

    EMPTY = "empty"
    NO_ROWS = "no_rows"
    NOT_A_TABLE = "not_a_table"
    NUL_BYTES = "nul_bytes"
    OLD_EXCEL = "old_excel"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    NO_SHEET = "no_sheet"
    TOO_LARGE = "too_large"
    TOO_LARGE_INSIDE = "too_large_inside"
    LINE_TOO_LONG = "line_too_long"
    CELL_TOO_LONG = "cell_too_long"
    WRONG_ENCODING = "wrong_encoding"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_SLOW = "too_slow"


# What a caller without a page of its own reads: the thing, and the way out.
_SAID = {
    Fault.EMPTY: "The file is empty; export it again and upload it.",
    Fault.NO_ROWS: "The file has a header and no rows below it; export it again with its rows.",
    Fault.NOT_A_TABLE: "This is neither CSV nor XLSX; save the table as CSV or XLSX and upload that.",
    Fault.NUL_BYTES: "Line {line} holds NUL bytes, so this is no text; save the table as CSV UTF-8 again.",
    Fault.OLD_EXCEL: "This is an old Excel file (.xls); save it as .xlsx and upload that.",
    Fault.ENCRYPTED: "The workbook is protected by a password; save it without one and upload that.",
    Fault.BROKEN: "The workbook is damaged or was cut off on its way; export it again and upload it.",
    Fault.NO_SHEET: "The workbook has no sheet with rows; put the table on its first sheet.",
    Fault.TOO_LARGE: "The file is larger than {detail}; split it and upload the parts.",
    Fault.TOO_LARGE_INSIDE: "Unpacked, the workbook is larger than is read; save the table as CSV and upload that.",
    Fault.LINE_TOO_LONG: "Line {line} is longer than a megabyte; is its line end missing? Export the file again.",
    Fault.CELL_TOO_LONG: "A cell near line {line} does not end; is a closing quote missing? Correct it and upload again.",
    Fault.WRONG_ENCODING: "Line {line} holds bytes that are not {detail}; choose another encoding or save as CSV UTF-8.",
    Fault.TOO_MANY_ROWS: "The file has more than {detail} rows; split it and upload the parts.",
    Fault.TOO_MANY_COLUMNS: "The file has more than {detail} columns; leave out those that are not needed.",
    Fault.TOO_SLOW: "Reading the file takes too long; save the table as CSV and upload that.",
}


class Unreadable(Exception):
    """The file is not taken; `line` is where, counted from 1, and `detail` a limit or an encoding."""

    def __init__(self, fault: Fault, *, line: int | None = None, detail: str = "") -> None:
        super().__init__(_SAID[fault].format(line=line, detail=detail))
        self.fault = fault
        self.line = line
        self.detail = detail


@dataclass(frozen=True)
class Layout:
    """How a file is read. `header` is the row of the column names, counted from 1; None when it has none."""

    kind: FileKind
    encoding: str = "utf-8"
    delimiter: str = ","
    header: int | None = 1
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(**stored | {"columns": tuple(stored["columns"])})


@dataclass(frozen=True)
class Wish:
    """What a person says about a file when it was guessed wrongly; None leaves it to be found."""

    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool | None = None


@dataclass(frozen=True)
class Survey:
    """A file that was read once to its end: its layout, its first rows, and how many there are."""

    layout: Layout
    total: int
    sample: list[Row] = field(default_factory=list)
    repeated: tuple[str, ...] = ()  # names that stand over more than one column
