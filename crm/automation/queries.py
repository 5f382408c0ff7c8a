"""Reading triggers and the values that their conditions look at."""

from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from crm.automation.models import FieldName, Trigger, Value
from events.ids import ConversationId, MessageId


@dataclass(frozen=True)
class Situation:
    """What an event about a message is evaluated against."""

    text: str
    direction: str
    seq: int
    channel: str
    status: str
    holder_kind: str | None
    language: str
    is_suppressed: bool
    holder_id: UUID | None = None

    def value(self, field: FieldName) -> Value:
        values: dict[FieldName, Value] = {
            "message.text": self.text,
            "message.direction": self.direction,
            "conversation.channel": self.channel,
            "conversation.status": self.status,
            "conversation.holder_kind": self.holder_kind,
            "contact.language": self.language,
            "contact.is_suppressed": self.is_suppressed,
        }
        return values[field]


async def list_triggers(tx: Tx, event_type: str) -> list[Trigger]:
    """The enabled triggers of an event type."""
    return await tx.all(
        Trigger,
        """
        SELECT id, name, event_type, conditions, actions, is_enabled
          FROM triggers
         WHERE event_type = %(event_type)s
           AND is_enabled
         ORDER BY created_at, id
        """,
        event_type=event_type,
    )


async def get_situation(tx: Tx, conversation_id: ConversationId, message_id: MessageId) -> Situation:
    """Raises: NotFound."""
    return await tx.one(
        Situation,
        """
        SELECT m.body AS text, m.direction, m.seq, v.channel, v.status, v.holder_kind, c.language,
               c.suppressed_at IS NOT NULL AS is_suppressed, v.holder_id
          FROM conversations v
          JOIN messages m ON m.conversation_id = v.id
          JOIN contacts c ON c.id = v.contact_id
         WHERE v.id = %(conversation_id)s
           AND m.id = %(message_id)s
        """,
        conversation_id=conversation_id,
        message_id=message_id,
    )
