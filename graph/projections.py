"""Whether an adapter holds all of an organization's facts: rows beside the facts, claimed before a catch-up."""

from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from graph.store import Adapter


@dataclass(frozen=True)
class Claim:
    """The right to catch up one projection; it is void once another write was missed (`misses` moved on)."""

    token: UUID
    misses: int


@dataclass(frozen=True)
class _Token:
    token: UUID | None


async def find_token(tx: Tx, adapter: Adapter) -> UUID | None:
    """What the adapter's server must show to be taken for complete; None when it is behind."""
    row = await tx.find(
        _Token,
        "SELECT token FROM graph_projections WHERE adapter = %(adapter)s AND is_current",
        adapter=adapter.value,
    )
    return row.token if row else None


async def mark_behind(tx: Tx, adapter: Adapter) -> None:
    """A write did not arrive: nobody reads there until somebody has caught up."""
    await tx.execute(
        """
        UPDATE graph_projections
           SET is_current = false, misses = misses + 1
         WHERE adapter = %(adapter)s
        """,
        adapter=adapter.value,
    )


async def claim(tx: Tx, adapter: Adapter, token: UUID, lease_seconds: float) -> Claim | None:
    """Lease the catch-up of a projection; None while somebody else is at it. A claim makes it not current."""
    return await tx.find(
        Claim,
        """
        INSERT INTO graph_projections AS p (organization_id, adapter, token, lease_until)
        VALUES (%(organization_id)s, %(adapter)s, %(token)s, now() + make_interval(secs => %(lease_seconds)s))
        ON CONFLICT (organization_id, adapter)
        DO UPDATE SET is_current = false, token = EXCLUDED.token, lease_until = EXCLUDED.lease_until
                WHERE p.lease_until IS NULL OR p.lease_until < now()
        RETURNING token, misses
        """,
        organization_id=tx.organization_id,
        adapter=adapter.value,
        token=token,
        lease_seconds=lease_seconds,
    )


async def renew(tx: Tx, adapter: Adapter, claim: Claim, lease_seconds: float) -> None:
    """Keep the lease while the catch-up goes on."""
    await tx.execute(
        """
        UPDATE graph_projections
           SET lease_until = now() + make_interval(secs => %(lease_seconds)s)
         WHERE adapter = %(adapter)s
           AND token = %(token)s
        """,
        adapter=adapter.value,
        token=claim.token,
        lease_seconds=lease_seconds,
    )


async def release(tx: Tx, adapter: Adapter, claim: Claim, *, is_complete: bool) -> bool:
    """Give the lease back; the projection is current if it is complete and no write was missed meanwhile."""
    is_current: bool | None = await tx.value(
        """
        UPDATE graph_projections
           SET is_current = %(is_complete)s AND misses = %(misses)s, lease_until = NULL, projected_at = now()
         WHERE adapter = %(adapter)s
           AND token = %(token)s
        RETURNING is_current
        """,
        adapter=adapter.value,
        is_complete=is_complete,
        misses=claim.misses,
        token=claim.token,
    )
    return bool(is_current)
