"""Events as rows: emitted in the action's own transaction, claimed and settled by the relay and the workers.

Order: `seq` is taken under the row lock of the event's subject, so it follows commit order, and a delivery
can be claimed only while no earlier one for the same handler and subject is open.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from psycopg import AsyncConnection

from core import clock
from core.db import Tx
from core.ids import uuid7
from core.jsons import dumps
from core.telemetry import trace_headers
from events import due
from events.ids import EventId
from events.leases import Lease
from events.types import BY_NAME, Event

# What was routed is sealed into the audit chain at the end of a while of this length.
SEAL = "audit.seal"
SEAL_EVERY = timedelta(seconds=2)


@dataclass(frozen=True)
class Recorded:
    """An event as read back, with its envelope."""

    id: UUID
    organization_id: UUID
    type: str
    version: int
    occurred_at: datetime
    actor_kind: str
    actor_id: UUID
    subject_kind: str
    subject_id: UUID
    seq: int
    causation_id: UUID | None
    correlation_id: UUID
    run_id: UUID | None
    data: dict[str, Any]
    trace: dict[str, str]

    def event(self) -> Event:
        """The typed event."""
        kind = BY_NAME[self.type]
        return kind(**{name: UUID(value) if value else None for name, value in self.data.items()})


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one handler."""

    id: UUID
    organization_id: UUID
    event_id: UUID
    event_type: str
    subject_kind: str
    subject_id: UUID
    handler: str
    attempts: int
    fence: int

    @property
    def lease(self) -> Lease:
        return Lease("event_deliveries", self.id, self.organization_id, self.fence, self.attempts)

    def event_of_subject(self) -> Event:
        """The event without loading it, for types whose only field is their subject."""
        kind = cast(
            Callable[[UUID], Event], BY_NAME[self.event_type]
        )  # mypy sees the base, which has no field
        return kind(self.subject_id)


async def emit(tx: Tx, event: Event, changes: Mapping[str, tuple[object, object]] | None = None) -> EventId:
    """Append an event in this transaction; it is delivered if and only if the transaction commits.

    `changes` holds field -> (before, after); it is stored apart from the event so that it can be erased.
    """
    event_id = uuid7()
    principal = tx.principal
    origin = principal.origin
    subject_kind, subject_id = event.subject
    data = {name: str(value) if value is not None else None for name, value in asdict(event).items()}
    await tx.execute(
        """
        WITH subject AS (
            INSERT INTO event_subjects AS s (organization_id, kind, id, last_seq)
            VALUES (%(organization_id)s, %(subject_kind)s, %(subject_id)s, 1)
            ON CONFLICT (organization_id, kind, id) DO UPDATE SET last_seq = s.last_seq + 1
            RETURNING last_seq
        ), event AS (
            INSERT INTO events (id, organization_id, type, version, occurred_at, actor_kind, actor_id,
                                subject_kind, subject_id, seq, causation_id, correlation_id, run_id, data, trace,
                                via, credential_id, responsible_id)
            SELECT %(id)s, %(organization_id)s, %(type)s, %(version)s, %(occurred_at)s, %(actor_kind)s,
                   %(actor_id)s, %(subject_kind)s, %(subject_id)s, last_seq, %(causation_id)s,
                   %(correlation_id)s, %(run_id)s, %(data)s::jsonb, %(trace)s::jsonb, %(via)s, %(credential_id)s,
                   %(responsible_id)s
              FROM subject
            RETURNING id
        ), origin AS (
            INSERT INTO event_origins (organization_id, event_id, address, agent)
            SELECT %(organization_id)s, id, %(address)s, %(agent)s
              FROM event
             WHERE %(address)s || %(agent)s <> ''
        )
        INSERT INTO event_deliveries (organization_id, id, event_id, event_type, handler, subject_kind, subject_id, seq)
        SELECT %(organization_id)s, gen_random_uuid(), %(id)s, %(type)s, 'route', %(subject_kind)s, %(subject_id)s,
               last_seq
          FROM subject
        RETURNING pg_notify('event_deliveries', '')
        """,
        id=event_id,
        organization_id=principal.organization_id,
        type=event.name,
        version=event.version,
        occurred_at=clock.now(),
        actor_kind=principal.kind,
        actor_id=principal.id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        causation_id=principal.causation_id,
        correlation_id=principal.correlation_id or event_id,
        run_id=principal.run_id,
        data=dumps(data),
        trace=dumps(trace_headers()),
        via=origin.via if origin else None,
        credential_id=origin.credential_id if origin else None,
        responsible_id=principal.behalf_of or principal.responsible_id,
        address=origin.address if origin else "",
        agent=origin.agent if origin else "",
    )
    if changes:
        await tx.execute(
            """
            INSERT INTO event_changes (organization_id, event_id, changes)
            VALUES (%(organization_id)s, %(event_id)s, %(changes)s::jsonb)
            """,
            organization_id=principal.organization_id,
            event_id=event_id,
            changes=dumps({field: list(pair) for field, pair in changes.items()}),
        )
    return EventId(event_id)


async def list_changed(tx: Tx, event_id: EventId) -> list[str]:
    """The names of the fields that an event changed."""
    changed: list[str] | None = await tx.value(
        """
        SELECT ARRAY(SELECT jsonb_object_keys(changes) ORDER BY 1)
          FROM event_changes
         WHERE event_id = %(event_id)s
        """,
        event_id=event_id,
    )
    return changed or []


async def route(
    connection: AsyncConnection[dict[str, Any]], routes: Mapping[str, Sequence[str]], limit: int
) -> int:
    """Fan events out into one delivery per handler, in order per subject; return how many were fanned out.

    They are put where the sealer of the audit chain finds them, too.
    """
    cursor = await connection.execute(
        """
        SELECT d.id, d.event_type, d.organization_id
          FROM event_deliveries d
         WHERE d.handler = 'route'
           AND NOT EXISTS (
               SELECT FROM event_deliveries earlier
                WHERE (earlier.organization_id, earlier.subject_kind, earlier.subject_id)
                      = (d.organization_id, d.subject_kind, d.subject_id)
                  AND earlier.handler = 'route'
                  AND earlier.seq < d.seq)
         LIMIT %(limit)s
           FOR UPDATE OF d SKIP LOCKED
        """,
        {"limit": limit},
    )
    waiting = await cursor.fetchall()
    if not waiting:
        return 0
    fan_out = [(row["id"], handler) for row in waiting for handler in routes.get(row["event_type"], ())]
    if fan_out:
        await connection.execute(
            """
            INSERT INTO event_deliveries (organization_id, id, event_id, event_type, handler,
                                          subject_kind, subject_id, seq)
            SELECT d.organization_id, gen_random_uuid(), d.event_id, d.event_type, target.handler,
                   d.subject_kind, d.subject_id, d.seq
              FROM unnest(%(ids)s::uuid[], %(handlers)s::text[]) AS target (id, handler)
              JOIN event_deliveries d ON d.id = target.id
            """,
            {"ids": [id for id, _ in fan_out], "handlers": [handler for _, handler in fan_out]},
        )
    await connection.execute(
        """
        WITH routed AS (
            DELETE FROM event_deliveries
             WHERE id = ANY(%(ids)s)
            RETURNING organization_id, event_id
        )
        INSERT INTO audit_waiting (organization_id, event_id)
        SELECT organization_id, event_id
          FROM routed
        """,
        {"ids": [row["id"] for row in waiting]},
    )
    await due.schedule_sweeps(connection, SEAL, {row["organization_id"] for row in waiting}, SEAL_EVERY)
    return len(waiting)


async def claim(
    connection: AsyncConnection[dict[str, Any]],
    limit: int,
    lease_seconds: float,
    unordered: Sequence[str] = (),
) -> list[Delivery]:
    """Lease deliveries that are due and whose predecessors are settled; call it outside any tenant.

    Deliveries to `unordered` handlers do not wait for each other.
    """
    cursor = await connection.execute(
        """
        UPDATE event_deliveries AS d
           SET fence = d.fence + 1,
               lease_until = now() + make_interval(secs => %(lease_seconds)s)
          FROM (SELECT open.id
                  FROM event_deliveries open
                 WHERE open.status = 'open'
                   AND open.handler <> 'route'
                   AND open.due_at <= now()
                   AND (open.lease_until IS NULL OR open.lease_until < now())
                   AND (open.organization_id <> ALL((SELECT closing_organizations())::uuid[])
                        OR open.handler = ANY(%(kept)s))
                   AND (open.handler = ANY(%(unordered)s)
                        OR NOT EXISTS (
                            SELECT FROM event_deliveries earlier
                             WHERE (earlier.organization_id, earlier.subject_kind, earlier.subject_id)
                                   = (open.organization_id, open.subject_kind, open.subject_id)
                               AND earlier.handler = open.handler
                               AND earlier.status = 'open'
                               AND earlier.seq < open.seq))
                 ORDER BY open.due_at
                 LIMIT %(limit)s
                   FOR UPDATE SKIP LOCKED) AS due
         WHERE d.id = due.id
        RETURNING d.id, d.organization_id, d.event_id, d.event_type, d.subject_kind, d.subject_id, d.handler,
                  d.attempts, d.fence
        """,
        {
            "limit": limit,
            "lease_seconds": lease_seconds,
            "unordered": list(unordered),
            "kept": list(due.EVEN_WHEN_CLOSED),
        },
    )
    return [Delivery(**row) for row in await cursor.fetchall()]


async def hasten(tx: Tx, kind: type[Event], subject_id: UUID) -> None:
    """Look at once at deliveries of a subject that were put off: what they waited for has changed.

    Those that come after them in order would wait as long otherwise.
    """
    await tx.execute(
        """
        UPDATE event_deliveries
           SET due_at = now()
         WHERE subject_kind = %(subject_kind)s
           AND subject_id = %(subject_id)s
           AND event_type = %(event_type)s
           AND status = 'open'
           AND due_at > now()
        RETURNING pg_notify('event_deliveries', '')
        """,
        subject_kind=kind.subject_kind,
        subject_id=subject_id,
        event_type=kind.name,
    )


async def settle_together(
    connection: AsyncConnection[dict[str, Any]], deliveries: Sequence[Delivery]
) -> None:
    """Close deliveries of any tenants that needed nothing but their own rows; lost leases are left alone."""
    await connection.execute(
        """
        DELETE FROM event_deliveries AS d
         USING unnest(%(ids)s::uuid[], %(fences)s::int[]) AS done (id, fence)
         WHERE d.id = done.id
           AND d.fence = done.fence
           AND d.status = 'open'
        RETURNING pg_notify('event_deliveries', '')
        """,
        {"ids": [d.id for d in deliveries], "fences": [d.fence for d in deliveries]},
    )


async def get_event(tx: Tx, event_id: UUID) -> Recorded:
    """Raises: NotFound."""
    return await tx.one(
        Recorded,
        """
        SELECT id, organization_id, type, version, occurred_at, actor_kind, actor_id, subject_kind, subject_id,
               seq, causation_id, correlation_id, run_id, data, trace
          FROM events
         WHERE id = %(event_id)s
        """,
        event_id=event_id,
    )
