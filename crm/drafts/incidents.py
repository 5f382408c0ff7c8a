"""What a seat has sent, and which of it was taken back or complained about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Tx
from crm.drafts.models import IncidentKind
from events.ids import BidiId, ConversationId, DraftId


@dataclass(frozen=True)
class Incident:
    """`intents` are what the contact wanted, `by_itself` whether the seat had sent the reply without a person."""

    id: UUID
    draft_id: DraftId
    bidi_id: BidiId
    conversation_id: ConversationId
    contact_name: str
    kind: IncidentKind
    note: str
    intents: list[str]
    body: str
    by_itself: bool
    noted_by: UUID
    noter_name: str
    noted_at: datetime


async def list_incidents(tx: Tx, bidi_id: BidiId, *, limit: int = 50) -> list[Incident]:
    """The incidents of a seat, the latest first."""
    tx.principal.require("crm:read")
    return await tx.all(
        Incident,
        """
        SELECT i.id, i.draft_id, i.bidi_id, d.conversation_id, c.name AS contact_name, i.kind, i.note, d.intents,
               d.body, a.decided_by IS NOT DISTINCT FROM i.bidi_id AS by_itself, i.noted_by,
               coalesce(m.name, '') AS noter_name, i.noted_at
          FROM reply_incidents i
          JOIN drafts d ON (d.organization_id, d.id) = (i.organization_id, i.draft_id)
          JOIN contacts c ON (c.organization_id, c.id) = (d.organization_id, d.contact_id)
          LEFT JOIN approvals a ON (a.organization_id, a.draft_id) = (i.organization_id, i.draft_id)
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (i.organization_id, i.noted_by)
         WHERE i.bidi_id = %(bidi_id)s
         ORDER BY i.noted_at DESC, i.id DESC
         LIMIT %(limit)s
        """,
        bidi_id=bidi_id,
        limit=limit,
    )


@dataclass(frozen=True)
class Reply:
    """A reply that a seat sent without a person; `incident` is what befell it, if anything."""

    draft_id: DraftId
    conversation_id: ConversationId
    contact_name: str
    language: str
    intents: list[str]
    body: str
    sent_at: datetime
    incident: IncidentKind | None


async def list_own_replies(tx: Tx, bidi_id: BidiId, *, limit: int = 5) -> list[Reply]:
    """What a seat sent by itself, the latest first."""
    tx.principal.require("conversations:read")
    return await tx.all(
        Reply,
        """
        SELECT d.id AS draft_id, d.conversation_id, c.name AS contact_name, d.language, d.intents, d.body,
               a.decided_at AS sent_at, i.kind AS incident
          FROM drafts d
          JOIN approvals a ON (a.organization_id, a.draft_id) = (d.organization_id, d.id)
          JOIN contacts c ON (c.organization_id, c.id) = (d.organization_id, d.contact_id)
          LEFT JOIN reply_incidents i ON (i.organization_id, i.draft_id) = (d.organization_id, d.id)
         WHERE d.bidi_id = %(bidi_id)s
           AND d.status = 'approved'
           AND a.decided_by = d.bidi_id
         ORDER BY d.created_at DESC, d.id DESC
         LIMIT %(limit)s
        """,
        bidi_id=bidi_id,
        limit=limit,
    )
