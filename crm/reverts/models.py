"""What taking a run back does to each thing that it changed."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue

from crm.runs.traces import RunLine


class Fate(StrEnum):
    """What becomes of it."""

    RESTORED = "restored"  # a field holds again what it held before
    REMOVED = "removed"  # what the run made is in the trash, taken back or withdrawn
    KEPT = "kept"


class Why(StrEnum):
    """Why something stays as it is."""

    CHANGED_SINCE = "changed_since"
    IN_USE = "in_use"  # others have built on it
    FINAL = "final"  # it cannot be taken back: sent, decided or said
    GONE = "gone"
    REFUSED = "refused"  # its own rules do not allow it; `detail` says which


@dataclass(frozen=True)
class Line:
    """One thing of a revert. `field` is empty when it is about the whole; then it holds `now` and would hold `to`."""

    kind: str
    id: UUID
    name: str
    fate: Fate
    field: str = ""
    now: JsonValue = None
    to: JsonValue = None
    why: Why | None = None
    detail: str = ""


@dataclass(frozen=True)
class Revert:
    """A run with what taking it back did, or would do, to each thing."""

    run: RunLine
    lines: tuple[Line, ...]

    @property
    def undone(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.fate is not Fate.KEPT)

    @property
    def kept(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.fate is Fate.KEPT)
