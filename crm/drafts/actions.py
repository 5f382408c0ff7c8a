"""Proposing a message and deciding about it; the verbs and states are one table in the domain's rules.

Lock order everywhere: conversation, then draft, then approval.
"""

from dataclasses import asdict
from datetime import datetime

from core import clock, jsons
from core.db import Tx
from core.errors import Conflict, NotFound, Stale, Unprocessable
from core.ids import uuid7
from crm.approvals import actions as approvals
from crm.approvals import turns
from crm.approvals.actions import DRAFT_WAITS, ESCALATE, UNSNOOZE
from crm.approvals.models import Approval, ApprovalStatus
from crm.approvals.queries import get_approval_of
from crm.conversations import actions as conversations
from crm.conversations import sending
from crm.conversations.models import Conversation
from crm.conversations.queries import lock_conversation
from crm.drafts import queries
from crm.drafts.models import Draft, DraftStatus, Flag, NewDraft, Origin
from events import due
from events.ids import ApprovalId, ConversationId, DraftId, MessageId
from events.outbox import emit
from events.types import (
    ApprovalReturned,
    ApprovalSnoozed,
    DraftApproved,
    DraftEdited,
    DraftGenerated,
    DraftRejected,
    DraftReturned,
    DraftSuperseded,
    DraftWithdrawn,
)

# Why an approval that no person gave was given.
BY_POLICY = "autopilot"


async def create_draft(tx: Tx, new: NewDraft, origin: Origin) -> Draft:
    """Propose a message and ask for approval; an older open proposal of the conversation gives way.

    Raises:
        Conflict: the conversation moved on while the draft was written, or a person took it over.
        Unprocessable: the text is empty or too long.
    """
    tx.principal.require("drafts:write")
    body = conversations.checked_body(new.body)
    conversation = await lock_conversation(tx, new.conversation_id)
    await conversations.hold_for_agent(tx, conversation, origin.bidi_id)
    has_moved_on = conversation.last_inbound_seq > origin.based_on_seq
    if has_moved_on and origin.generation == 0:
        raise Conflict("The contact wrote again while the draft was written; the next run answers all of it.")
    flags = (*new.flags, Flag("moved_on", "")) if has_moved_on else new.flags
    await _supersede_pending(tx, conversation.id, "a newer draft")
    draft_id = DraftId(uuid7())
    content_hash = conversations.outgoing_hash(conversation, body)
    await tx.execute(
        """
        INSERT INTO drafts (organization_id, id, conversation_id, contact_id, bidi_id, run_id, body, language,
                            based_on_seq, answers, content_hash, flags, model, prompt, intents)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(contact_id)s, %(bidi_id)s, %(run_id)s, %(body)s,
                %(language)s, %(based_on_seq)s, %(answers)s, %(content_hash)s, %(flags)s::jsonb, %(model)s, %(prompt)s,
                %(intents)s)
        """,
        organization_id=tx.organization_id,
        id=draft_id,
        conversation_id=conversation.id,
        contact_id=conversation.contact_id,
        bidi_id=origin.bidi_id,
        run_id=origin.run_id,
        body=body,
        language=new.language,
        based_on_seq=conversation.last_inbound_seq,
        answers=await _unanswered(tx, conversation),
        content_hash=content_hash,
        flags=jsons.dumps([asdict(flag) for flag in flags]),
        model=origin.model,
        prompt=origin.prompt,
        intents=list(new.intents),
    )
    await _store_evidence(tx, draft_id, new)
    why = [*(new.why or ("autonomy",)), *sorted({flag.kind for flag in flags})]
    await approvals.request_approval(tx, draft_id, content_hash=content_hash, why=why)
    await emit(tx, DraftGenerated(conversation.id, draft_id))
    return await queries.get_draft(tx, draft_id)


async def _unanswered(tx: Tx, conversation: Conversation) -> int:
    """How many of the contact's messages came after our last one."""
    count = await tx.value(
        """
        SELECT count(*)
          FROM messages
         WHERE conversation_id = %(conversation_id)s
           AND direction = 'in'
           AND kind = 'ordinary'
           AND seq > coalesce((SELECT max(seq)
                                 FROM messages
                                WHERE conversation_id = %(conversation_id)s
                                  AND direction = 'out'
                                  AND status <> 'cancelled'), 0)
        """,
        conversation_id=conversation.id,
    )
    return int(count)


async def _store_evidence(tx: Tx, draft_id: DraftId, new: NewDraft) -> None:
    rows = [
        {
            "organization_id": tx.organization_id,
            "draft_id": draft_id,
            "position": position,
            **asdict(evidence),
        }
        for position, evidence in enumerate(new.evidence, start=1)
    ]
    if rows:
        await tx.execute_many(
            """
            INSERT INTO draft_evidence (organization_id, draft_id, position, kind, source_id, label, quote, statement,
                                        occurred_at, trust, is_used)
            VALUES (%(organization_id)s, %(draft_id)s, %(position)s, %(kind)s, %(source_id)s, %(label)s, %(quote)s,
                    %(statement)s, %(occurred_at)s, %(trust)s, %(is_used)s)
            """,
            rows,
        )


async def approve_draft(tx: Tx, draft_id: DraftId, *, version: int, send_at: datetime | None = None) -> Draft:
    """Approve a pending draft; delivery starts once the transaction commits, or at `send_at`.

    Raises:
        NotFound: no such draft in this organization.
        Forbidden: the principal may not approve.
        Conflict: already decided, the contact wrote again, or something flagged is unchecked.
        Stale: edited since `version` was read (412).
    """
    conversation, draft, approval = await _load_for_decision(tx, draft_id, version)
    if draft.needs_check:
        raise Conflict("Something in this draft is marked and nobody has checked it; check it first.")
    if conversation.last_inbound_seq > draft.based_on_seq:
        raise Conflict("The contact wrote again after this draft; wait for the next one or write yourself.")
    if approval.content_hash != conversations.outgoing_hash(conversation, draft.body):
        raise Conflict("The draft's text or recipient is not the one that was asked about; reload it.")
    await _set_status(tx, draft, DraftStatus.APPROVED)
    await approvals.decide(tx, approval, ApprovalStatus.APPROVED)
    await conversations.queue_message(
        tx,
        conversation,
        body=draft.body,
        author_kind="bidi",
        author_id=draft.bidi_id,
        content_hash=approval.content_hash,
        draft_id=draft.id,
        approved_by=tx.principal.id,
        scheduled_at=send_at,
    )
    await emit(tx, DraftApproved(conversation.id, draft_id))
    return await queries.get_draft(tx, draft_id)


async def send_by_policy(tx: Tx, draft_id: DraftId) -> Draft:
    """A reply that policy lets an agent send by itself goes out; nobody but the seat has decided about it.

    Raises: Conflict when something in it is flagged, or the contact wrote again.
    """
    tx.principal.require("drafts:write")
    seen = await queries.get_draft(tx, draft_id)
    conversation = await lock_conversation(tx, seen.conversation_id)
    draft = await queries.lock_draft(tx, draft_id)
    approval = await get_approval_of(tx, draft_id)
    if draft.needs_check or conversation.last_inbound_seq > draft.based_on_seq:
        raise Conflict("Something in this reply is marked, or the contact wrote again; a person looks at it.")
    await _set_status(tx, draft, DraftStatus.APPROVED)
    await approvals.decide(tx, approval, ApprovalStatus.APPROVED, reason=BY_POLICY)
    await conversations.queue_message(
        tx,
        conversation,
        body=draft.body,
        author_kind="bidi",
        author_id=draft.bidi_id,
        content_hash=approval.content_hash,
        draft_id=draft.id,
    )
    await emit(tx, DraftApproved(conversation.id, draft_id))
    return await queries.get_draft(tx, draft_id)


async def edit_draft(tx: Tx, draft_id: DraftId, *, version: int, body: str) -> Draft:
    """Change the text only, never recipient or account; the first wording is kept.

    Raises: NotFound, Forbidden, Conflict, Stale as `approve_draft`; Unprocessable for an empty or overlong text.
    """
    text = conversations.checked_body(body)
    conversation, draft, approval = await _load_for_decision(tx, draft_id, version)
    if text == draft.body:
        return draft
    content_hash = conversations.outgoing_hash(conversation, text)
    await tx.execute(
        """
        UPDATE drafts
           SET body = %(body)s,
               original_body = coalesce(original_body, body),
               content_hash = %(content_hash)s,
               edited_by = %(edited_by)s,
               version = version + 1,
               updated_at = %(now)s
         WHERE id = %(draft_id)s
        """,
        body=text,
        content_hash=content_hash,
        edited_by=tx.principal.id,
        now=clock.now(),
        draft_id=draft_id,
    )
    await approvals.rebind(tx, approval, content_hash)
    await emit(tx, DraftEdited(conversation.id, draft_id), changes={"body": (draft.body, text)})
    return await queries.get_draft(tx, draft_id)


async def check_draft(tx: Tx, draft_id: DraftId, *, version: int) -> Draft:
    """A person has looked at what is marked in the draft and answers for it."""
    conversation, draft, _ = await _load_for_decision(tx, draft_id, version)
    await tx.execute(
        "UPDATE drafts SET checked_by = %(user_id)s, updated_at = %(now)s WHERE id = %(draft_id)s",
        user_id=tx.principal.id,
        now=clock.now(),
        draft_id=draft_id,
    )
    await emit(
        tx, DraftEdited(conversation.id, draft.id), changes={"checked_by": (None, str(tx.principal.id))}
    )
    return await queries.get_draft(tx, draft_id)


async def reject_draft(tx: Tx, draft_id: DraftId, *, version: int, reason: str = "") -> Draft:
    """End the proposal; nothing is sent."""
    conversation, draft, approval = await _load_for_decision(tx, draft_id, version)
    await _set_status(tx, draft, DraftStatus.REJECTED, reason)
    await approvals.decide(tx, approval, ApprovalStatus.REJECTED, reason=reason)
    await emit(tx, DraftRejected(conversation.id, draft_id))
    return await queries.get_draft(tx, draft_id)


async def respond_to_draft(tx: Tx, draft_id: DraftId, *, version: int, feedback: str) -> Draft:
    """Send the draft back with feedback; a new run writes another. Raises: Unprocessable without feedback."""
    if not feedback.strip():
        raise Unprocessable("The feedback is empty; say what should be different.", field="feedback")
    conversation, draft, approval = await _load_for_decision(tx, draft_id, version)
    await _set_status(tx, draft, DraftStatus.SUPERSEDED, feedback.strip())
    await approvals.decide(tx, approval, ApprovalStatus.WITHDRAWN, reason=feedback.strip())
    await emit(tx, DraftReturned(conversation.id, draft_id))
    return await queries.get_draft(tx, draft_id)


async def snooze_draft(tx: Tx, draft_id: DraftId, *, version: int, until: datetime) -> Draft:
    """Put the decision off until a time. Raises: Unprocessable for a time that has passed."""
    if until <= clock.now():
        raise Unprocessable("The time to come back lies in the past; choose a later one.", field="until")
    conversation, draft, approval = await _load_for_decision(tx, draft_id, version)
    await approvals.snooze(tx, approval, until)
    await due.schedule(tx, UNSNOOZE, approval.id, until)
    await due.schedule(tx, ESCALATE, approval.id, until + DRAFT_WAITS)
    await emit(tx, ApprovalSnoozed(conversation.id, approval.id))
    return draft


async def unsnooze_draft(tx: Tx, draft_id: DraftId) -> None:
    """A snoozed decision is due again, or is wanted earlier."""
    draft = await queries.lock_draft(tx, draft_id)
    approval = await get_approval_of(tx, draft_id)
    if approval.snoozed_until is None:
        return
    await approvals.snooze(tx, approval, None)
    await due.cancel(tx, UNSNOOZE, approval.id)
    await emit(tx, ApprovalReturned(draft.conversation_id, approval.id))


async def return_approval(tx: Tx, approval_id: ApprovalId) -> None:
    """The time of a snoozed approval has come."""
    draft_id = await tx.value("SELECT draft_id FROM approvals WHERE id = %(id)s", id=approval_id)
    if draft_id is not None:
        await unsnooze_draft(tx, DraftId(draft_id))
    else:
        await turns.return_call(tx, approval_id)


async def cancel_scheduled_send(tx: Tx, draft_id: DraftId) -> Draft:
    """Take an approved draft back before it is sent: draft and approval are open again.

    Raises: NotFound when no message was queued from the draft; Conflict when it has left already.
    """
    approvals.require_approver(tx)
    draft = await queries.lock_draft(tx, draft_id)
    message_id = await tx.value(
        "SELECT id FROM messages WHERE draft_id = %(draft_id)s AND status <> 'cancelled'", draft_id=draft_id
    )
    if message_id is None:
        raise NotFound(f"Nothing was queued from draft {draft_id}.")
    if not await sending.cancel_message(tx, MessageId(message_id)):
        raise Conflict("The message has left already; write a second one instead.")
    await _set_status(tx, draft, DraftStatus.PENDING)
    await approvals.reopen(tx, await get_approval_of(tx, draft_id))
    return await queries.get_draft(tx, draft_id)


async def withdraw_draft(tx: Tx, draft_id: DraftId, *, reason: str) -> Draft:
    """The agent takes its own pending draft back. Raises: Conflict when it is decided."""
    tx.principal.require("drafts:write")
    draft = await queries.lock_draft(tx, draft_id)
    if draft.status is not DraftStatus.PENDING:
        raise Conflict(f"The draft is already {draft.status}.")
    await _set_status(tx, draft, DraftStatus.WITHDRAWN, reason)
    await approvals.decide(tx, await get_approval_of(tx, draft_id), ApprovalStatus.WITHDRAWN, reason=reason)
    await emit(tx, DraftWithdrawn(draft.conversation_id, draft_id))
    return await queries.get_draft(tx, draft_id)


async def supersede_outdated(tx: Tx, conversation_id: ConversationId) -> None:
    """The conversation moved on: an open proposal that does not know the newest message is discarded."""
    conversation = await lock_conversation(tx, conversation_id)
    draft = await queries.find_pending_draft(tx, conversation_id)
    if draft is not None and draft.based_on_seq < conversation.last_inbound_seq:
        await _supersede(tx, draft, "the contact wrote again")


async def discard_for_person(tx: Tx, conversation_id: ConversationId, reason: str) -> None:
    """A person has taken the conversation, or answered in it: what no person approved is not needed any more."""
    for draft_id in await sending.cancel_unapproved(tx, conversation_id):
        draft = await queries.lock_draft(tx, draft_id)
        await approvals.reopen(tx, await get_approval_of(tx, draft_id))
        await _supersede(tx, draft, reason)
    await _supersede_pending(tx, conversation_id, reason)


async def _supersede_pending(tx: Tx, conversation_id: ConversationId, reason: str) -> None:
    draft = await queries.find_pending_draft(tx, conversation_id)
    if draft is not None:
        await _supersede(tx, draft, reason)


async def _supersede(tx: Tx, draft: Draft, reason: str) -> None:
    await _set_status(tx, draft, DraftStatus.SUPERSEDED, reason)
    await approvals.decide(tx, await get_approval_of(tx, draft.id), ApprovalStatus.WITHDRAWN, reason=reason)
    await emit(tx, DraftSuperseded(draft.conversation_id, draft.id))


async def _load_for_decision(tx: Tx, draft_id: DraftId, version: int) -> tuple[Conversation, Draft, Approval]:
    """Load under lock, check permission, state and version: the guards that every verb shares."""
    seen = await queries.get_draft(tx, draft_id)
    conversation = await lock_conversation(tx, seen.conversation_id)
    draft = await queries.lock_draft(tx, draft_id)
    approval = await get_approval_of(tx, draft_id)
    approvals.require_approver(tx)
    if draft.status is not DraftStatus.PENDING:
        raise Conflict(f"This draft is already {draft.status}; nothing more was done.", state=draft.status)
    if draft.version != version:
        raise Stale("Somebody edited this draft after you opened it; look at the new text first.")
    return conversation, draft, approval


async def _set_status(tx: Tx, draft: Draft, status: DraftStatus, reason: str = "") -> None:
    await tx.execute(
        """
        UPDATE drafts
           SET status = %(status)s, reason = %(reason)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(draft_id)s
        """,
        status=status,
        reason=reason,
        now=clock.now(),
        draft_id=draft.id,
    )
