"""Reading events as the chain binds them."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from core.db import Tx
from crm.audit.chain import Sealable

_SEALABLE: LiteralString = """
    SELECT e.id, e.organization_id, e.type, e.version, e.occurred_at, e.actor_kind, e.actor_id, e.subject_kind,
           e.subject_id, e.seq, e.causation_id, e.correlation_id, e.run_id, e.data::text AS data,
           e.trace::text AS trace, e.via, e.credential_id, e.responsible_id, v.changes::text AS changes,
           CASE WHEN o.event_id IS NOT NULL THEN jsonb_build_array(o.address, o.agent)::text END AS origin
      FROM events e
      LEFT JOIN event_changes v ON (v.organization_id, v.event_id) = (e.organization_id, e.id)
      LEFT JOIN event_origins o ON (o.organization_id, o.event_id) = (e.organization_id, e.id)
    """


async def list_waiting(tx: Tx, limit: int) -> list[Sealable]:
    """What is to be sealed next, the oldest first."""
    return await tx.all(
        Sealable,
        _SEALABLE
        + """
         WHERE e.id IN (
               SELECT event_id
                 FROM audit_waiting
                ORDER BY organization_id, event_id
                LIMIT %(limit)s)
         ORDER BY e.id
        """,
        limit=limit,
    )


async def list_sealables(tx: Tx, ids: Sequence[UUID]) -> list[Sealable]:
    """These events, as far as they are there."""
    return await tx.all(Sealable, _SEALABLE + "WHERE e.id = ANY(%(ids)s)", ids=list(ids))
