"""Rules of assignment, what is to be assigned, and why a seat takes it or does not."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.edits import KEEP, Keep
from crm.bidi.models import Bidi
from events.ids import AssignmentRuleId, BidiId, ChannelAccountId, ContactId, SegmentId

MOST_RULES = 50
MAX_NAME = 100


class Assigned(StrEnum):
    """What is given to seats."""

    CONVERSATION = "conversation"
    LEAD = "lead"


class Way(StrEnum):
    """How one of several seats is chosen: whose turn it is, or who has the least in hand."""

    IN_TURN = "in_turn"
    LEAST_LOADED = "least_loaded"


class Unassigned(StrEnum):
    """Why nobody has it: no rule is about it, or no seat of a rule that is can take it now."""

    NO_RULE = "no_rule"
    NOBODY_FREE = "nobody_free"


@dataclass(frozen=True)
class AssignmentRule:
    """Rules are asked in the order of `position`; an empty `channel` is any, no segment everybody."""

    id: AssignmentRuleId
    record_kind: Assigned
    name: str
    position: int
    segment_id: SegmentId | None
    channel: str
    way: Way
    is_enabled: bool
    created_at: datetime
    updated_at: datetime
    version: int
    bidi_ids: list[BidiId] = field(default_factory=list)


@dataclass(frozen=True)
class NewRule:
    record_kind: Assigned
    name: str
    way: Way
    bidi_ids: tuple[BidiId, ...]
    segment_id: SegmentId | None = None
    channel: str = ""


@dataclass(frozen=True)
class RuleEdit:
    """New values for some fields; `position` moves it among the others. What it assigns never changes."""

    name: str | Keep = KEEP
    way: Way | Keep = KEEP
    bidi_ids: list[BidiId] | Keep = KEEP
    segment_id: SegmentId | Keep | None = KEEP
    channel: str | Keep = KEEP
    is_enabled: bool | Keep = KEEP
    position: int | Keep = KEEP


@dataclass(frozen=True)
class Case:
    """What is to be given to somebody; `is_for_person` when an agent handed it off, `without` never gets it."""

    kind: Assigned
    contact_id: ContactId
    language: str
    channel: str = ""
    account_id: ChannelAccountId | None = None
    is_for_person: bool = False
    without: BidiId | None = None


@dataclass(frozen=True)
class Candidate:
    """A seat of a rule with what it has in hand of the kind that is assigned, and when the rule last chose it."""

    seat: Bidi
    load: int
    assigned_at: datetime | None = None
    account_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Considered:
    """A seat that a rule looked at, and why it does not take the case; an empty `why_not` says that it could."""

    seat: Bidi
    load: int
    why_not: str


@dataclass(frozen=True)
class Asked:
    """A rule that was asked; `skipped` says why it is not about the case, and nobody was looked at then."""

    rule: AssignmentRule
    skipped: str
    considered: tuple[Considered, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """Who gets it by which rule, or why nobody does; `asked` are the rules in order, until one chose."""

    seat: Bidi | None
    rule: AssignmentRule | None
    why: Unassigned | None
    asked: tuple[Asked, ...]
