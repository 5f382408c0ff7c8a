"""Reading conversations, messages and attachments."""

from dataclasses import asdict
from uuid import UUID

from core.db import Tx
from core.pagination import Page, decode_id, decode_time, encode_cursor, page_of, page_size
from crm.conversations.models import Attachment, Conversation, ConversationFilter, Message
from events.ids import AttachmentId, ChannelAccountId, ContactId, ConversationId, MessageId


async def get_conversation(tx: Tx, conversation_id: ConversationId) -> Conversation:
    """Raises: NotFound."""
    return await tx.one(
        Conversation,
        """
        SELECT id, channel_account_id, channel, contact_id, external_id, status, snoozed_until, holder_kind, holder_id,
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step,
               subject, address
          FROM conversations
         WHERE id = %(conversation_id)s
        """,
        conversation_id=conversation_id,
    )


async def lock_conversation(tx: Tx, conversation_id: ConversationId) -> Conversation:
    """The conversation under a row lock: whoever writes into it takes turns. Raises: NotFound."""
    return await tx.one(
        Conversation,
        """
        SELECT id, channel_account_id, channel, contact_id, external_id, status, snoozed_until, holder_kind, holder_id,
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step,
               subject, address
          FROM conversations
         WHERE id = %(conversation_id)s
           FOR UPDATE
        """,
        conversation_id=conversation_id,
    )


async def find_conversation(tx: Tx, account_id: ChannelAccountId, chat_id: str) -> Conversation | None:
    """The conversation in one chat of one account, or None."""
    return await tx.find(
        Conversation,
        """
        SELECT id, channel_account_id, channel, contact_id, external_id, status, snoozed_until, holder_kind, holder_id,
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step,
               subject, address
          FROM conversations
         WHERE channel_account_id = %(account_id)s
           AND external_id = %(chat_id)s
        """,
        account_id=account_id,
        chat_id=chat_id,
    )


async def list_conversations_of_contact(tx: Tx, contact_id: ContactId) -> list[Conversation]:
    return await tx.all(
        Conversation,
        """
        SELECT id, channel_account_id, channel, contact_id, external_id, status, snoozed_until, holder_kind, holder_id,
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step,
               subject, address
          FROM conversations
         WHERE contact_id = %(contact_id)s
         ORDER BY last_message_at DESC, id
        """,
        contact_id=contact_id,
    )


async def list_conversations(
    tx: Tx, wanted: ConversationFilter, *, cursor: str | None = None, limit: int = 25
) -> Page[Conversation]:
    """Conversations, the one with the latest message first."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    at, after_id = decode_time(cursor) if cursor else (None, None)
    found = await tx.all(
        Conversation,
        """
        SELECT c.id, c.channel_account_id, c.channel, c.contact_id, c.external_id, c.status, c.snoozed_until,
               c.holder_kind, c.holder_id, c.last_seq, c.last_inbound_seq, c.read_seq, c.last_message_at,
               c.handoff_reason, c.handoff_summary, c.handoff_next_step, c.subject, c.address
          FROM conversations c
         WHERE (%(status)s::text IS NULL OR c.status = %(status)s)
           AND (%(channel)s::text IS NULL OR c.channel = %(channel)s)
           AND (%(contact_id)s::uuid IS NULL OR c.contact_id = %(contact_id)s)
           AND (%(holder_id)s::uuid IS NULL OR c.holder_id = %(holder_id)s)
           AND (%(is_unread)s::bool IS NULL OR (c.read_seq < c.last_inbound_seq) = %(is_unread)s)
           AND (%(at)s::timestamptz IS NULL
                OR c.last_message_at < %(at)s
                OR c.last_message_at = %(at)s AND c.id > %(after_id)s)
         ORDER BY c.last_message_at DESC, c.id
         LIMIT %(limit)s
        """,
        **asdict(wanted),
        at=at,
        after_id=after_id,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda c: encode_cursor(c.last_message_at.isoformat(), c.id))


async def list_message_page(
    tx: Tx, conversation_id: ConversationId, *, cursor: str | None = None, limit: int = 25
) -> Page[Message]:
    """The messages of a conversation, the newest first. Raises: NotFound."""
    tx.principal.require("conversations:read")
    await get_conversation(tx, conversation_id)
    size = page_size(limit)
    found = await tx.all(
        Message,
        """
        SELECT id, conversation_id, seq, direction, status, body, author_kind, author_id, draft_id, approved_by, failure,
               occurred_at, edited_at, sent_at, scheduled_at, kind, subject, address
          FROM messages
         WHERE conversation_id = %(conversation_id)s
           AND (%(before)s::uuid IS NULL
                OR seq < (SELECT seq FROM messages WHERE conversation_id = %(conversation_id)s AND id = %(before)s))
         ORDER BY seq DESC
         LIMIT %(limit)s
        """,
        conversation_id=conversation_id,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda message: encode_cursor(message.id))


async def count_answers_alone(tx: Tx, conversation_id: ConversationId) -> int:
    """How many replies in a row agents have sent here since a person of ours wrote, or let one go out."""
    count = await tx.value(
        """
        SELECT count(*)
          FROM messages
         WHERE conversation_id = %(conversation_id)s
           AND direction = 'out'
           AND author_kind = 'bidi'
           AND status <> 'cancelled'
           AND seq > coalesce((SELECT max(seq)
                                 FROM messages
                                WHERE conversation_id = %(conversation_id)s
                                  AND direction = 'out'
                                  AND (author_kind = 'user' OR approved_by IS NOT NULL)), 0)
        """,
        conversation_id=conversation_id,
    )
    return int(count)


async def list_messages(
    tx: Tx, conversation_id: ConversationId, *, last: int = 200, up_to: int | None = None
) -> list[Message]:
    """The newest `last` messages of a conversation, oldest first; those up to a place in it, if one is given."""
    return await tx.all(
        Message,
        """
        SELECT id, conversation_id, seq, direction, status, body, author_kind, author_id, draft_id, approved_by, failure,
               occurred_at, edited_at, sent_at, scheduled_at, kind, subject, address
          FROM (SELECT *
                  FROM messages
                 WHERE conversation_id = %(conversation_id)s
                   AND (%(up_to)s::bigint IS NULL OR seq <= %(up_to)s)
                 ORDER BY seq DESC
                 LIMIT %(last)s) AS newest
         ORDER BY seq
        """,
        conversation_id=conversation_id,
        up_to=up_to,
        last=last,
    )


async def get_message(tx: Tx, message_id: MessageId) -> Message:
    """Raises: NotFound."""
    return await tx.one(
        Message,
        """
        SELECT id, conversation_id, seq, direction, status, body, author_kind, author_id, draft_id, approved_by, failure,
               occurred_at, edited_at, sent_at, scheduled_at, kind, subject, address
          FROM messages
         WHERE id = %(message_id)s
        """,
        message_id=message_id,
    )


async def list_attachments(tx: Tx, message_ids: list[UUID]) -> list[Attachment]:
    return await tx.all(
        Attachment,
        """
        SELECT id, message_id, name, mime, size_bytes, status, refusal, provider_id, blob_key
          FROM attachments
         WHERE message_id = ANY(%(message_ids)s)
         ORDER BY id
        """,
        message_ids=message_ids,
    )


async def get_attachment(tx: Tx, attachment_id: AttachmentId) -> Attachment:
    """Raises: NotFound."""
    return await tx.one(
        Attachment,
        """
        SELECT id, message_id, name, mime, size_bytes, status, refusal, provider_id, blob_key
          FROM attachments
         WHERE id = %(attachment_id)s
        """,
        attachment_id=attachment_id,
    )


async def account_of_message(tx: Tx, message_id: MessageId) -> ChannelAccountId:
    """The channel account a message went over. Raises: NotFound through the caller's later lookup."""
    return ChannelAccountId(
        await tx.value(
            "SELECT channel_account_id FROM messages WHERE id = %(message_id)s", message_id=message_id
        )
    )
