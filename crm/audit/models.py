"""An entry of the audit: one event with who, what, from where, and what it changed."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.principal import Via
from crm.audit.verifying import Fault


@dataclass(frozen=True)
class Entry:
    """`position` is its place in the sealed chain, None until it has one; `changes` are field -> [before, after].

    Values and the address are gone once they were erased.
    """

    id: UUID
    at: datetime
    type: str
    actor_kind: str
    actor_id: UUID
    actor_name: str | None
    responsible_id: UUID | None
    responsible_name: str | None
    run_id: UUID | None
    subject_kind: str
    subject_id: UUID
    subject_name: str | None
    conversation_id: UUID | None
    via: Via | None
    credential_id: UUID | None
    credential_name: str | None
    address: str | None
    agent: str | None
    changes: dict[str, list[Any]]
    position: int | None


@dataclass(frozen=True)
class EntryFilter:
    """Which entries are wanted; what is None is any. `who` is a person, a seat, the system or an API key, by id."""

    who: UUID | None = None
    type: str | None = None
    subject_kind: str | None = None
    subject_id: UUID | None = None
    run_id: UUID | None = None
    via: Via | None = None
    is_by_itself: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class ChainState:
    """How far the chain has come."""

    sealed: int
    waiting: int
    sealed_at: datetime | None


@dataclass(frozen=True)
class Verification:
    """A walk over the chain that somebody asked for; without a fault, and ended, it found all of it whole."""

    id: UUID
    asked_by: UUID
    asked_at: datetime
    ended_at: datetime | None = None
    sealed: int = 0
    anchors: int = 0
    erased: int = 0
    fault: Fault | None = None
    position: int | None = None
    event_id: UUID | None = None
    line: int | None = None


@dataclass(frozen=True)
class Actor:
    """Somebody or something that entries can be filtered by."""

    id: UUID
    kind: str
    name: str = field(default="")
