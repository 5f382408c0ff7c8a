"""Reading conversations, messages and attachments."""

from uuid import UUID

from core.db import Tx
from crm.conversations.models import Attachment, Conversation, Message
from events.ids import AttachmentId, ChannelAccountId, ContactId, ConversationId, MessageId


async def get_conversation(tx: Tx, conversation_id: ConversationId) -> Conversation:
    """Raises: NotFound."""
    return await tx.one(
        Conversation,
        """
        SELECT id, channel_account_id, channel, contact_id, external_id, status, snoozed_until, holder_kind, holder_id,
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step
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
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step
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
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step
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
               last_seq, last_inbound_seq, read_seq, last_message_at, handoff_reason, handoff_summary, handoff_next_step
          FROM conversations
         WHERE contact_id = %(contact_id)s
         ORDER BY last_message_at DESC, id
        """,
        contact_id=contact_id,
    )


async def list_messages(tx: Tx, conversation_id: ConversationId, *, last: int = 200) -> list[Message]:
    """The newest `last` messages of a conversation, oldest first."""
    return await tx.all(
        Message,
        """
        SELECT id, conversation_id, seq, direction, status, body, author_kind, author_id, draft_id, approved_by, failure,
               occurred_at, edited_at, sent_at, scheduled_at
          FROM (SELECT *
                  FROM messages
                 WHERE conversation_id = %(conversation_id)s
                 ORDER BY seq DESC
                 LIMIT %(last)s) AS newest
         ORDER BY seq
        """,
        conversation_id=conversation_id,
        last=last,
    )


async def get_message(tx: Tx, message_id: MessageId) -> Message:
    """Raises: NotFound."""
    return await tx.one(
        Message,
        """
        SELECT id, conversation_id, seq, direction, status, body, author_kind, author_id, draft_id, approved_by, failure,
               occurred_at, edited_at, sent_at, scheduled_at
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
