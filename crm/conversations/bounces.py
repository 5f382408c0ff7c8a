"""What delivery reports and complaints do: to the mail that they are about, and to its address.

Anybody can write a mail that looks like a report. It is believed only when it names the Message-ID of a mail of ours,
which the mail's recipient and the servers on its way know, and only about that mail's address. Any other is shown and
does nothing.
"""

from dataclasses import dataclass

from core.db import Tx
from crm.contacts import actions as contacts
from crm.conversations.models import Failure, MailHead, MessageKind
from events.ids import ChannelAccountId, ContactId, ConversationId, MessageId
from events.outbox import emit
from events.types import MessageFailed


@dataclass(frozen=True)
class Reported:
    """The mail of ours that a report is about."""

    id: MessageId
    conversation_id: ConversationId
    contact_id: ContactId
    address: str


async def find_reported(tx: Tx, account_id: ChannelAccountId, mail: MailHead) -> Reported | None:
    """The newest mail of ours that the report names by its Message-ID."""
    if mail.kind not in (MessageKind.DSN, MessageKind.ARF):
        return None
    return await tx.find(
        Reported,
        """
        SELECT m.id, m.conversation_id, v.contact_id, m.address
          FROM messages m
          JOIN conversations v ON (v.organization_id, v.id) = (m.organization_id, m.conversation_id)
         WHERE m.channel_account_id = %(account_id)s
           AND m.direction = 'out'
           AND m.status IN ('attempting', 'sent', 'unknown', 'failed')
           AND m.external_id = ANY(%(ids)s)
         ORDER BY m.occurred_at DESC
         LIMIT 1
        """,
        account_id=account_id,
        ids=[*mail.reported, *mail.in_reply_to, *mail.references],
    )


async def apply_report(tx: Tx, account_id: ChannelAccountId, mail: MailHead) -> None:
    """Mark the mail as not delivered and stop writing to its address, as far as the report is believable."""
    reported = await find_reported(tx, account_id, mail)
    if reported is None:
        return
    for failure in mail.failures:
        if failure.address not in ("", reported.address):
            continue
        if mail.kind is MessageKind.ARF:
            await contacts.suppress_contact(tx, reported.contact_id, "Marked our mail as unwanted")
        elif failure.is_hard:
            await _fail(tx, reported, failure)
            await contacts.suppress_handle(tx, "email", reported.address, failure.reason)
        else:
            await _note(tx, reported, failure)


async def _fail(tx: Tx, reported: Reported, failure: Failure) -> None:
    failed = await tx.execute(
        """
        UPDATE messages
           SET status = 'failed', failure = %(reason)s, lease_until = NULL, fence = fence + 1
         WHERE id = %(message_id)s
           AND status IN ('attempting', 'sent', 'unknown')
        """,
        reason=failure.reason,
        message_id=reported.id,
    )
    if failed:
        await emit(tx, MessageFailed(reported.conversation_id, reported.id))


async def _note(tx: Tx, reported: Reported, failure: Failure) -> None:
    """Late is not lost: the mail stays sent, with what its server says."""
    await tx.execute(
        "UPDATE messages SET failure = %(reason)s WHERE id = %(message_id)s AND status = 'sent'",
        reason=failure.reason,
        message_id=reported.id,
    )
