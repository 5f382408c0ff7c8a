"""Business-development seats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.edits import KEEP, Keep
from core.principal import Principal, PrincipalKind, Visibility
from events.ids import BidiId, OrganizationId, UserId

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# What people say beside what they want.
COURTESIES = frozenset({"greeting", "thanks"})
# A weekday to the hours it begins and ends; a day that is left out is free.
WorkingHours = Mapping[str, list[str]]


class BidiKind(StrEnum):
    INTERNAL = "internal"
    EXTERNAL = "external"
    AI = "ai"


class Autonomy(StrEnum):
    OBSERVE = "observe"
    SUGGEST = "suggest"
    ASSIST = "assist"
    AUTOPILOT = "autopilot"


@dataclass(frozen=True)
class Bidi:
    """A seat with its limits. An AI seat is its own principal, with its own scopes.

    On autopilot it answers by itself within `autopilot_intents`, at most `daily_cap` times a day, and in
    `working_hours`: a weekday (`mon` … `sun`) to the hours it begins and ends, `{"mon": ["09:00", "18:00"]}`; without
    any, always. An empty `time_zone` is the organization's, no `languages` are all of them, and a limit that is None
    is none. `account_ids` are the accounts that are its own; one without any works on those that are nobody's.
    """

    id: BidiId
    organization_id: OrganizationId
    kind: BidiKind
    name: str
    user_id: UserId | None
    responsible_user_id: UserId | None
    agent: str | None
    autonomy: Autonomy
    persona: str
    scopes: list[str]
    model: str | None
    is_paused: bool
    max_steps: int
    max_tokens: int
    max_cost_usd_micros: int
    max_seconds: int
    autopilot_intents: list[str] = field(default_factory=list)
    daily_cap: int = 20
    working_hours: dict[str, Any] = field(default_factory=dict)
    time_zone: str = ""
    languages: list[str] = field(default_factory=list)
    capacity: int | None = None
    max_runs_a_day: int | None = None
    max_tokens_a_day: int | None = None
    max_cost_usd_micros_a_day: int | None = None
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    account_ids: list[UUID] = field(default_factory=list)
    # as whoever answers for it
    sees_assigned_only: bool = False

    @property
    def serves_conversations(self) -> bool:
        """Whether a conversation can be given to it; some agents answer colleagues or programs only."""
        return self.agent is not None and self.agent not in ("copilot", "api")

    def answers(self, intents: Iterable[str]) -> bool:
        """Whether all that a contact wants is what it may answer by itself; a greeting beside it asks for nothing."""
        wanted = set(intents)
        asked = wanted - COURTESIES or wanted
        return bool(asked) and asked <= set(self.autopilot_intents)

    def principal(self, run_id: UUID | None = None) -> Principal:
        return Principal(
            PrincipalKind.BIDI,
            self.id,
            self.organization_id,
            scopes=frozenset(self.scopes),
            visibility=Visibility.ASSIGNED if self.sees_assigned_only else Visibility.ALL,
            seat_id=self.id,
            run_id=run_id,
            responsible_id=self.responsible_user_id,
        )


@dataclass(frozen=True)
class NewBidi:
    """What stays as a seat was made: an AI seat has its agent, every other one the member who sits on it."""

    kind: BidiKind
    name: str
    agent: str | None = None
    user_id: UserId | None = None
    responsible_user_id: UserId | None = None


@dataclass(frozen=True)
class BidiEdit:
    """New values for some fields; None empties one that may be empty. Intents on autopilot are earned, not set."""

    name: str | Keep = KEEP
    persona: str | Keep = KEEP
    languages: list[str] | Keep = KEEP
    responsible_user_id: UserId | Keep = KEEP
    autonomy: Autonomy | Keep = KEEP
    scopes: list[str] | Keep = KEEP
    account_ids: list[UUID] | Keep = KEEP
    capacity: int | Keep | None = KEEP
    working_hours: WorkingHours | Keep = KEEP
    time_zone: str | Keep = KEEP
    daily_cap: int | Keep = KEEP
    max_steps: int | Keep = KEEP
    max_tokens: int | Keep = KEEP
    max_cost_usd_micros: int | Keep = KEEP
    max_seconds: int | Keep = KEEP
    max_runs_a_day: int | Keep | None = KEEP
    max_tokens_a_day: int | Keep | None = KEEP
    max_cost_usd_micros_a_day: int | Keep | None = KEEP
