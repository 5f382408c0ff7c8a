"""A task is something to be done, for a contact or a deal, by a time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.principal import PrincipalKind
from events.ids import ContactId, DealId, RunId, TaskId


@dataclass(frozen=True)
class Task:
    id: TaskId
    title: str
    contact_id: ContactId | None
    deal_id: DealId | None
    due_at: datetime | None
    done_at: datetime | None
    created_by_kind: PrincipalKind
    created_by_id: UUID
    run_id: RunId | None
    created_at: datetime
