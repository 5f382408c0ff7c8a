"""The one send machine: queued -> attempting -> sent, failed or unknown, on the outgoing message row.

The attempt is committed before the network call. Only what is known not to have happened is tried again;
an attempt whose fate is not known becomes `unknown`, is shown to people and never repeated.
"""

from dataclasses import dataclass
from datetime import timedelta

from core import clock
from core.db import Tx
from core.ids import uuid7
from crm.conversations.models import Attempt
from events import due
from events.ids import ConversationId, MessageId
from events.outbox import emit
from events.types import MessageCancelled, MessageFailed, MessageSent, MessageUnknown


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


async def begin_attempt(tx: Tx, message_id: MessageId, lease_seconds: float) -> Attempt | Wait | None:
    """Claim the message for one network call; None when there is nothing (more) to send."""
    outgoing = await tx.one(
        _Outgoing,
        """
        SELECT m.id, m.conversation_id, m.status, coalesce(m.lease_until > now(), false) AS is_leased, m.fence,
               greatest(0, coalesce(extract(epoch FROM a.blocked_until - now()), 0))::float AS wait_seconds,
               c.suppressed_at IS NOT NULL AS is_suppressed,
               m.draft_id IS NOT NULL AS is_from_draft
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
    if outgoing.wait_seconds > 0:
        return Wait(timedelta(seconds=outgoing.wait_seconds), "the channel told the account to wait")
    return await tx.one(
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
        RETURNING m.id AS message_id, m.conversation_id, m.channel_account_id, c.channel, c.external_id AS chat_id,
                  m.body, m.attempt_key AS key, m.fence
        """,
        message_id=message_id,
        key=uuid7(),
        lease_seconds=lease_seconds,
    )


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
    await emit(tx, MessageCancelled(ConversationId(conversation_id), message_id))
    return True


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
