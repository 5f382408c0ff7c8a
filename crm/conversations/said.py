"""What was said in a conversation: the messages that really went over the channel, with the names of their authors."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from events.ids import ConversationId, MessageId


@dataclass(frozen=True)
class Said:
    """One message; `author` is the name of a contact, a member or a seat, or empty."""

    id: MessageId
    seq: int
    is_ours: bool
    author: str
    text: str
    occurred_at: datetime


async def list_said(
    tx: Tx, conversation_id: ConversationId, *, after_seq: int = 0, limit: int = 500
) -> list[Said]:
    """What people wrote after a place in the conversation, oldest first; no robots, nothing unsent."""
    return await tx.all(
        Said,
        """
        SELECT m.id, m.seq, m.direction = 'out' AS is_ours,
               CASE WHEN m.direction = 'in' THEN p.name ELSE coalesce(u.name, b.name, '') END AS author,
               m.body AS text, coalesce(m.sent_at, m.occurred_at) AS occurred_at
          FROM messages m
          JOIN conversations c ON (c.organization_id, c.id) = (m.organization_id, m.conversation_id)
          JOIN contacts p ON (p.organization_id, p.id) = (c.organization_id, c.contact_id)
          LEFT JOIN members u ON (u.organization_id, u.user_id) = (m.organization_id, m.author_id)
          LEFT JOIN bidi b ON (b.organization_id, b.id) = (m.organization_id, m.author_id)
         WHERE m.conversation_id = %(conversation_id)s
           AND m.status IN ('received', 'read', 'sent', 'delivered')
           AND m.kind = 'ordinary'
           AND m.seq > %(after_seq)s
         ORDER BY m.seq
         LIMIT %(limit)s
        """,
        conversation_id=conversation_id,
        after_seq=after_seq,
        limit=limit,
    )
