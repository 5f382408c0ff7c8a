"""Whatever happens later is a row in `due_work`, written in the action's own transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from psycopg import AsyncConnection

from core import clock
from core.db import Tx
from events.leases import Lease

# Kinds of due work, and handlers of events, that go on in an organization which is closed to be deleted.
EVEN_WHEN_CLOSED = ("organization.remove", "audit.seal", "audit.anchor", "send_system_mail")


@dataclass(frozen=True)
class DueWork:
    """One piece of work that has come due."""

    id: UUID
    organization_id: UUID
    kind: str
    subject_id: UUID
    attempts: int
    fence: int

    @property
    def lease(self) -> Lease:
        return Lease("due_work", self.id, self.organization_id, self.fence, self.attempts)


async def schedule(tx: Tx, kind: str, subject_id: UUID, due_at: datetime) -> None:
    """Do `kind` for the subject at `due_at`; one row per (kind, subject), so a second call moves the time."""
    await tx.execute(
        """
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        VALUES (%(organization_id)s, gen_random_uuid(), %(kind)s, %(subject_id)s, %(due_at)s)
        ON CONFLICT (organization_id, kind, subject_id)
        DO UPDATE SET due_at = EXCLUDED.due_at, lease_until = NULL, attempts = 0, status = 'open',
                      fence = due_work.fence + 1
        RETURNING pg_notify('due_work', '')
        """,
        organization_id=tx.organization_id,
        kind=kind,
        subject_id=subject_id,
        due_at=due_at,
    )


async def schedule_missing(tx: Tx, kind: str, subject_ids: Sequence[UUID], due_at: datetime) -> None:
    """Do `kind` at `due_at` for those subjects for which it is not to be done anyway."""
    await tx.execute(
        """
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        SELECT %(organization_id)s, gen_random_uuid(), %(kind)s, subject_id, %(due_at)s
          FROM unnest(%(subject_ids)s::uuid[]) AS subject_id
            ON CONFLICT (organization_id, kind, subject_id)
            DO UPDATE SET due_at = EXCLUDED.due_at, lease_until = NULL, attempts = 0, status = 'open',
                          fence = due_work.fence + 1
         WHERE due_work.status = 'dead'
        RETURNING pg_notify('due_work', '')
        """,
        organization_id=tx.organization_id,
        kind=kind,
        subject_ids=list(subject_ids),
        due_at=due_at,
    )


async def schedule_sweep(tx: Tx, kind: str, *, keep: timedelta, every: timedelta) -> None:
    """Do `kind` once what is written now is older than `keep`; all that is written within `every` shares one sweep.

    A sweep comes after the end of its while, so that nothing which is written meanwhile can be missed by it.
    """
    began = _while_of_now(every)
    await schedule_missing(tx, kind, [_sweep_id(tx.organization_id, kind, began)], began + every + keep)


async def schedule_sweeps(
    connection: AsyncConnection[dict[str, Any]],
    kind: str,
    organization_ids: Collection[UUID],
    every: timedelta,
) -> None:
    """The same for several organizations, outside any tenant."""
    began = _while_of_now(every)
    # in one order, for whoever else schedules them at the same time
    wanted = sorted(organization_ids)
    await connection.execute(
        """
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        SELECT wanted.organization_id, gen_random_uuid(), %(kind)s, wanted.subject_id, %(due_at)s
          FROM unnest(%(organization_ids)s::uuid[], %(subject_ids)s::uuid[]) AS wanted (organization_id, subject_id)
            ON CONFLICT (organization_id, kind, subject_id) DO NOTHING
        RETURNING pg_notify('due_work', '')
        """,
        {
            "kind": kind,
            "organization_ids": wanted,
            "subject_ids": [_sweep_id(id, kind, began) for id in wanted],
            "due_at": began + every,
        },
    )


def _while_of_now(every: timedelta) -> datetime:
    seconds = every.total_seconds()
    return datetime.fromtimestamp(clock.now().timestamp() // seconds * seconds, tz=UTC)


def _sweep_id(organization_id: UUID, kind: str, began: datetime) -> UUID:
    return uuid5(organization_id, f"{kind} {began.isoformat()}")


async def cancel(tx: Tx, kind: str, subject_id: UUID) -> None:
    """Forget work that is no longer wanted."""
    await tx.execute(
        "DELETE FROM due_work WHERE kind = %(kind)s AND subject_id = %(subject_id)s",
        kind=kind,
        subject_id=subject_id,
    )


async def schedule_each(tx: Tx, kind: str, times: Mapping[UUID, datetime]) -> None:
    """Do `kind` for each subject at its own time; what was scheduled for one before is moved."""
    await tx.execute(
        """
        INSERT INTO due_work (organization_id, id, kind, subject_id, due_at)
        SELECT %(organization_id)s, gen_random_uuid(), %(kind)s, wanted.subject_id, wanted.due_at
          FROM unnest(%(subject_ids)s::uuid[], %(times)s::timestamptz[]) AS wanted (subject_id, due_at)
            ON CONFLICT (organization_id, kind, subject_id)
            DO UPDATE SET due_at = EXCLUDED.due_at, lease_until = NULL, attempts = 0, status = 'open',
                          fence = due_work.fence + 1
        RETURNING pg_notify('due_work', '')
        """,
        organization_id=tx.organization_id,
        kind=kind,
        subject_ids=list(times),
        times=list(times.values()),
    )


async def cancel_each(tx: Tx, kind: str, subject_ids: Sequence[UUID]) -> None:
    """Forget work that is no longer wanted for any of the subjects."""
    await tx.execute(
        "DELETE FROM due_work WHERE kind = %(kind)s AND subject_id = ANY(%(subject_ids)s)",
        kind=kind,
        subject_ids=list(subject_ids),
    )


async def claim(
    connection: AsyncConnection[dict[str, Any]], kinds: list[str], limit: int, lease_seconds: float
) -> list[DueWork]:
    """Lease work of the given kinds whose time has come; call it outside any tenant."""
    cursor = await connection.execute(
        """
        UPDATE due_work AS d
           SET fence = d.fence + 1,
               lease_until = now() + make_interval(secs => %(lease_seconds)s)
          FROM (SELECT id
                  FROM due_work
                 WHERE status = 'open'
                   AND kind = ANY(%(kinds)s)
                   AND due_at <= now()
                   AND (lease_until IS NULL OR lease_until < now())
                   AND (organization_id <> ALL((SELECT closing_organizations())::uuid[])
                        OR kind = ANY(%(kept)s))
                 ORDER BY due_at
                 LIMIT %(limit)s
                   FOR UPDATE SKIP LOCKED) AS due
         WHERE d.id = due.id
        RETURNING d.id, d.organization_id, d.kind, d.subject_id, d.attempts, d.fence
        """,
        {"kinds": kinds, "limit": limit, "lease_seconds": lease_seconds, "kept": list(EVEN_WHEN_CLOSED)},
    )
    return [DueWork(**row) for row in await cursor.fetchall()]


async def seconds_to_next(connection: AsyncConnection[dict[str, Any]], kinds: list[str]) -> float | None:
    """Seconds until the next piece of unclaimed work is due; None when there is none."""
    cursor = await connection.execute(
        """
        SELECT extract(epoch FROM min(greatest(due_at, coalesce(lease_until, due_at))) - now())::float AS seconds
          FROM due_work
         WHERE status = 'open'
           AND kind = ANY(%(kinds)s)
           AND (organization_id <> ALL((SELECT closing_organizations())::uuid[])
                OR kind = ANY(%(kept)s))
        """,
        {"kinds": kinds, "kept": list(EVEN_WHEN_CLOSED)},
    )
    row = await cursor.fetchone()
    return row["seconds"] if row else None
