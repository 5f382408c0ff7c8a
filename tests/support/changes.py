"""What an action left behind: its events and the values it changed."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.db import Tx


@dataclass(frozen=True)
class Change:
    type: str
    changes: Any
    actor_kind: str
    actor_id: UUID
    run_id: UUID | None


async def changes_of(tx: Tx, subject_id: UUID) -> list[Change]:
    """The events of one subject in order, each with its before and after values."""
    return await tx.all(
        Change,
        """
        SELECT e.type, coalesce(c.changes, '{}'::jsonb) AS changes, e.actor_kind, e.actor_id, e.run_id
          FROM events e
          LEFT JOIN event_changes c ON c.organization_id = e.organization_id AND c.event_id = e.id
         WHERE e.subject_id = %(subject_id)s
         ORDER BY e.seq
        """,
        subject_id=subject_id,
    )
