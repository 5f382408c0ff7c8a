"""A mail as it came, with what its place in the thread leaves out."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from events.ids import ContactId, ConversationId, MessageId


@dataclass(frozen=True)
class WholeMail:
    """`text` is everything that can be read in it, quotes and signature too; it is text and never markup."""

    id: MessageId
    conversation_id: ConversationId
    contact_id: ContactId
    contact_name: str
    language: str
    direction: str
    kind: str
    subject: str
    address: str
    occurred_at: datetime
    text: str


async def get_whole_mail(tx: Tx, message_id: MessageId) -> WholeMail:
    """Raises: NotFound when there is no such message, or it is no mail."""
    return await tx.one(
        WholeMail,
        """
        SELECT m.id, m.conversation_id, v.contact_id, c.name AS contact_name, c.language, m.direction, m.kind, m.subject,
               m.address, m.occurred_at, coalesce(m.full_text, m.body) AS text
          FROM messages m
          JOIN conversations v ON (v.organization_id, v.id) = (m.organization_id, m.conversation_id)
          JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
         WHERE m.id = %(message_id)s
           AND m.address <> ''
        """,
        message_id=message_id,
    )
