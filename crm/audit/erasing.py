"""Erasing what sealed events changed and from where they came: it goes, a mark that only the product can make stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Tx
from crm.audit.chain import Key, Part, mark_erased
from crm.audit.sealing import take_turn


@dataclass(frozen=True)
class _Gone:
    event_id: UUID


async def erase_changes(tx: Tx, key: Key, event_ids: Sequence[UUID]) -> int:
    """Take away what these events changed; returns how many had something. The chain stays whole.

    The sealer waits meanwhile: it must not bind values that are on their way out.
    """
    if not event_ids:
        return 0
    await take_turn(tx)
    gone = await tx.all(
        _Gone,
        "DELETE FROM event_changes WHERE event_id = ANY(%(ids)s) RETURNING event_id",
        ids=list(event_ids),
    )
    await _mark(tx, key, [one.event_id for one in gone], Part.CHANGES)
    return len(gone)


async def erase_origins(tx: Tx, key: Key, before: datetime) -> int:
    """Take away from where events before a time came; returns how many. The chain stays whole."""
    await take_turn(tx)
    gone = await tx.all(
        _Gone,
        """
        DELETE FROM event_origins o
         USING events e
         WHERE (e.organization_id, e.id) = (o.organization_id, o.event_id)
           AND e.occurred_at < %(before)s
        RETURNING o.event_id
        """,
        before=before,
    )
    await _mark(tx, key, [one.event_id for one in gone], Part.ORIGIN)
    return len(gone)


async def _mark(tx: Tx, key: Key, event_ids: Sequence[UUID], part: Part) -> None:
    await tx.execute_many(
        """
        INSERT INTO audit_erasures (organization_id, event_id, part, mark)
        VALUES (%(organization_id)s, %(event_id)s, %(part)s, %(mark)s)
            ON CONFLICT DO NOTHING
        """,
        [
            {
                "organization_id": tx.organization_id,
                "event_id": id,
                "part": part.value,
                "mark": mark_erased(key, id, part),
            }
            for id in event_ids
        ],
    )
