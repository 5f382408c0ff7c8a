"""Bringing in conversations that happened elsewhere: stored as they were, nothing is triggered and nothing sent."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from core.ids import uuid7
from crm.channel_accounts.models import ChannelAccount
from events.ids import ContactId, ConversationId
from events.outbox import emit
from events.types import ConversationImported


@dataclass(frozen=True)
class PastMessage:
    """A message of a conversation that is over; `author_id` is the contact or the member who wrote it."""

    is_inbound: bool
    author_kind: str
    author_id: object
    body: str
    occurred_at: datetime
    external_id: str | None = None


async def import_conversation(
    tx: Tx, account: ChannelAccount, contact_id: ContactId, *, chat_id: str, messages: list[PastMessage]
) -> ConversationId:
    """Store a whole past conversation, oldest message first; everything in it counts as read.

    Raises: psycopg.errors.UniqueViolation when the chat is already a conversation of the account.
    """
    tx.principal.require("conversations:write")
    conversation_id = ConversationId(uuid7())
    inbound = [seq for seq, message in enumerate(messages, start=1) if message.is_inbound]
    await tx.execute(
        """
        INSERT INTO conversations (organization_id, id, channel_account_id, channel, contact_id, external_id, last_seq,
                                   last_inbound_seq, read_seq, last_message_at)
        VALUES (%(organization_id)s, %(id)s, %(account_id)s, %(channel)s, %(contact_id)s, %(chat_id)s, %(last_seq)s,
                %(last_inbound_seq)s, %(last_seq)s, %(last_message_at)s)
        """,
        organization_id=tx.organization_id,
        id=conversation_id,
        account_id=account.id,
        channel=account.channel,
        contact_id=contact_id,
        chat_id=chat_id,
        last_seq=len(messages),
        last_inbound_seq=inbound[-1] if inbound else 0,
        last_message_at=messages[-1].occurred_at,
    )
    rows = [
        {
            "organization_id": tx.organization_id,
            "id": uuid7(),
            "conversation_id": conversation_id,
            "account_id": account.id,
            "seq": seq,
            "direction": "in" if message.is_inbound else "out",
            "status": "read" if message.is_inbound else "sent",
            "external_id": message.external_id,
            "body": message.body,
            "author_kind": message.author_kind,
            "author_id": message.author_id,
            "occurred_at": message.occurred_at,
            "sent_at": None if message.is_inbound else message.occurred_at,
        }
        for seq, message in enumerate(messages, start=1)
    ]
    await tx.execute_many(
        """
        INSERT INTO messages (organization_id, id, conversation_id, channel_account_id, seq, direction, status,
                              external_id, body, author_kind, author_id, occurred_at, sent_at)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(account_id)s, %(seq)s, %(direction)s, %(status)s,
                %(external_id)s, %(body)s, %(author_kind)s, %(author_id)s, %(occurred_at)s, %(sent_at)s)
        """,
        rows,
    )
    await tx.execute(
        "UPDATE conversations SET last_message_id = %(message_id)s WHERE id = %(id)s",
        message_id=rows[-1]["id"],
        id=conversation_id,
    )
    await emit(tx, ConversationImported(conversation_id))
    return conversation_id
