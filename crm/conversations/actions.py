"""What people do in the inbox: receive, write, read, snooze, resolve, hand off and take over."""

from datetime import datetime

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.bidi.queries import get_bidi
from crm.channel_accounts.models import ChannelAccount
from crm.channel_accounts.queries import get_channel_account
from crm.contacts import actions as contacts
from crm.conversations import attachments, mails, queries, sending
from crm.conversations.models import (
    Conversation,
    ConversationStatus,
    HandoffReason,
    HolderKind,
    InboundMessage,
    Message,
    Reception,
)
from crm.conversations.subjects import reply_subject
from crm.identity.queries import list_members, require_member
from events import due
from events.ids import BidiId, ConversationId, DraftId, MemberId, MessageId
from events.outbox import emit
from events.types import (
    AttachmentReceived,
    ConversationAssigned,
    ConversationHandedOff,
    ConversationRead,
    ConversationReopened,
    ConversationResolved,
    ConversationSnoozed,
    MessageEdited,
    MessageQueued,
    MessageReceived,
)

WAKE = mails.WAKE
RELEASE = "message.release"
MAX_BODY = 4096


async def receive_message(tx: Tx, account: ChannelAccount, inbound: InboundMessage) -> Reception:
    """Store one inbound update exactly once and announce it.

    The same update, or the same message under another update id, is a duplicate and changes nothing.
    """
    if not await _take_receipt(tx, account, inbound):
        return Reception.DUPLICATE
    if inbound.mail is not None:
        return await mails.receive_mail(tx, account, inbound, inbound.mail)
    if inbound.is_edit and await _edit_message(tx, account, inbound):
        return Reception.ACCEPTED
    contact = await contacts.resolve_contact(
        tx, handles=inbound.handles, name=inbound.sender_name, language=inbound.sender_language
    )
    conversation = await _open_conversation(tx, account, inbound.chat_id, contact.id)
    message_id = MessageId(uuid7())
    inserted = await tx.execute(
        """
        INSERT INTO messages (organization_id, id, conversation_id, channel_account_id, seq, direction, status,
                              external_id, body, author_kind, author_id, occurred_at)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(account_id)s, %(seq)s, 'in', 'received',
                %(external_id)s, %(body)s, 'contact', %(contact_id)s, %(occurred_at)s)
        ON CONFLICT (organization_id, conversation_id, direction, external_id) WHERE external_id IS NOT NULL DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=message_id,
        conversation_id=conversation.id,
        account_id=account.id,
        seq=conversation.last_seq + 1,
        external_id=inbound.message_id,
        body=inbound.text,
        contact_id=contact.id,
        occurred_at=inbound.occurred_at,
    )
    if not inserted:
        return Reception.DUPLICATE
    await attachments.add_attachments(tx, message_id, inbound.attachments)
    await tx.execute(
        """
        UPDATE conversations
           SET last_seq = last_seq + 1,
               last_inbound_seq = last_seq + 1,
               last_message_id = %(message_id)s,
               last_message_at = greatest(last_message_at, %(occurred_at)s),
               status = 'open',
               snoozed_until = NULL
         WHERE id = %(conversation_id)s
        """,
        message_id=message_id,
        occurred_at=inbound.occurred_at,
        conversation_id=conversation.id,
    )
    if conversation.status is not ConversationStatus.OPEN:
        await due.cancel(tx, WAKE, conversation.id)
        await emit(tx, ConversationReopened(conversation.id))
    await emit(tx, MessageReceived(conversation.id, message_id))
    if inbound.attachments:
        await emit(tx, AttachmentReceived(conversation.id, message_id))
    return Reception.ACCEPTED


async def _take_receipt(tx: Tx, account: ChannelAccount, inbound: InboundMessage) -> bool:
    taken = await tx.execute(
        """
        INSERT INTO inbound_receipts (organization_id, channel_account_id, external_id)
        VALUES (%(organization_id)s, %(account_id)s, %(update_id)s)
        ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        account_id=account.id,
        update_id=inbound.update_id,
    )
    return taken == 1


async def _edit_message(tx: Tx, account: ChannelAccount, inbound: InboundMessage) -> bool:
    """Apply an edit, keeping the first wording; False when the message was never seen: then it is a new one."""
    conversation = await queries.find_conversation(tx, account.id, inbound.chat_id)
    if conversation is None:
        return False
    message_id = await tx.value(
        """
        UPDATE messages
           SET body = %(body)s,
               original_body = coalesce(original_body, body),
               edited_at = %(edited_at)s
         WHERE conversation_id = %(conversation_id)s
           AND direction = 'in'
           AND external_id = %(external_id)s
        RETURNING id
        """,
        body=inbound.text,
        edited_at=clock.now(),
        conversation_id=conversation.id,
        external_id=inbound.message_id,
    )
    if message_id is None:
        return False
    await emit(tx, MessageEdited(conversation.id, MessageId(message_id)))
    return True


async def _open_conversation(
    tx: Tx, account: ChannelAccount, chat_id: str, contact_id: object
) -> Conversation:
    await tx.execute(
        """
        INSERT INTO conversations (organization_id, id, channel_account_id, channel, contact_id, external_id)
        VALUES (%(organization_id)s, %(id)s, %(account_id)s, %(channel)s, %(contact_id)s, %(chat_id)s)
        ON CONFLICT (organization_id, channel_account_id, external_id) DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        account_id=account.id,
        channel=account.channel,
        contact_id=contact_id,
        chat_id=chat_id,
    )
    conversation_id = await tx.value(
        "SELECT id FROM conversations WHERE channel_account_id = %(account_id)s AND external_id = %(chat_id)s",
        account_id=account.id,
        chat_id=chat_id,
    )
    return await queries.lock_conversation(tx, ConversationId(conversation_id))


async def compose_message(tx: Tx, conversation_id: ConversationId, *, body: str) -> Message:
    """A person writes: the conversation becomes theirs and the message is queued.

    Raises:
        Unprocessable: the text is empty or longer than the channel takes.
    """
    tx.principal.require("messages:send")
    conversation = await queries.lock_conversation(tx, conversation_id)
    text = checked_body(body)
    await _hold(tx, conversation, HolderKind.PERSON, tx.principal.id)
    return await queue_message(
        tx,
        conversation,
        body=text,
        author_kind="user",
        author_id=tx.principal.id,
        content_hash=outgoing_hash(conversation, text),
    )


def checked_body(body: str) -> str:
    """Raises: Unprocessable when the text is empty or too long for a message."""
    text = body.strip()
    if not text:
        raise Unprocessable("The message is empty; write something first.", field="body")
    if len(text) > MAX_BODY:
        raise Unprocessable(f"The message has {len(text)} characters; at most {MAX_BODY} fit.", field="body")
    return text


def outgoing_hash(conversation: Conversation, body: str) -> str:
    """What an approval is bound to: the text, the recipient, the sending account, no attachments."""
    return sending.outgoing_hash(body, conversation.recipient, conversation.channel_account_id)


async def queue_message(
    tx: Tx,
    conversation: Conversation,
    *,
    body: str,
    author_kind: str,
    author_id: object,
    content_hash: str,
    draft_id: DraftId | None = None,
    approved_by: object = None,
    scheduled_at: datetime | None = None,
) -> Message:
    """Append an outgoing message to a locked conversation; it is sent after the commit, or at `scheduled_at`.

    Raises: Conflict when the conversation's account only keeps imported talks.
    """
    await _require_sending(tx, conversation)
    message_id = MessageId(uuid7())
    await tx.execute(
        """
        INSERT INTO messages (organization_id, id, conversation_id, channel_account_id, seq, direction, status, body,
                              author_kind, author_id, draft_id, approved_by, content_hash, scheduled_at, subject,
                              address)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(account_id)s, %(seq)s, 'out', 'queued', %(body)s,
                %(author_kind)s, %(author_id)s, %(draft_id)s, %(approved_by)s, %(content_hash)s, %(scheduled_at)s,
                %(subject)s, %(address)s)
        """,
        organization_id=tx.organization_id,
        id=message_id,
        conversation_id=conversation.id,
        account_id=conversation.channel_account_id,
        seq=conversation.last_seq + 1,
        body=body,
        author_kind=author_kind,
        author_id=author_id,
        draft_id=draft_id,
        approved_by=approved_by,
        content_hash=content_hash,
        scheduled_at=scheduled_at,
        subject=reply_subject(conversation.subject) if conversation.address else "",
        address=conversation.address,
    )
    # Whoever answers has read what came before.
    await tx.execute(
        """
        UPDATE conversations
           SET last_seq = last_seq + 1,
               read_seq = last_seq + 1,
               last_message_id = %(message_id)s,
               last_message_at = greatest(last_message_at, %(now)s),
               handoff_reason = NULL
         WHERE id = %(conversation_id)s
        """,
        message_id=message_id,
        now=clock.now(),
        conversation_id=conversation.id,
    )
    if scheduled_at is None:
        await emit(tx, MessageQueued(conversation.id, message_id))
    else:
        await due.schedule(tx, RELEASE, message_id, scheduled_at)
    return await queries.get_message(tx, message_id)


async def _require_sending(tx: Tx, conversation: Conversation) -> None:
    account = await get_channel_account(tx, conversation.channel_account_id)
    if not account.can_send:
        raise Conflict(f"{account.name} only keeps what was said before; write over a connected account.")


async def release_message(tx: Tx, message_id: MessageId) -> None:
    """The time of a scheduled message has come."""
    message = await queries.get_message(tx, message_id)
    await emit(tx, MessageQueued(message.conversation_id, message.id))


async def mark_read(tx: Tx, conversation_id: ConversationId) -> None:
    """The person has seen the conversation up to its newest message. Raises: Forbidden."""
    tx.principal.require("conversations:write")
    changed = await tx.execute(
        "UPDATE conversations SET read_seq = last_seq WHERE id = %(conversation_id)s AND read_seq < last_seq",
        conversation_id=conversation_id,
    )
    if changed:
        await emit(tx, ConversationRead(conversation_id))


async def snooze_conversation(tx: Tx, conversation_id: ConversationId, *, until: datetime) -> None:
    """Put a conversation away until a time or the next message. Raises: Unprocessable for a time that has passed."""
    tx.principal.require("conversations:write")
    if until <= clock.now():
        raise Unprocessable("The time to come back lies in the past; choose a later one.", field="until")
    await queries.lock_conversation(tx, conversation_id)
    await tx.execute(
        "UPDATE conversations SET status = 'snoozed', snoozed_until = %(until)s WHERE id = %(conversation_id)s",
        until=until,
        conversation_id=conversation_id,
    )
    await due.schedule(tx, WAKE, conversation_id, until)
    await emit(tx, ConversationSnoozed(conversation_id))


async def wake_conversation(tx: Tx, conversation_id: ConversationId) -> None:
    """A snoozed conversation is due again."""
    woken = await tx.execute(
        """
        UPDATE conversations
           SET status = 'open', snoozed_until = NULL
         WHERE id = %(conversation_id)s
           AND status = 'snoozed'
        """,
        conversation_id=conversation_id,
    )
    if woken:
        await emit(tx, ConversationReopened(conversation_id))


async def resolve_conversation(tx: Tx, conversation_id: ConversationId) -> None:
    """Close a conversation; a new message opens it again."""
    tx.principal.require("conversations:write")
    await queries.lock_conversation(tx, conversation_id)
    await tx.execute(
        """
        UPDATE conversations
           SET status = 'resolved', snoozed_until = NULL, handoff_reason = NULL, read_seq = last_seq
         WHERE id = %(conversation_id)s
        """,
        conversation_id=conversation_id,
    )
    await emit(tx, ConversationResolved(conversation_id))


async def reopen_conversation(tx: Tx, conversation_id: ConversationId) -> None:
    """Bring a resolved or snoozed conversation back."""
    tx.principal.require("conversations:write")
    reopened = await tx.execute(
        """
        UPDATE conversations
           SET status = 'open', snoozed_until = NULL
         WHERE id = %(conversation_id)s
           AND status <> 'open'
        """,
        conversation_id=conversation_id,
    )
    if reopened:
        await due.cancel(tx, WAKE, conversation_id)
        await emit(tx, ConversationReopened(conversation_id))


async def hand_off(
    tx: Tx, conversation_id: ConversationId, *, reason: HandoffReason, summary: str, next_step: str
) -> None:
    """Give a conversation to people: the agent stops here and says why and what it would do next."""
    tx.principal.require("conversations:write")
    conversation = await queries.lock_conversation(tx, conversation_id)
    await tx.execute(
        """
        UPDATE conversations
           SET handoff_reason = %(reason)s,
               handoff_summary = %(summary)s,
               handoff_next_step = %(next_step)s,
               handoff_run_id = %(run_id)s,
               holder_kind = NULL,
               holder_id = NULL
         WHERE id = %(conversation_id)s
        """,
        reason=reason,
        summary=summary,
        next_step=next_step,
        run_id=tx.principal.run_id,
        conversation_id=conversation_id,
    )
    await emit(
        tx,
        ConversationHandedOff(conversation_id),
        changes={"holder": (str(conversation.holder_id or ""), "")},
    )


async def take_over(tx: Tx, conversation_id: ConversationId) -> None:
    """A person takes a conversation; agents stop drafting in it."""
    tx.principal.require("messages:send")
    conversation = await queries.lock_conversation(tx, conversation_id)
    await _hold(tx, conversation, HolderKind.PERSON, tx.principal.id)


async def give_to_person(tx: Tx, conversation_id: ConversationId, member_id: MemberId) -> None:
    """Let a colleague hold a conversation.

    Raises:
        NotFound: no such conversation.
        Unprocessable: nobody of this id is here, or they may not write to contacts.
    """
    tx.principal.require("conversations:write")
    conversation = await queries.lock_conversation(tx, conversation_id)
    await require_member(tx, member_id, field="member_id")
    colleague = next(one for one in await list_members(tx) if one.id == member_id)
    if not colleague.may("messages:send"):
        raise Unprocessable(
            f"{colleague.name} may not write to contacts; choose somebody who does.", field="member_id"
        )
    await _hold(tx, conversation, HolderKind.PERSON, colleague.user_id)


async def give_to_agent(tx: Tx, conversation_id: ConversationId, bidi_id: BidiId) -> None:
    """Let an agent hold a conversation again.

    Raises:
        NotFound: no such conversation or seat.
        Unprocessable: the seat is not an agent's.
    """
    tx.principal.require("conversations:write")
    conversation = await queries.lock_conversation(tx, conversation_id)
    seat = await get_bidi(tx, bidi_id)
    if not seat.serves_conversations:
        raise Unprocessable(f"{seat.name} is not an agent's seat; name another.", field="bidi_id")
    await _hold(tx, conversation, HolderKind.AGENT, bidi_id)


async def hold_for_agent(tx: Tx, conversation: Conversation, bidi_id: BidiId) -> None:
    """An agent proposes something in a locked conversation that nobody holds, so it holds it.

    Raises: Conflict when a person or a campaign holds it.
    """
    if conversation.holder_kind not in (None, HolderKind.AGENT):
        raise Conflict("A person took this conversation over; the draft is not needed.")
    await _hold(tx, conversation, HolderKind.AGENT, bidi_id)


async def give_to_holder(tx: Tx, conversation: Conversation, kind: HolderKind, holder_id: object) -> None:
    """Let somebody hold a locked conversation, whoever did until now; what an agent handed off stays marked."""
    await _hold(tx, conversation, kind, holder_id, keeps_handoff=True)


async def release(tx: Tx, conversation: Conversation) -> None:
    """Let nobody hold a locked conversation."""
    if conversation.holder_id is None:
        return
    await tx.execute(
        "UPDATE conversations SET holder_kind = NULL, holder_id = NULL WHERE id = %(conversation_id)s",
        conversation_id=conversation.id,
    )
    await emit(
        tx, ConversationAssigned(conversation.id), changes={"holder": (str(conversation.holder_id), "")}
    )


async def _hold(
    tx: Tx, conversation: Conversation, kind: HolderKind, holder_id: object, *, keeps_handoff: bool = False
) -> None:
    changed = await tx.execute(
        """
        UPDATE conversations
           SET holder_kind = %(kind)s, holder_id = %(holder_id)s, unassigned_why = NULL,
               handoff_reason = CASE WHEN %(keeps_handoff)s THEN handoff_reason END
         WHERE id = %(conversation_id)s
           AND (holder_kind, holder_id) IS DISTINCT FROM (%(kind)s, %(holder_id)s)
        """,
        kind=kind,
        holder_id=holder_id,
        keeps_handoff=keeps_handoff,
        conversation_id=conversation.id,
    )
    if changed:
        await emit(
            tx,
            ConversationAssigned(conversation.id),
            changes={"holder": (str(conversation.holder_id or ""), str(holder_id))},
        )
