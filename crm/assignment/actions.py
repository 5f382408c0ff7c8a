"""Giving conversations and leads to seats by the organization's rules.

One at a time in an organization: whoever assigns holds its assignment lock, so that two never fill one last place.
Lock order: that lock, then the conversation. Seats are not locked; one that is paused beside it gives back what it got
when the worker comes to its pause.
"""

from core.db import Tx
from crm.assignment import queries
from crm.assignment.models import Assigned, Case, Verdict
from crm.bidi.models import Bidi, BidiKind
from crm.bidi.queries import get_bidi
from crm.contacts.queries import get_contact
from crm.conversations import actions as conversations
from crm.conversations.models import Conversation, ConversationStatus, HolderKind
from crm.conversations.queries import get_conversation, lock_conversation
from crm.identity.queries import list_members
from crm.leads.actions import update_lead
from crm.leads.models import LeadEdit
from crm.leads.queries import get_lead
from events.ids import AssignmentRuleId, BidiId, ConversationId, LeadId, MemberId
from events.outbox import emit
from events.types import ConversationUnassigned


async def assign_conversation(tx: Tx, conversation_id: ConversationId) -> Verdict | None:
    """Give a conversation that nobody holds to a seat; None where nothing is to be done.

    Without rules nothing changes: agents and people take what they like, as ever.
    """
    seen = await get_conversation(tx, conversation_id)
    if not _is_free(seen) or not await queries.has_rules(tx, Assigned.CONVERSATION):
        return None
    await _take_turn(tx)
    conversation = await lock_conversation(tx, conversation_id)
    return await _give(tx, conversation) if _is_free(conversation) else None


async def assign_waiting(tx: Tx) -> None:
    """Look again at what nobody could take: a seat is free again, or a rule is another."""
    if not await queries.has_rules(tx, Assigned.CONVERSATION):
        return
    await _take_turn(tx)
    for waiting in await queries.list_unassigned(tx):
        conversation = await lock_conversation(tx, waiting.id)
        if _is_free(conversation):
            await _give(tx, conversation)


async def reassign_seat(tx: Tx, bidi_id: BidiId) -> None:
    """Give what a paused seat holds to others, by the rules; what nobody can take is nobody's and says so."""
    if not await queries.reassigns_paused(tx) or not await queries.has_rules(tx, Assigned.CONVERSATION):
        return
    await _take_turn(tx)
    seat = await get_bidi(tx, bidi_id)
    if not seat.is_paused:
        return
    holder_id = seat.user_id or seat.id
    for conversation_id in await queries.list_held(tx, seat):
        conversation = await lock_conversation(tx, conversation_id)
        if conversation.holder_id == holder_id and conversation.status is ConversationStatus.OPEN:
            await _give(tx, conversation, without=bidi_id)


async def assign_lead(tx: Tx, lead_id: LeadId) -> Verdict | None:
    """Give a new lead that nobody owns to a seat; a person's seat makes them its owner."""
    if not await queries.has_rules(tx, Assigned.LEAD):
        return None
    await _take_turn(tx)
    lead = await get_lead(tx, lead_id, lock=True)
    if lead.bidi_id is not None or lead.owner_id is not None or lead.deleted_at is not None:
        return None
    contact = await get_contact(tx, lead.contact_id)
    verdict = await queries.judge(tx, Case(Assigned.LEAD, lead.contact_id, contact.language))
    if verdict.seat is not None and verdict.rule is not None:
        owner = await _member_of(tx, verdict.seat)
        edit = LeadEdit(bidi_id=verdict.seat.id) if owner is None else LeadEdit(owner, verdict.seat.id)
        await update_lead(tx, lead_id, edit, version=lead.version)
        await _note_turn(tx, verdict.rule.id, verdict.seat.id)
    return verdict


def _is_free(conversation: Conversation) -> bool:
    return conversation.holder_kind is None and conversation.status is ConversationStatus.OPEN


async def _take_turn(tx: Tx) -> None:
    """Nobody else in the organization assigns until this transaction ends."""
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('assignment ' || %(organization_id)s, 0))",
        organization_id=str(tx.organization_id),
    )


async def _give(tx: Tx, conversation: Conversation, *, without: BidiId | None = None) -> Verdict:
    """Give a locked conversation to whom the rules name, or say why it is nobody's."""
    verdict = await queries.judge(tx, await queries.case_of(tx, conversation, without=without))
    if verdict.seat is None or verdict.rule is None:
        await conversations.release(tx, conversation)
        await _note_unassigned(tx, conversation, verdict)
        return verdict
    is_agent = verdict.seat.kind is BidiKind.AI
    kind = HolderKind.AGENT if is_agent else HolderKind.PERSON
    await conversations.give_to_holder(tx, conversation, kind, verdict.seat.user_id or verdict.seat.id)
    await _note_turn(tx, verdict.rule.id, verdict.seat.id)
    return verdict


async def _note_turn(tx: Tx, rule_id: AssignmentRuleId, bidi_id: BidiId) -> None:
    await tx.execute(
        """
        UPDATE assignment_rule_seats
           SET assigned_at = clock_timestamp()
         WHERE rule_id = %(rule_id)s
           AND bidi_id = %(bidi_id)s
        """,
        rule_id=rule_id,
        bidi_id=bidi_id,
    )


async def _note_unassigned(tx: Tx, conversation: Conversation, verdict: Verdict) -> None:
    changed = await tx.execute(
        """
        UPDATE conversations
           SET unassigned_why = %(why)s
         WHERE id = %(conversation_id)s
           AND unassigned_why IS DISTINCT FROM %(why)s
        """,
        why=verdict.why,
        conversation_id=conversation.id,
    )
    if changed:
        await emit(tx, ConversationUnassigned(conversation.id))


async def _member_of(tx: Tx, seat: Bidi) -> MemberId | None:
    if seat.user_id is None:
        return None
    return next((MemberId(one.id) for one in await list_members(tx) if one.user_id == seat.user_id), None)
