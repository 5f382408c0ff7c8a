"""A view is how the list of one kind of record is looked at: filter, order, columns and layout under a name."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from core.edits import KEEP, Keep
from events.ids import RecordKind, ViewId

MOST_VIEWS = 200
MAX_NAME = 60
MAX_COLUMNS = 50


class Layout(StrEnum):
    TABLE = "table"
    BOARD = "board"


@dataclass(frozen=True)
class View:
    """`filter` is JSON as `core.filters` reads it, `sort` text as `core.sql.parse_sort` does.

    One that is not shared is seen by its maker only. Without columns the list shows its usual ones.
    """

    id: ViewId
    record_kind: RecordKind
    name: str
    filter: dict[str, JsonValue]
    sort: str
    columns: list[str]
    layout: Layout
    is_shared: bool
    position: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int


@dataclass(frozen=True)
class NewView:
    record_kind: RecordKind
    name: str
    filter: dict[str, JsonValue] = field(default_factory=dict)
    sort: str = ""
    columns: tuple[str, ...] = ()
    layout: Layout = Layout.TABLE
    is_shared: bool = False


@dataclass(frozen=True)
class ViewEdit:
    """The kind of record never changes."""

    name: str | Keep = KEEP
    filter: dict[str, JsonValue] | Keep = KEEP
    sort: str | Keep = KEEP
    columns: list[str] | Keep = KEEP
    layout: Layout | Keep = KEEP
    is_shared: bool | Keep = KEEP
    position: int | Keep = KEEP
