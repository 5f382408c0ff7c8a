"""A tag is a word of an organization that can stand on any of its records."""

from dataclasses import dataclass

from core.edits import KEEP, Keep
from events.ids import TagId

MAX_NAME = 60
TINTS = range(8)


@dataclass(frozen=True)
class Tag:
    """`tint` is one of the eight colours of the design."""

    id: TagId
    name: str
    tint: int
    version: int


@dataclass(frozen=True)
class TagLine(Tag):
    """A tag as a line of a list; `records` counts what it stands on, the trash included."""

    records: int


@dataclass(frozen=True)
class TagEdit:
    name: str | Keep = KEEP
    tint: int | Keep = KEEP
