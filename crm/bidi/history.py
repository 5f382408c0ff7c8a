"""What became of a seat, told from its events: made, changed, given and taken intents, paused."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.db import Tx
from events.ids import BidiId


@dataclass(frozen=True)
class Turn:
    """One event of a seat; `changes` are field -> [before, after], empty where they were erased."""

    id: UUID
    event: str
    at: datetime
    actor_kind: str
    actor_id: UUID
    actor_name: str
    changes: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def gained(self) -> list[str]:
        """Intents that it answers by itself since then."""
        before, after = self._intents
        return sorted(set(after) - set(before))

    @property
    def lost(self) -> list[str]:
        before, after = self._intents
        return sorted(set(before) - set(after))

    @property
    def _intents(self) -> tuple[list[str], list[str]]:
        before, after = self.changes.get("autopilot_intents", [[], []])
        return before or [], after or []


async def list_turns(tx: Tx, bidi_id: BidiId, *, limit: int = 50) -> list[Turn]:
    """The latest events of a seat, the newest first."""
    tx.principal.require("crm:read")
    return await tx.all(
        Turn,
        """
        SELECT e.id, e.type AS event, e.occurred_at AS at, e.actor_kind, e.actor_id,
               coalesce(m.name, b.name, '') AS actor_name, coalesce(v.changes, '{}') AS changes
          FROM events e
          LEFT JOIN event_changes v ON (v.organization_id, v.event_id) = (e.organization_id, e.id)
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (e.organization_id, e.actor_id)
          LEFT JOIN bidi b ON (b.organization_id, b.id) = (e.organization_id, e.actor_id)
         WHERE e.subject_kind = 'bidi'
           AND e.subject_id = %(bidi_id)s
         ORDER BY e.occurred_at DESC, e.id DESC
         LIMIT %(limit)s
        """,
        bidi_id=bidi_id,
        limit=limit,
    )
