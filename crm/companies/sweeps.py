"""How far the nightly look at all records of a kind has come; a kill repeats one batch at most."""

from datetime import timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from events import due
from events.ids import RecordKind

_NIGHT_HOUR = 2
FIRST = UUID(int=0)


async def ask_for_sweep(tx: Tx, work: str) -> None:
    """See to it that all records of the organization are compared in the next night."""
    await due.schedule_missing(tx, work, [tx.organization_id], clock.now() + until_next_night())


def until_next_night() -> timedelta:
    tomorrow = clock.now() + timedelta(days=1)
    return tomorrow.replace(hour=_NIGHT_HOUR, minute=0, second=0, microsecond=0) - clock.now()


async def find_place(tx: Tx, kind: RecordKind) -> UUID:
    """The id after which the look goes on."""
    after: UUID | None = await tx.value(
        "SELECT after_id FROM match_sweeps WHERE record_kind = %(kind)s", kind=kind
    )
    return after or FIRST


async def keep_place(tx: Tx, kind: RecordKind, *, last_id: UUID | None, count: int) -> None:
    """Remember that `count` more were looked at, up to `last_id`; None says that it was the last batch of the night."""
    has_more = last_id is not None
    await tx.execute(
        """
        INSERT INTO match_sweeps AS s (organization_id, record_kind, after_id, looked_at, started_at, finished_at)
        VALUES (%(organization_id)s, %(kind)s, %(last)s, %(count)s, %(now)s, %(finished_at)s)
        ON CONFLICT (organization_id, record_kind) DO UPDATE
           SET after_id = EXCLUDED.after_id,
               looked_at = CASE WHEN s.finished_at IS NULL THEN s.looked_at ELSE 0 END + EXCLUDED.looked_at,
               started_at = CASE WHEN s.finished_at IS NULL THEN s.started_at ELSE EXCLUDED.started_at END,
               finished_at = EXCLUDED.finished_at
        """,
        organization_id=tx.organization_id,
        kind=kind,
        last=last_id or FIRST,
        count=count,
        now=clock.now(),
        finished_at=None if has_more else clock.now(),
    )
