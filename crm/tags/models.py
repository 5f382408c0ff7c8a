"""A tag is a word of an organization that can stand on any of its records."""

from dataclasses import dataclass

from events.ids import TagId


@dataclass(frozen=True)
class Tag:
    """`tint` is one of the eight colours of the design."""

    id: TagId
    name: str
    tint: int
