"""Bringing in what people decided elsewhere about an agent's drafts: nothing is sent, and nobody is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.db import Tx
from core.ids import uuid7
from crm.conversations.actions import outgoing_hash
from crm.conversations.queries import get_conversation
from crm.drafts.models import DraftStatus
from events.ids import BidiId, ConversationId, UserId

# How long a person took; the past does not say it more exactly.
_THOUGHT = timedelta(minutes=3)


@dataclass(frozen=True)
class PastDecision:
    """A draft that somebody decided about; `original` is what the agent had written, if they changed it."""

    conversation_id: ConversationId
    intent: str
    body: str
    language: str
    decided_by: UserId
    decided_at: datetime
    status: DraftStatus = DraftStatus.APPROVED
    original: str | None = None
    reason: str = ""


async def add_past_decisions(tx: Tx, bidi_id: BidiId, decisions: Sequence[PastDecision]) -> None:
    """Store decisions as they were taken; they count for what the seat has earned."""
    tx.principal.require("drafts:write")
    for past in decisions:
        conversation = await get_conversation(tx, past.conversation_id)
        content_hash = outgoing_hash(conversation, past.body)
        draft_id = uuid7()
        await tx.execute(
            """
            INSERT INTO drafts (organization_id, id, conversation_id, contact_id, bidi_id, status, version, body,
                                original_body, language, based_on_seq, content_hash, reason, edited_by, intents,
                                created_at, updated_at)
            VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(contact_id)s, %(bidi_id)s, %(status)s, 2,
                    %(body)s, %(original)s, %(language)s, %(based_on_seq)s, %(content_hash)s, %(reason)s,
                    %(edited_by)s, ARRAY[%(intent)s::text], %(created_at)s, %(decided_at)s)
            """,
            organization_id=tx.organization_id,
            id=draft_id,
            conversation_id=conversation.id,
            contact_id=conversation.contact_id,
            bidi_id=bidi_id,
            status=past.status,
            body=past.body,
            original=past.original,
            language=past.language,
            based_on_seq=conversation.last_inbound_seq,
            content_hash=content_hash,
            reason=past.reason,
            edited_by=past.decided_by if past.original is not None else None,
            intent=past.intent,
            created_at=past.decided_at - _THOUGHT,
            decided_at=past.decided_at,
        )
        await tx.execute(
            """
            INSERT INTO approvals (organization_id, id, draft_id, content_hash, status, why, decided_by, decided_at,
                                   reason, created_at)
            VALUES (%(organization_id)s, %(id)s, %(draft_id)s, %(content_hash)s, %(status)s, '{autonomy}',
                    %(decided_by)s, %(decided_at)s, %(reason)s, %(created_at)s)
            """,
            organization_id=tx.organization_id,
            id=uuid7(),
            draft_id=draft_id,
            content_hash=content_hash,
            status=past.status,
            decided_by=past.decided_by,
            decided_at=past.decided_at,
            reason=past.reason,
            created_at=past.decided_at - _THOUGHT,
        )
