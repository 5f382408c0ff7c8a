"""Mail threads: which conversation a mail belongs to, by the Message-IDs that it names.

A conversation is one thread with one contact over one account. A colleague who answers in the same thread begins a
conversation of their own: what one person was told is not shown to another as theirs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.db import Tx
from core.ids import uuid7
from crm.channel_accounts.models import ChannelAccount
from crm.conversations.models import InboundMessage, MailHead
from crm.conversations.subjects import is_marked, plain_subject
from events.ids import ChannelAccountId, ContactId, ConversationId

# How long after its last message a thread is found again by its subject alone.
_SAME_SUBJECT = timedelta(days=14)
# A mail may refer to thousands; the first names the thread, the last ones the mails just before it.
_LAST_REFERENCES = 40


@dataclass(frozen=True)
class _Recent:
    id: ConversationId
    subject: str


def bounded(references: tuple[str, ...]) -> tuple[str, ...]:
    """The references worth keeping: the first, which names the thread, and the last ones."""
    known = tuple(dict.fromkeys(references))
    return known if len(known) <= _LAST_REFERENCES else (known[0], *known[-_LAST_REFERENCES + 1 :])


async def open_thread(
    tx: Tx, account: ChannelAccount, contact_id: ContactId, inbound: InboundMessage, mail: MailHead
) -> ConversationId:
    """The conversation that the mail belongs to, begun if there is none, and what it refers to remembered."""
    # nearest first: what it answers, what came before that, and answers to it that were faster than itself
    ids = [*mail.in_reply_to, *reversed(bounded(mail.references)), inbound.message_id]
    found = await _find_by_ids(tx, account.id, contact_id, mail, ids)
    if found is None and is_marked(mail.subject):
        found = await _find_by_subject(tx, account.id, contact_id, mail.subject, inbound.occurred_at)
    if found is None:
        found = await _begin(tx, account, contact_id, inbound, mail)
    await remember(tx, account.id, found, ids)
    return found


async def _find_by_ids(
    tx: Tx, account_id: ChannelAccountId, contact_id: ContactId, mail: MailHead, ids: list[str]
) -> ConversationId | None:
    found = await tx.value(
        """
        SELECT v.id
          FROM unnest(%(ids)s::text[]) WITH ORDINALITY AS given (mail_id, position)
          JOIN mail_threads t ON t.mail_id = given.mail_id AND t.channel_account_id = %(account_id)s
          JOIN conversations v ON (v.organization_id, v.id) = (t.organization_id, t.conversation_id)
         WHERE v.contact_id = %(contact_id)s
            OR v.address = ANY(%(recipients)s)
         ORDER BY given.position, v.created_at
         LIMIT 1
        """,
        ids=ids,
        account_id=account_id,
        contact_id=contact_id,
        recipients=list(mail.recipients),
    )
    return ConversationId(found) if found else None


async def _find_by_subject(
    tx: Tx, account_id: ChannelAccountId, contact_id: ContactId, subject: str, at: datetime
) -> ConversationId | None:
    """For programs that answer without naming what: the same person's recent thread of the same subject."""
    wanted = plain_subject(subject)
    if not wanted:
        return None
    recent = await tx.all(
        _Recent,
        """
        SELECT id, subject
          FROM conversations
         WHERE contact_id = %(contact_id)s
           AND channel_account_id = %(account_id)s
           AND last_message_at BETWEEN %(since)s AND %(until)s
         ORDER BY last_message_at DESC
         LIMIT 50
        """,
        contact_id=contact_id,
        account_id=account_id,
        since=at - _SAME_SUBJECT,
        until=at + _SAME_SUBJECT,
    )
    return next((each.id for each in recent if plain_subject(each.subject) == wanted), None)


async def _begin(
    tx: Tx, account: ChannelAccount, contact_id: ContactId, inbound: InboundMessage, mail: MailHead
) -> ConversationId:
    conversation_id = ConversationId(uuid7())
    await tx.execute(
        """
        INSERT INTO conversations (organization_id, id, channel_account_id, channel, contact_id, external_id, subject,
                                   address, last_message_at)
        VALUES (%(organization_id)s, %(id)s, %(account_id)s, %(channel)s, %(contact_id)s, %(update_id)s, %(subject)s,
                %(address)s, %(occurred_at)s)
        """,
        organization_id=tx.organization_id,
        id=conversation_id,
        account_id=account.id,
        channel=account.channel,
        contact_id=contact_id,
        update_id=inbound.update_id,
        subject=mail.subject,
        address=mail.address,
        occurred_at=inbound.occurred_at,
    )
    return conversation_id


async def remember(
    tx: Tx, account_id: ChannelAccountId, conversation_id: ConversationId, mail_ids: list[str]
) -> None:
    """Note that these mails, seen or not, belong to the conversation."""
    await tx.execute(
        """
        INSERT INTO mail_threads (organization_id, channel_account_id, mail_id, conversation_id)
        SELECT %(organization_id)s, %(account_id)s, mail_id, %(conversation_id)s
          FROM unnest(%(mail_ids)s::text[]) AS given (mail_id)
         GROUP BY mail_id
        ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        account_id=account_id,
        conversation_id=conversation_id,
        mail_ids=mail_ids,
    )
