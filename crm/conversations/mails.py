"""What becomes of a mail that came in: a message in its thread, history of our own, or the word of a machine."""

from dataclasses import dataclass

from core.db import Tx
from core.ids import uuid7
from crm.channel_accounts.models import ChannelAccount
from crm.contacts import actions as contacts
from crm.contacts import matches
from crm.conversations import attachments, bounces, queries, sending, threads
from crm.conversations.models import (
    Conversation,
    ConversationStatus,
    InboundMessage,
    MailHead,
    MessageKind,
    Reception,
)
from events import due
from events.ids import MessageId
from events.outbox import emit
from events.types import (
    AutomaticMessageReceived,
    ConversationImported,
    ConversationReopened,
    MessageReceived,
    MessageSent,
)

WAKE = "conversation.wake"


async def receive_mail(tx: Tx, account: ChannelAccount, inbound: InboundMessage, mail: MailHead) -> Reception:
    """Store one mail in its thread and announce it; the caller has made sure that it was not here before.

    A mail that the product itself sent is known already; seeing it again settles a send of unknown fate.
    """
    if (mail.is_ours or mail.claims_us) and await sending.confirm_sent(tx, account.id, [inbound.message_id]):
        return Reception.DUPLICATE
    conversation = await _conversation_of(tx, account, inbound, mail)
    message_id = await _store(tx, account, conversation, inbound, mail)
    if message_id is None:
        return Reception.DUPLICATE
    await attachments.add_attachments(tx, message_id, inbound.attachments)
    await _move_on(tx, conversation, message_id, inbound, mail)
    await _announce(tx, conversation, message_id, mail)
    if mail.failures:
        await bounces.apply_report(tx, account.id, mail)
    elif not mail.is_ours:
        # whoever answers a mail has received it
        await sending.confirm_sent(tx, account.id, [*mail.in_reply_to, *mail.references])
    return Reception.ACCEPTED


async def _conversation_of(
    tx: Tx, account: ChannelAccount, inbound: InboundMessage, mail: MailHead
) -> Conversation:
    """A report about a mail of ours belongs to that mail's conversation; everything else to its sender's."""
    reported = await bounces.find_reported(tx, account.id, mail)
    if reported is not None:
        await threads.remember(tx, account.id, reported.conversation_id, [inbound.message_id])
        return await queries.lock_conversation(tx, reported.conversation_id)
    contact = await contacts.resolve_contact(
        tx, handles=inbound.handles, name=inbound.sender_name, language=inbound.sender_language
    )
    await matches.note_signature(tx, contact.id, inbound.sender_name, mail.signature_phones)
    conversation_id = await threads.open_thread(tx, account, contact.id, inbound, mail)
    return await queries.lock_conversation(tx, conversation_id)


async def _store(
    tx: Tx, account: ChannelAccount, conversation: Conversation, inbound: InboundMessage, mail: MailHead
) -> MessageId | None:
    message_id = MessageId(uuid7())
    inserted = await tx.execute(
        """
        INSERT INTO messages (organization_id, id, conversation_id, channel_account_id, seq, direction, status,
                              external_id, body, author_kind, author_id, occurred_at, sent_at, kind, subject, address,
                              full_text, reference_ids)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(account_id)s, %(seq)s, %(direction)s, %(status)s,
                %(external_id)s, %(body)s, %(author_kind)s, %(author_id)s, %(occurred_at)s, %(sent_at)s, %(kind)s,
                %(subject)s, %(address)s, %(full_text)s, %(reference_ids)s)
        ON CONFLICT (organization_id, conversation_id, direction, external_id) WHERE external_id IS NOT NULL DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=message_id,
        conversation_id=conversation.id,
        account_id=account.id,
        seq=conversation.last_seq + 1,
        direction="out" if mail.is_ours else "in",
        status="sent" if mail.is_ours else "read" if mail.is_past else "received",
        external_id=inbound.message_id,
        body=inbound.text,
        author_kind=_author_kind(mail),
        author_id=conversation.contact_id if _author_kind(mail) == "contact" else None,
        occurred_at=inbound.occurred_at,
        sent_at=inbound.occurred_at if mail.is_ours else None,
        kind=mail.kind,
        subject=mail.subject,
        address=mail.address,
        full_text=mail.full_text or None,
        reference_ids=list(threads.bounded(mail.references or mail.in_reply_to)),
    )
    return message_id if inserted else None


def _author_kind(mail: MailHead) -> str:
    """Who wrote it. Who of us sent a mail with another program is not known: a person without an id."""
    if mail.is_ours:
        return "user"
    return "system" if mail.kind in (MessageKind.DSN, MessageKind.ARF) else "contact"


@dataclass(frozen=True)
class _Step:
    """What a mail does to its conversation."""

    is_turn: bool  # the contact's turn: counts as something to answer, and opens the conversation again
    is_seen: bool  # nothing to read for anybody


async def _move_on(
    tx: Tx, conversation: Conversation, message_id: MessageId, inbound: InboundMessage, mail: MailHead
) -> None:
    step = _step(mail)
    reopens = step.is_turn and not mail.is_past
    await tx.execute(
        """
        UPDATE conversations
           SET last_seq = last_seq + 1,
               last_inbound_seq = CASE WHEN %(is_turn)s THEN last_seq + 1 ELSE last_inbound_seq END,
               read_seq = CASE WHEN %(is_seen)s THEN last_seq + 1 ELSE read_seq END,
               last_message_id = %(message_id)s,
               last_message_at = greatest(last_message_at, %(occurred_at)s),
               status = CASE WHEN %(reopens)s THEN 'open' ELSE status END,
               snoozed_until = CASE WHEN %(reopens)s THEN NULL ELSE snoozed_until END
         WHERE id = %(conversation_id)s
        """,
        is_turn=step.is_turn,
        is_seen=step.is_seen,
        reopens=reopens,
        message_id=message_id,
        occurred_at=inbound.occurred_at,
        conversation_id=conversation.id,
    )
    if reopens and conversation.status is not ConversationStatus.OPEN:
        await due.cancel(tx, WAKE, conversation.id)
        await emit(tx, ConversationReopened(conversation.id))


def _step(mail: MailHead) -> _Step:
    is_turn = not mail.is_ours and mail.kind is MessageKind.ORDINARY
    return _Step(is_turn=is_turn, is_seen=mail.is_ours or mail.is_past)


async def _announce(tx: Tx, conversation: Conversation, message_id: MessageId, mail: MailHead) -> None:
    """Rules and agents hear of what a person wrote to us just now, and of nothing else."""
    if mail.is_past:
        await emit(tx, ConversationImported(conversation.id, message_id))
    elif mail.is_ours:
        await emit(tx, MessageSent(conversation.id, message_id))
    elif mail.kind is MessageKind.ORDINARY:
        await emit(tx, MessageReceived(conversation.id, message_id))
    else:
        await emit(tx, AutomaticMessageReceived(conversation.id, message_id))
