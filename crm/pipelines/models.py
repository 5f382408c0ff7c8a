"""A pipeline is an ordered list of stages that a deal goes through."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What it means for a deal to stand in a stage."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True)
class Pipeline:
    id: UUID
    name: str


@dataclass(frozen=True)
class Stage:
    """`position` orders the stages of one pipeline, from 0."""

    id: UUID
    pipeline_id: UUID
    name: str
    position: int
    outcome: Outcome


# The default pipeline: what most teams start with.
DEFAULT_STAGES = (
    ("Cold", Outcome.OPEN),
    ("Replied", Outcome.OPEN),
    ("Qualified", Outcome.OPEN),
    ("Meeting", Outcome.OPEN),
    ("Proposal", Outcome.OPEN),
    ("Negotiation", Outcome.OPEN),
    ("Won", Outcome.WON),
    ("Lost", Outcome.LOST),
)
