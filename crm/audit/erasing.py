"""Erasing what sealed events changed: the values go, a mark that only the product can make stays."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    await tx.execute_many(
        """
        INSERT INTO audit_erasures (organization_id, event_id, part, mark)
        VALUES (%(organization_id)s, %(event_id)s, %(part)s, %(mark)s)
            ON CONFLICT DO NOTHING
        """,
        [
            {
                "organization_id": tx.organization_id,
                "event_id": one.event_id,
                "part": Part.CHANGES.value,
                "mark": mark_erased(key, one.event_id, Part.CHANGES),
            }
            for one in gone
        ],
    )
    return len(gone)
