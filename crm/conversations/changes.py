"""What happened in conversations, ids only, for those who follow from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from events.ids import ConversationId


@dataclass(frozen=True)
class ConversationEvent:
    """One event of a conversation."""

    id: UUID
    name: str
    conversation_id: ConversationId


@dataclass(frozen=True)
class Concern:
    """Whom an event concerns: who did it, who held the conversation then, and who lost it by the event."""

    event_id: UUID
    holder_ids: list[UUID]


async def list_events_after(tx: Tx, event_id: UUID, *, limit: int) -> list[ConversationEvent]:
    """Events with a higher id, in the order of their ids, which begin with their time."""
    return await tx.all(
        ConversationEvent,
        """
        SELECT e.id, e.type AS name, e.subject_id AS conversation_id
          FROM events e
          JOIN conversations c ON (c.organization_id, c.id) = (e.organization_id, e.subject_id)
         WHERE e.subject_kind = 'conversation'
           AND e.id > %(event_id)s
         ORDER BY e.id
         LIMIT %(limit)s
        """,
        event_id=event_id,
        limit=limit,
    )


async def list_concerns(tx: Tx, event_ids: Sequence[UUID]) -> list[Concern]:
    """Whom these events concern. Who held a conversation at an event follows from the changes of its holder around
    the event, so that the answer is the same whenever it is asked.
    """
    return await tx.all(
        Concern,
        """
        SELECT e.id AS event_id,
               array_remove(ARRAY[e.actor_id,
                                  NULLIF(CASE WHEN last.seq IS NOT NULL THEN last.holder ->> 1
                                              WHEN next.seq IS NOT NULL THEN next.holder ->> 0
                                              ELSE c.holder_id::text
                                         END, '')::uuid,
                                  NULLIF(CASE WHEN last.seq = e.seq THEN last.holder ->> 0 END, '')::uuid],
                            NULL) AS holder_ids
          FROM events e
          JOIN conversations c ON (c.organization_id, c.id) = (e.organization_id, e.subject_id)
          LEFT JOIN LATERAL (
               SELECT a.seq, h.changes -> 'holder' AS holder
                 FROM events a
                 JOIN event_changes h ON (h.organization_id, h.event_id) = (a.organization_id, a.id)
                WHERE (a.organization_id, a.subject_kind, a.subject_id)
                      = (e.organization_id, e.subject_kind, e.subject_id)
                  AND a.type IN ('conversation.assigned', 'conversation.handed_off')
                  AND a.seq <= e.seq
                ORDER BY a.seq DESC
                LIMIT 1) AS last ON true
          LEFT JOIN LATERAL (
               SELECT a.seq, h.changes -> 'holder' AS holder
                 FROM events a
                 JOIN event_changes h ON (h.organization_id, h.event_id) = (a.organization_id, a.id)
                WHERE (a.organization_id, a.subject_kind, a.subject_id)
                      = (e.organization_id, e.subject_kind, e.subject_id)
                  AND a.type IN ('conversation.assigned', 'conversation.handed_off')
                  AND a.seq > e.seq
                ORDER BY a.seq
                LIMIT 1) AS next ON last.seq IS NULL
         WHERE e.subject_kind = 'conversation'
           AND e.id = ANY(%(event_ids)s)
        """,
        event_ids=list(event_ids),
    )


async def has_holder(tx: Tx, holder_id: UUID) -> bool:
    """Whether this is a seat or a member of the organization: somebody who may hold a conversation."""
    found = await tx.value(
        """
        SELECT 1
         WHERE EXISTS (SELECT FROM bidi WHERE id = %(holder_id)s)
            OR EXISTS (SELECT FROM members WHERE user_id = %(holder_id)s)
        """,
        holder_id=holder_id,
    )
    return found is not None


async def list_own_holders(tx: Tx) -> list[UUID]:
    """As whom the principal may hold conversations: itself, and the seats that are its own."""
    held: list[UUID] = await tx.value(
        "SELECT array_remove(ARRAY[sight_person()] || ARRAY(SELECT own_seats() ORDER BY 1), NULL)"
    )
    return held


async def is_seen(tx: Tx, event_id: UUID) -> bool:
    """Whether the principal sees an event: the policies of sight decide."""
    return await tx.value("SELECT true FROM events WHERE id = %(event_id)s", event_id=event_id) is True
