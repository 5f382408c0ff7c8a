"""A segment is a filter over one kind of record with a name; whoever meets it is in it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from core.edits import KEEP, Keep
from events.ids import RecordKind, SegmentId

MOST_SEGMENTS = 500
MAX_NAME = 100


@dataclass(frozen=True)
class Segment:
    """`filter` is JSON as `core.filters` reads it."""

    id: SegmentId
    record_kind: RecordKind
    name: str
    filter: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int


@dataclass(frozen=True)
class NewSegment:
    record_kind: RecordKind
    name: str
    filter: dict[str, JsonValue]


@dataclass(frozen=True)
class SegmentEdit:
    """The kind of record never changes, for the filter is about its fields."""

    name: str | Keep = KEEP
    filter: dict[str, JsonValue] | Keep = KEEP
