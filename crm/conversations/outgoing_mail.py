"""What a mail of ours needs beyond its text: who it answers, and a Message-ID that is stored before it leaves."""

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.db import Tx
from crm.conversations import threads
from crm.conversations.models import OutgoingMail
from events.ids import ChannelAccountId, ConversationId, MessageId


@dataclass(frozen=True)
class _Head:
    external_id: str | None
    conversation_id: ConversationId
    channel_account_id: ChannelAccountId
    subject: str
    sender: str
    sender_name: str
    sent_at: datetime | None


@dataclass(frozen=True)
class _Parent:
    external_id: str
    reference_ids: list[str]


async def name_mail(tx: Tx, message_id: MessageId, key: object) -> OutgoingMail:
    """Give the mail of a claimed attempt its Message-ID, made from the attempt's key, and its place in the thread.

    A second attempt of the same message has the same key, so the same Message-ID.
    """
    head = await _head(tx, message_id)
    mail_id = head.external_id or f"{key}@{head.sender.rpartition('@')[2]}"
    parent = await _parent(tx, head.conversation_id, message_id)
    references = _references(parent)
    await tx.execute(
        """
        UPDATE messages
           SET external_id = %(mail_id)s, reference_ids = %(references)s
         WHERE id = %(message_id)s
        """,
        mail_id=mail_id,
        references=list(references),
        message_id=message_id,
    )
    await threads.remember(tx, head.channel_account_id, head.conversation_id, [mail_id])
    return _outgoing(head, mail_id, parent.external_id if parent else "", references)


async def get_sent_mail(tx: Tx, message_id: MessageId) -> OutgoingMail:
    """The same for a mail that was sent, so that it can be written once more for the Sent folder."""
    head = await _head(tx, message_id)
    parent = await _parent(tx, head.conversation_id, message_id)
    return _outgoing(head, head.external_id or "", parent.external_id if parent else "", _references(parent))


def _outgoing(head: _Head, mail_id: str, in_reply_to: str, references: tuple[str, ...]) -> OutgoingMail:
    return OutgoingMail(
        mail_id=mail_id,
        subject=head.subject,
        sender=head.sender,
        sender_name=head.sender_name,
        in_reply_to=in_reply_to,
        references=references,
        written_at=head.sent_at or clock.now(),
    )


def _references(parent: _Parent | None) -> tuple[str, ...]:
    """Source: RFC 5322 section 3.6.4: the parent's references, then the parent."""
    return threads.bounded((*parent.reference_ids, parent.external_id)) if parent else ()


async def _head(tx: Tx, message_id: MessageId) -> _Head:
    return await tx.one(
        _Head,
        """
        SELECT m.external_id, m.conversation_id, m.channel_account_id, m.subject, a.address AS sender,
               coalesce(b.sender_name, '') AS sender_name, m.sent_at
          FROM messages m
          JOIN channel_accounts a ON (a.organization_id, a.id) = (m.organization_id, m.channel_account_id)
          LEFT JOIN mailboxes b ON (b.organization_id, b.channel_account_id) = (a.organization_id, a.id)
         WHERE m.id = %(message_id)s
        """,
        message_id=message_id,
    )


async def _parent(tx: Tx, conversation_id: ConversationId, message_id: MessageId) -> _Parent | None:
    """What this mail answers: the contact's last mail before it, else our own last one."""
    return await tx.find(
        _Parent,
        """
        SELECT p.external_id, p.reference_ids
          FROM messages p
          JOIN messages m ON m.conversation_id = p.conversation_id AND m.seq > p.seq
         WHERE m.id = %(message_id)s
           AND p.conversation_id = %(conversation_id)s
           AND p.external_id IS NOT NULL
           AND p.kind = 'ordinary'
           AND (p.direction = 'in' OR p.status IN ('sent', 'delivered', 'read'))
         ORDER BY p.direction = 'in' DESC, p.seq DESC
         LIMIT 1
        """,
        conversation_id=conversation_id,
        message_id=message_id,
    )
