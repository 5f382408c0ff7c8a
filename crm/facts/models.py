"""A fact is a statement with a source, a trust and two times: when it holds, and when we recorded it."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from events.ids import FactId


class EntityKind(StrEnum):
    CONTACT = "contact"
    COMPANY = "company"
    USER = "user"
    DEAL = "deal"


class Trust(StrEnum):
    """Quarantined statements came from outside: to be quoted, never acted on, until a person confirms them."""

    CONFIRMED = "confirmed"
    QUARANTINED = "quarantined"


class SourceKind(StrEnum):
    USER = "user"
    MESSAGE = "message"
    IMPORT = "import"
    AGENT = "agent"
    SEED = "seed"
    SYSTEM = "system"


class Relation(StrEnum):
    """The predicates that relate two entities; every other predicate takes a text."""

    WORKS_AT = "works_at"
    KNOWS = "knows"
    INTERACTED = "interacted"


# What a relation may lead from and to.
ENDS: dict[Relation, frozenset[tuple[EntityKind, EntityKind]]] = {
    Relation.WORKS_AT: frozenset({(EntityKind.CONTACT, EntityKind.COMPANY)}),
    Relation.KNOWS: frozenset(
        {(EntityKind.CONTACT, EntityKind.CONTACT), (EntityKind.USER, EntityKind.CONTACT)}
    ),
    Relation.INTERACTED: frozenset({(EntityKind.USER, EntityKind.CONTACT)}),
}
# Whose word is taken without a person's confirmation: what is written by outsiders or machines is not.
TRUSTED_SOURCES = frozenset({SourceKind.USER, SourceKind.SEED, SourceKind.SYSTEM})

HALF_LIFE = timedelta(days=90)
SATURATION_MESSAGES = 8.0
STRONGEST = 0.99


def strength_at(strength: float, since: datetime, at: datetime) -> float:
    """What is left at `at` of an interaction strength that was measured at `since`.

    The strength is 1 - exp(-x / 8), x the number of messages of which each loses half its weight every 90 days:
    the first message makes 0.12, eight in a row 0.63, and it never exceeds 0.99.
    """
    age = max(at - since, timedelta(0)) / HALF_LIFE
    return float(1 - (1 - strength) ** (0.5**age))


def strengthened(strength: float, since: datetime, at: datetime) -> float:
    """The strength after one more message at `at`; 0 is the strength of strangers."""
    return min(STRONGEST, 1 - (1 - strength_at(strength, since, at)) * math.exp(-1 / SATURATION_MESSAGES))


@dataclass(frozen=True)
class Source:
    """Where a statement comes from; `label` says it to people: "Call notes, 6 November"."""

    kind: SourceKind
    id: UUID | None = None
    label: str = ""


@dataclass(frozen=True)
class NewFact:
    """A statement to record: about `subject`, either a relation to `object` or a `text`, or both.

    `strength` and `confidence` lie between 0 and 1. A relation without `valid_to` holds until further notice.
    """

    subject: tuple[str, UUID]
    predicate: str
    object: tuple[str, UUID] | None = None
    text: str = ""
    strength: float = 0.5
    confidence: float = 1.0
    source: Source | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    is_confirmed: bool = True


@dataclass(frozen=True)
class FactEdit:
    """New values for some fields of a statement; None leaves a field as it is."""

    text: str | None = None
    strength: float | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True)
class Fact:
    id: FactId
    subject_kind: EntityKind
    subject_id: UUID
    predicate: str
    object_kind: EntityKind | None
    object_id: UUID | None
    text: str
    strength: float
    confidence: float
    trust: Trust
    source_kind: SourceKind
    source_id: UUID | None
    source_label: str
    valid_from: datetime
    valid_to: datetime | None
    strengthened_at: datetime
    recorded_at: datetime
    retracted_at: datetime | None

    @property
    def is_retracted(self) -> bool:
        return self.retracted_at is not None


@dataclass(frozen=True)
class Named:
    """An entity by the name that people know it by."""

    kind: EntityKind
    id: UUID
    name: str


@dataclass(frozen=True)
class Related:
    """A relation that was not retracted, as the graph is made from it."""

    id: FactId
    predicate: Relation
    subject_id: UUID
    object_id: UUID
    strength: float
    trust: Trust
    valid_from: datetime
    valid_to: datetime | None
