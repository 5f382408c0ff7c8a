"""Leased rows: deliveries and due work are claimed, renewed, settled, postponed and buried in one way.

A claim raises the row's `fence`; whoever holds an older fence can no longer touch the row, so a stalled
process cannot write late.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, LiteralString
from uuid import UUID

from psycopg import sql

from core.db import Tx


@dataclass(frozen=True)
class Lease:
    """The right to work on one row until its lease ends; `attempts` counts the starts before this one."""

    table: Literal["event_deliveries", "due_work"]
    id: UUID
    organization_id: UUID
    fence: int
    attempts: int


async def begin(tx: Tx, lease: Lease, seconds: float) -> bool:
    """Count the attempt and renew the lease; False when somebody else holds the row by now."""
    held = await _update(
        tx,
        lease,
        "attempts = attempts + 1, lease_until = now() + make_interval(secs => %(seconds)s)",
        seconds=seconds,
    )
    return held == 1


async def renew(tx: Tx, lease: Lease, seconds: float) -> bool:
    """Extend the lease of work that is still going on; False when it was lost."""
    held = await _update(
        tx, lease, "lease_until = now() + make_interval(secs => %(seconds)s)", seconds=seconds
    )
    return held == 1


async def settle(tx: Tx, lease: Lease) -> bool:
    """Close the row in the transaction of its effect; False when the lease was lost: then roll back."""
    settled = await tx.execute(
        # A later row of the same subject may have waited for this one.
        sql.SQL(
            "DELETE FROM {} WHERE id = %(id)s AND fence = %(fence)s AND status = 'open' RETURNING pg_notify({}, '')"
        ).format(sql.Identifier(lease.table), sql.Literal(lease.table)),
        id=lease.id,
        fence=lease.fence,
    )
    return settled == 1


async def postpone(tx: Tx, lease: Lease, delay: timedelta, reason: str, *, counts: bool) -> None:
    """Give the row back for later; `counts` says whether this was a failed attempt."""
    await _update(
        tx,
        lease,
        """
        due_at = now() + %(delay)s,
        lease_until = NULL,
        attempts = attempts - CASE WHEN %(counts)s THEN 0 ELSE 1 END,
        last_error = %(reason)s
        """,
        delay=delay,
        counts=counts,
        reason=reason,
    )
    await tx.execute("SELECT pg_notify(%(channel)s, '')", channel=lease.table)


async def bury(tx: Tx, lease: Lease, reason: str) -> None:
    """Move a row that keeps failing to the dead letters, where it no longer blocks what comes after it."""
    await _update(tx, lease, "status = 'dead', lease_until = NULL, last_error = %(reason)s", reason=reason)


async def _update(tx: Tx, lease: Lease, assignments: LiteralString, **params: object) -> int:
    return await tx.execute(
        sql.SQL("UPDATE {} SET {} WHERE id = %(id)s AND fence = %(fence)s AND status = 'open'").format(
            sql.Identifier(lease.table),
            sql.SQL(assignments),
        ),
        id=lease.id,
        fence=lease.fence,
        **params,
    )
