"""A merge keeps one record and puts the other away; its journal says what that did to each row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from pydantic import JsonValue

from events.ids import RecordKind

MergeId = NewType("MergeId", UUID)
Values = dict[str, JsonValue]


class Side(StrEnum):
    """Whose value of a field stays."""

    KEPT = "kept"
    MERGED = "merged"


@dataclass(frozen=True)
class Merge:
    id: MergeId
    record_kind: RecordKind
    kept_id: UUID
    merged_id: UUID
    kept_name: str
    merged_name: str
    merged_by: UUID
    merged_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True)
class FieldChoice:
    """One field of both records as text, and whose value stays unless somebody says otherwise."""

    field: str
    kept: str
    merged: str
    side: Side

    @property
    def differs(self) -> bool:
        return self.kept != self.merged


@dataclass(frozen=True)
class Preview:
    """What a merge would do: the fields side by side, and how many rows of each table move."""

    record_kind: RecordKind
    kept_id: UUID
    merged_id: UUID
    kept_name: str
    merged_name: str
    fields: tuple[FieldChoice, ...]
    moves: Mapping[str, int]


@dataclass(frozen=True)
class Undone:
    """What an undo brought back, and what it left as it was changed since: (table, column) pairs."""

    merge: Merge
    left_alone: tuple[tuple[str, str], ...]
