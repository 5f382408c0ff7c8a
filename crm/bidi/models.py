"""Business-development seats."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.principal import Principal, PrincipalKind
from events.ids import BidiId, OrganizationId, UserId


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
    any, always.
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

    def principal(self, run_id: UUID | None = None) -> Principal:
        return Principal(
            PrincipalKind.BIDI,
            self.id,
            self.organization_id,
            scopes=frozenset(self.scopes),
            seat_id=self.id,
            run_id=run_id,
        )
