"""Entries of the audit as tests read them, whatever door was used."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx

# An event with such a name says that values changed, so it tells them before and after.
CHANGING = (".updated", ".edited", ".assigned", ".unassigned", ".prepared")
ENTRIES = """
    SELECT e.type, e.actor_kind, e.actor_id, e.via, e.credential_id, e.subject_kind, e.subject_id,
           EXISTS (SELECT FROM event_changes c
                    WHERE (c.organization_id, c.event_id) = (e.organization_id, e.id)) AS has_values
      FROM events e
     WHERE e.id::text > %(last)s
     ORDER BY e.id
"""


@dataclass(frozen=True)
class Entry:
    """What the audit knows of one event."""

    type: str
    actor_kind: str
    actor_id: UUID
    via: str | None
    credential_id: UUID | None
    subject_kind: str
    subject_id: UUID
    has_values: bool


async def last_event(tx: Tx) -> str:
    return str(await tx.value("SELECT max(id::text) FROM events"))


async def entries_since(tx: Tx, last: str) -> list[Entry]:
    """What the organization's audit has got since."""
    return await tx.all(Entry, ENTRIES, last=last)


def untold(entries: Collection[Entry]) -> list[str]:
    """Entries whose names say that values changed, and which do not tell them before and after."""
    return [
        f"{entry.type} tells no values"
        for entry in entries
        if entry.type.endswith(CHANGING) and not entry.has_values
    ]
