"""Reading rules of assignment, and what they choose from."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import NotFound, Unprocessable
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.assignment.choice import choose, why_not
from crm.assignment.models import (
    Asked,
    Assigned,
    AssignmentRule,
    Candidate,
    Case,
    Considered,
    Unassigned,
    Verdict,
)
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.contacts.queries import get_contact
from crm.conversations.models import Conversation
from crm.identity.queries import get_organization
from crm.segments.queries import get_segment, is_in_segment
from events.ids import AssignmentRuleId, BidiId, ConversationId

_RULE: LiteralString = """
        SELECT id, record_kind, name, position, segment_id, channel, way, is_enabled, created_at, updated_at, version,
               ARRAY(SELECT s.bidi_id
                       FROM assignment_rule_seats s
                      WHERE s.rule_id = assignment_rules.id
                      ORDER BY s.bidi_id) AS bidi_ids
          FROM assignment_rules
"""


async def list_rules(tx: Tx) -> list[AssignmentRule]:
    """All rules in the order in which they are asked; those of conversations first."""
    tx.principal.require("crm:read")
    return await tx.all(
        AssignmentRule,
        _RULE
        + """
         ORDER BY record_kind, position, id
        """,
    )


async def page_rules(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[AssignmentRule]:
    """Rules in the order of `list_rules`; there are never many of them."""
    size = page_size(limit)
    rules = await list_rules(tx)
    last = decode_id(cursor) if cursor else None
    begins = next((at for at, one in enumerate(rules, start=1) if one.id == last), 0)
    return page_of(rules[begins : begins + size + 1], size, after=lambda one: encode_cursor(one.id))


async def get_rule(tx: Tx, rule_id: AssignmentRuleId, *, lock: bool = False) -> AssignmentRule:
    """Raises: NotFound."""
    if lock:
        await tx.execute("SELECT FROM assignment_rules WHERE id = %(id)s FOR NO KEY UPDATE", id=rule_id)
    return await tx.one(
        AssignmentRule,
        _RULE
        + """
         WHERE id = %(rule_id)s
        """,
        rule_id=rule_id,
    )


async def has_rules(tx: Tx, kind: Assigned) -> bool:
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT FROM assignment_rules WHERE record_kind = %(kind)s AND is_enabled)",
            kind=kind,
        )
    )


async def case_of(tx: Tx, conversation: Conversation, *, without: BidiId | None = None) -> Case:
    """A conversation as rules see it; one that an agent handed off is for people."""
    contact = await get_contact(tx, conversation.contact_id)
    return Case(
        Assigned.CONVERSATION,
        conversation.contact_id,
        contact.language,
        conversation.channel,
        conversation.channel_account_id,
        is_for_person=conversation.handoff_reason is not None,
        without=without,
    )


async def judge(tx: Tx, case: Case) -> Verdict:
    """Who would get this now, and why; nothing is written. Raises: NotFound when the contact is gone."""
    organization = await get_organization(tx)
    asked: list[Asked] = []
    for rule in await list_rules(tx):
        if rule.record_kind is not case.kind:
            continue
        skipped = await _skipped(tx, rule, case)
        if skipped:
            asked.append(Asked(rule, skipped))
            continue
        candidates = await _candidates(tx, rule)
        now = clock.now()
        judged = [(one, why_not(one, case, now=now, organization=organization)) for one in candidates]
        considered = tuple(Considered(one.seat, one.load, reason) for one, reason in judged)
        asked.append(Asked(rule, "", considered))
        chosen = choose(rule.way, [one for one, reason in judged if not reason])
        if chosen is not None:
            return Verdict(chosen.seat, rule, None, tuple(asked))
    was_met = any(not one.skipped for one in asked)
    return Verdict(None, None, Unassigned.NOBODY_FREE if was_met else Unassigned.NO_RULE, tuple(asked))


async def _skipped(tx: Tx, rule: AssignmentRule, case: Case) -> str:
    """Why a rule is not about a case, as a code: off, channel, segment, broken; empty when it is."""
    if not rule.is_enabled:
        return "off"
    if rule.channel and case.channel != rule.channel:
        return "channel"
    if rule.segment_id is None:
        return ""
    try:
        segment = await get_segment(tx, rule.segment_id)
        is_in = segment.deleted_at is None and await is_in_segment(tx, segment, case.contact_id)
    except (NotFound, Unprocessable):
        # a field of its filter was archived: nobody can be told to be in it
        return "broken"
    return "" if is_in else "segment"


@dataclass(frozen=True)
class _InHand:
    bidi_id: BidiId
    load: int
    assigned_at: datetime | None
    other_account_ids: list[UUID]


async def _candidates(tx: Tx, rule: AssignmentRule) -> list[Candidate]:
    """A rule's seats with what they have in hand: open conversations that they hold, or open leads."""
    found = await tx.all(
        _InHand,
        """
        SELECT s.bidi_id,
               CASE %(kind)s
                   WHEN 'conversation' THEN (SELECT count(*)
                                               FROM conversations v
                                              WHERE v.holder_id = coalesce(b.user_id, b.id)
                                                AND v.status = 'open')
                   ELSE (SELECT count(*)
                           FROM leads l
                          WHERE l.bidi_id = b.id
                            AND l.closed_at IS NULL
                            AND l.deleted_at IS NULL)
               END AS load,
               s.assigned_at,
               ARRAY(SELECT a.id FROM channel_accounts a WHERE a.bidi_id <> b.id) AS other_account_ids
          FROM assignment_rule_seats s
          JOIN bidi b ON (b.organization_id, b.id) = (s.organization_id, s.bidi_id)
         WHERE s.rule_id = %(rule_id)s
         ORDER BY s.bidi_id
        """,
        kind=rule.record_kind,
        rule_id=rule.id,
    )
    return [
        Candidate(await get_bidi(tx, one.bidi_id), one.load, one.assigned_at, tuple(one.other_account_ids))
        for one in found
    ]


@dataclass(frozen=True)
class Waiting:
    """A conversation that the rules gave to nobody."""

    id: ConversationId
    contact_name: str
    language: str
    why: Unassigned


async def list_unassigned(tx: Tx, *, limit: int = 100) -> list[Waiting]:
    """Open conversations that nobody could take, those that have waited longest first."""
    tx.principal.require("conversations:read")
    return await tx.all(
        Waiting,
        """
        SELECT v.id, c.name AS contact_name, c.language, v.unassigned_why AS why
          FROM conversations v
          JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
         WHERE v.unassigned_why IS NOT NULL
           AND v.holder_id IS NULL
           AND v.status = 'open'
         ORDER BY v.last_message_at, v.id
         LIMIT %(limit)s
        """,
        limit=limit,
    )


async def list_held(tx: Tx, seat: Bidi) -> list[ConversationId]:
    """The open conversations that a seat holds."""
    found: list[ConversationId] = await tx.value(
        """
        SELECT coalesce(array_agg(id ORDER BY last_message_at DESC, id), '{}')
          FROM conversations
         WHERE holder_id = %(holder_id)s
           AND status = 'open'
        """,
        holder_id=seat.user_id or seat.id,
    )
    return found


async def reassigns_paused(tx: Tx) -> bool:
    """Whether what a seat holds goes to others when it is paused."""
    return bool(await tx.value("SELECT reassigns_paused FROM organizations"))
