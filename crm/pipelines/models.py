"""A pipeline is an ordered list of stages that leads and deals go through, each with its rules."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from crm.pipelines.rules import Rule, rules_of
from events.ids import RecordKind


class Outcome(StrEnum):
    """What it means for a record to stand in a stage."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Action(StrEnum):
    """What may be done with a record while it stands in a stage."""

    ADVANCE = "advance"  # move to a later open stage
    SKIP = "skip"  # and pass over stages on the way
    RETURN = "return"  # move to an earlier open stage
    WIN = "win"
    LOSE = "lose"
    REOPEN = "reopen"  # move from a closed stage to an open one
    CONVERT = "convert"  # make a deal of a lead
    EDIT = "edit"  # change amount, currency, close date or probability
    DELETE = "delete"


ALL_ACTIONS: Final = tuple(Action)


class Moment(StrEnum):
    """When a rule is asked: before a record comes into its stage, or before it leaves."""

    ENTRY = "entry"
    EXIT = "exit"


class Cause(StrEnum):
    """Why a record came to stand in a stage."""

    CREATED = "created"
    MOVED = "moved"
    CONVERTED = "converted"
    EVENT = "event"
    STAGE_REMOVED = "stage_removed"


@dataclass(frozen=True)
class Pipeline:
    id: UUID
    name: str
    version: int


@dataclass(frozen=True)
class Stage:
    """`position` orders the stages of one pipeline, from 0; `limit_hours` is how long a record may stay."""

    id: UUID
    pipeline_id: UUID
    name: str
    position: int
    outcome: Outcome
    probability: int
    limit_hours: int | None
    allowed_actions: list[str]
    entry_rules: list[dict[str, Any]]
    exit_rules: list[dict[str, Any]]

    @property
    def is_open(self) -> bool:
        return self.outcome is Outcome.OPEN

    def allows(self, action: Action) -> bool:
        return action.value in self.allowed_actions

    def rules(self, moment: Moment) -> tuple[Rule, ...]:
        return rules_of(self.entry_rules if moment is Moment.ENTRY else self.exit_rules)


@dataclass(frozen=True)
class NewStage:
    """A stage to be made; an open one's probability is a guess that a deal of its own overrides."""

    name: str
    outcome: Outcome = Outcome.OPEN
    probability: int = 0
    limit_hours: int | None = None
    allowed_actions: tuple[Action, ...] = ALL_ACTIONS
    entry_rules: tuple[Rule, ...] = ()
    exit_rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class StageEdit:
    """New values for some fields; None leaves a field as it is, a limit of 0 takes the limit away."""

    name: str | None = None
    probability: int | None = None
    limit_hours: int | None = None
    allowed_actions: tuple[Action, ...] | None = None
    entry_rules: tuple[Rule, ...] | None = None
    exit_rules: tuple[Rule, ...] | None = None


# Events that a transition may wait for: what happens to a person or to a deal of theirs. Moves are not among them, so
# one event moves a record at most once.
TRANSITION_EVENTS: Final = (
    "message.received",
    "message.sent",
    "task.completed",
    "deal.created",
    "deal.closed",
)


@dataclass(frozen=True)
class Transition:
    """A record of a kind that stands in `stage_id` goes on to `to_stage_id` when something happens."""

    id: UUID
    pipeline_id: UUID
    stage_id: UUID
    record_kind: RecordKind
    event_type: str
    to_stage_id: UUID


@dataclass(frozen=True)
class Visit:
    """One stay in a stage; `left_at` is None while the record stands there, `breached_at` when it was in time."""

    id: UUID
    stage_id: UUID
    stage: str
    cause: Cause
    actor_kind: str
    actor_id: UUID
    entered_at: datetime
    left_at: datetime | None
    breached_at: datetime | None


@dataclass(frozen=True)
class Occupancy:
    """How many leads and deals stand in a stage."""

    leads: int
    deals: int

    @property
    def records(self) -> int:
        return self.leads + self.deals


@dataclass(frozen=True)
class Standing:
    """A lead or a deal as a move sees it: where it stands, and what rules may ask about.

    `values` are by the names of `rules.FIELDS` and `custom.<key>`; an amount is in minor units.
    """

    kind: RecordKind
    id: UUID
    name: str
    pipeline_id: UUID
    stage_id: UUID
    version: int
    values: dict[str, object] = field(default_factory=dict)
    currency: str = ""
    roles: tuple[str, ...] = ()
    open_tasks: int = 0


_LOST_REASON: Final = (Rule("field", field="lost_reason"),)

# The default pipeline: what most teams start with. Somebody who answers is not cold any more.
DEFAULT_STAGES: Final = (
    NewStage("Cold", probability=5),
    NewStage("Replied", probability=10),
    NewStage("Qualified", probability=25),
    NewStage("Meeting", probability=40),
    NewStage("Proposal", probability=60),
    NewStage("Negotiation", probability=80),
    NewStage("Won", Outcome.WON, 100),
    NewStage("Lost", Outcome.LOST, 0, entry_rules=_LOST_REASON),
)
