"""The one send machine: queued -> attempting -> sent, failed or unknown, on the outgoing message row.

The attempt is committed before the network call. Only what is known not to have happened is tried again;
an attempt whose fate is not known becomes `unknown`, is shown to people and never repeated.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from core import clock, crypto
from core.db import Tx
from core.ids import uuid7
from crm.conversations import outgoing_mail
from crm.conversations.models import Attempt
from events import due
from events.ids import ChannelAccountId, ConversationId, DraftId, MessageId
from events.outbox import emit, hasten
from events.types import MessageCancelled, MessageFailed, MessageQueued, MessageSent, MessageUnknown

# How long a reply that no person approved is put off at a time while its seat is paused.
_HELD = timedelta(seconds=30)


@dataclass(frozen=True)
class Wait:
    """Not now: the account must wait, or another process is in the middle of this attempt."""

    delay: timedelta
    reason: str


@dataclass(frozen=True)
class _Outgoing:
    id: MessageId
    conversation_id: ConversationId
    status: str
    is_leased: bool
    fence: int
    wait_seconds: float
    is_suppressed: bool
    is_from_draft: bool
    is_held: bool
    channel_account_id: ChannelAccountId
    body: str
    recipient: str
    content_hash: str

    @property
    def is_as_approved(self) -> bool:
        return self.content_hash == outgoing_hash(self.body, self.recipient, self.channel_account_id)


def outgoing_hash(body: str, recipient: str, account_id: ChannelAccountId) -> str:
    """What an approval is bound to: the text, the recipient, the sending account, no attachments."""
    return crypto.content_hash(body, recipient, str(account_id), "")


async def begin_attempt(tx: Tx, message_id: MessageId, lease_seconds: float) -> Attempt | Wait | None:
    """Claim the message for one network call; None when there is nothing (more) to send."""
    outgoing = await tx.one(
        _Outgoing,
        """
        SELECT m.id, m.conversation_id, m.status, coalesce(m.lease_until > now(), false) AS is_leased, m.fence,
               greatest(0, coalesce(extract(epoch FROM a.blocked_until - now()), 0))::float AS wait_seconds,
               c.suppressed_at IS NOT NULL
                   OR EXISTS (SELECT FROM contact_handles h
                               WHERE h.kind = 'email' AND h.value = m.address AND h.suppressed_at IS NOT NULL)
                   AS is_suppressed,
               m.draft_id IS NOT NULL AS is_from_draft,
               m.author_kind = 'bidi' AND m.approved_by IS NULL
                   AND EXISTS (SELECT FROM bidi b WHERE b.id = m.author_id AND b.is_paused) AS is_held,
               m.channel_account_id, m.body,
               coalesce(NULLIF(m.address, ''), v.external_id) AS recipient, m.content_hash
          FROM messages m
          JOIN channel_accounts a ON a.id = m.channel_account_id
          JOIN conversations v ON v.id = m.conversation_id
          JOIN contacts c ON c.id = v.contact_id
         WHERE m.id = %(message_id)s
           FOR UPDATE OF m
        """,
        message_id=message_id,
    )
    if outgoing.status == "attempting":
        return await _meet_attempt(tx, outgoing)
    if outgoing.status != "queued":
        return None
    if outgoing.is_suppressed and outgoing.is_from_draft:
        await _close(
            tx, outgoing.id, outgoing.fence, "queued", "failed", "The contact asked not to be written to"
        )
        await emit(tx, MessageFailed(outgoing.conversation_id, outgoing.id))
        return None
    if not outgoing.is_as_approved:
        await _close(
            tx, outgoing.id, outgoing.fence, "queued", "failed", "It is not the text that was approved"
        )
        await emit(tx, MessageFailed(outgoing.conversation_id, outgoing.id))
        return None
    if outgoing.is_held:
        return Wait(_HELD, "the seat that wrote it by itself is paused")
    if outgoing.wait_seconds > 0:
        return Wait(timedelta(seconds=outgoing.wait_seconds), "the channel told the account to wait")
    attempt = await tx.one(
        Attempt,
        """
        UPDATE messages AS m
           SET status = 'attempting',
               attempt_key = coalesce(m.attempt_key, %(key)s),
               fence = m.fence + 1,
               lease_until = now() + make_interval(secs => %(lease_seconds)s)
          FROM conversations c
         WHERE m.id = %(message_id)s
           AND c.id = m.conversation_id
        RETURNING m.id AS message_id, m.conversation_id, m.channel_account_id, c.channel,
                  coalesce(NULLIF(m.address, ''), c.external_id) AS chat_id, m.body, m.attempt_key AS key, m.fence,
                  m.delays
        """,
        message_id=message_id,
        key=uuid7(),
        lease_seconds=lease_seconds,
    )
    if attempt.channel != "email":
        return attempt
    return replace(attempt, mail=await outgoing_mail.name_mail(tx, message_id, attempt.key))


async def _meet_attempt(tx: Tx, outgoing: _Outgoing) -> Wait | None:
    """Somebody began to send and did not come back: once the lease is over, the fate is not known."""
    if outgoing.is_leased:
        return Wait(timedelta(seconds=2), "an attempt is under way")
    await _close(
        tx,
        outgoing.id,
        outgoing.fence,
        "attempting",
        "unknown",
        "The sending process stopped in the middle; check with the contact before writing again",
    )
    await emit(tx, MessageUnknown(outgoing.conversation_id, outgoing.id))
    return None


async def record_sent(tx: Tx, attempt: Attempt, provider_id: str) -> bool:
    """The channel took the message; False when the attempt was given up meanwhile."""
    held = await tx.execute(
        """
        UPDATE messages
           SET status = 'sent', external_id = %(provider_id)s, sent_at = %(now)s, lease_until = NULL, failure = ''
         WHERE id = %(message_id)s
           AND fence = %(fence)s
           AND status = 'attempting'
        """,
        provider_id=provider_id,
        now=clock.now(),
        message_id=attempt.message_id,
        fence=attempt.fence,
    )
    if held:
        await emit(tx, MessageSent(attempt.conversation_id, attempt.message_id))
    return held == 1


async def confirm_sent(tx: Tx, account_id: ChannelAccountId, mail_ids: list[str]) -> bool:
    """These mails were seen outside: those of ours among them were sent, whatever we knew. False when none is ours.

    An attempt that is still under way loses its fence, so that its own outcome changes nothing any more.
    """
    confirmed = await tx.all(
        _Confirmed,
        """
        UPDATE messages
           SET status = 'sent', sent_at = coalesce(sent_at, %(now)s), lease_until = NULL, failure = '',
               fence = fence + 1
         WHERE channel_account_id = %(account_id)s
           AND external_id = ANY(%(mail_ids)s)
           AND direction = 'out'
           AND status IN ('attempting', 'unknown')
        RETURNING id, conversation_id
        """,
        now=clock.now(),
        account_id=account_id,
        mail_ids=mail_ids,
    )
    for message in confirmed:
        await emit(tx, MessageSent(message.conversation_id, message.id))
    return bool(
        await tx.value(
            """
            SELECT EXISTS (SELECT FROM messages
                            WHERE channel_account_id = %(account_id)s
                              AND external_id = ANY(%(mail_ids)s)
                              AND direction = 'out')
            """,
            account_id=account_id,
            mail_ids=mail_ids,
        )
    )


@dataclass(frozen=True)
class _Confirmed:
    id: MessageId
    conversation_id: ConversationId


async def record_failed(tx: Tx, attempt: Attempt, reason: str) -> None:
    """The channel refused the message for good."""
    if await _close(tx, attempt.message_id, attempt.fence, "attempting", "failed", reason):
        await emit(tx, MessageFailed(attempt.conversation_id, attempt.message_id))


async def record_unknown(tx: Tx, attempt: Attempt, reason: str) -> None:
    """The call ended without an answer: it may or may not have arrived."""
    if await _close(tx, attempt.message_id, attempt.fence, "attempting", "unknown", reason):
        await emit(tx, MessageUnknown(attempt.conversation_id, attempt.message_id))


async def requeue(tx: Tx, attempt: Attempt, reason: str) -> None:
    """The message is known not to have left; it may be tried again."""
    await _close(tx, attempt.message_id, attempt.fence, "attempting", "queued", reason)


async def delay(tx: Tx, attempt: Attempt, reason: str) -> None:
    """The receiver does not take this one message yet; counted, because it may never take it."""
    await requeue(tx, attempt, reason)
    await tx.execute(
        "UPDATE messages SET delays = delays + 1 WHERE id = %(message_id)s", message_id=attempt.message_id
    )


async def fail_queued(tx: Tx, message_id: MessageId, reason: str) -> None:
    """Nothing helped: close a message that never left."""
    conversation_id = await tx.value(
        """
        UPDATE messages
           SET status = 'failed', failure = %(reason)s, fence = fence + 1
         WHERE id = %(message_id)s
           AND status = 'queued'
        RETURNING conversation_id
        """,
        reason=reason,
        message_id=message_id,
    )
    if conversation_id is not None:
        await emit(tx, MessageFailed(ConversationId(conversation_id), message_id))


async def cancel_message(tx: Tx, message_id: MessageId) -> bool:
    """Take a message back that has not been attempted yet; False when it is too late."""
    conversation_id = await tx.value(
        """
        UPDATE messages
           SET status = 'cancelled', fence = fence + 1
         WHERE id = %(message_id)s
           AND status = 'queued'
        RETURNING conversation_id
        """,
        message_id=message_id,
    )
    if conversation_id is None:
        return False
    await due.cancel(tx, "message.release", message_id)
    # what is written after it does not wait until its turn would have come
    await hasten(tx, MessageQueued, conversation_id)
    await emit(tx, MessageCancelled(ConversationId(conversation_id), message_id))
    return True


async def cancel_unapproved(tx: Tx, conversation_id: ConversationId) -> list[DraftId]:
    """Take back what agents would send here by themselves; the drafts that it came from."""
    waiting = await tx.all(
        _Unapproved,
        """
        SELECT id, draft_id
          FROM messages
         WHERE conversation_id = %(conversation_id)s
           AND author_kind = 'bidi'
           AND approved_by IS NULL
           AND draft_id IS NOT NULL
           AND status = 'queued'
         ORDER BY seq
        """,
        conversation_id=conversation_id,
    )
    return [one.draft_id for one in waiting if await cancel_message(tx, one.id)]


@dataclass(frozen=True)
class _Unapproved:
    id: MessageId
    draft_id: DraftId


async def _close(tx: Tx, message_id: MessageId, fence: int, before: str, after: str, reason: str) -> bool:
    closed = await tx.execute(
        """
        UPDATE messages
           SET status = %(after)s, failure = %(reason)s, lease_until = NULL, fence = fence + 1
         WHERE id = %(message_id)s
           AND fence = %(fence)s
           AND status = %(before)s
        """,
        after=after,
        before=before,
        reason=reason,
        message_id=message_id,
        fence=fence,
    )
    return closed == 1
