"""What people decided about drafts, and what the team knew when they did: the ground truth that agents are measured by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from pydantic import JsonValue

from core.db import Tx
from crm.deals.models import Deal
from crm.deals.queries import list_deals_of_contact
from crm.drafts.models import DraftStatus
from crm.evaluations.queries import READ
from events.ids import ContactId, ConversationId, DraftId


@dataclass(frozen=True)
class Decision:
    """One draft that a person decided about. `draft` is what the agent wrote, `body` what it was when it was decided.

    It answers what had been said up to the message number `based_on_seq`.
    """

    draft_id: DraftId
    conversation_id: ConversationId
    contact_id: ContactId
    status: DraftStatus
    draft: str
    body: str
    reason: str
    intents: list[str]
    language: str
    model: str
    prompt: str
    based_on_seq: int
    written_at: datetime
    decided_at: datetime
    persona: str
    agent: str

    @property
    def is_edited(self) -> bool:
        return self.draft != self.body


async def list_decisions(tx: Tx) -> list[Decision]:
    """Every approval, edit, rejection and return of a draft by a member, in the order in which they were written.

    What a seat sent by itself was decided by nobody, and a draft that gave way because the contact or a colleague
    wrote was not judged; neither is among them.
    """
    tx.principal.require(READ)
    tx.principal.require("conversations:read")
    return await tx.all(
        Decision,
        """
        SELECT d.id AS draft_id, d.conversation_id, d.contact_id, d.status, coalesce(d.original_body, d.body) AS draft,
               d.body, d.reason, d.intents, d.language, d.model, d.prompt, d.based_on_seq, d.created_at AS written_at,
               a.decided_at, b.persona, coalesce(b.agent, '') AS agent
          FROM drafts d
          JOIN approvals a ON (a.organization_id, a.draft_id) = (d.organization_id, d.id)
          JOIN members m ON (m.organization_id, m.user_id) = (a.organization_id, a.decided_by)
          JOIN bidi b ON (b.organization_id, b.id) = (d.organization_id, d.bidi_id)
         WHERE d.status IN ('approved', 'rejected')
            OR EXISTS (SELECT
                         FROM events e
                        WHERE e.organization_id = d.organization_id
                          AND e.subject_kind = 'conversation'
                          AND e.subject_id = d.conversation_id
                          AND e.type = 'ai.draft.returned'
                          AND e.data ->> 'draft_id' = d.id::text)
         ORDER BY d.created_at, d.id
        """,
    )


@dataclass(frozen=True)
class Line:
    """One message of a talk; `by` is `contact`, or who of us wrote it: a `user`, a `bidi`, a `campaign`."""

    seq: int
    by: str
    text: str
    at: datetime

    @property
    def is_ours(self) -> bool:
        return self.by != "contact"


async def list_lines(tx: Tx, conversation_id: ConversationId) -> list[Line]:
    """What people wrote in a conversation and what really left, oldest first; no machine's words."""
    return await tx.all(
        Line,
        """
        SELECT seq, CASE WHEN direction = 'in' THEN 'contact' ELSE author_kind END AS by, body AS text,
               coalesce(sent_at, occurred_at) AS at
          FROM messages
         WHERE conversation_id = %(conversation_id)s
           AND status IN ('received', 'read', 'sent', 'delivered')
           AND kind = 'ordinary'
           AND body <> ''
         ORDER BY seq
        """,
        conversation_id=conversation_id,
    )


async def list_answered_conversations(tx: Tx) -> list[tuple[ConversationId, ContactId]]:
    """The conversations in which a person of the team has written, the oldest first."""
    tx.principal.require(READ)
    tx.principal.require("conversations:read")
    found = await tx.all(
        _Answered,
        """
        SELECT c.id, c.contact_id
          FROM conversations c
         WHERE EXISTS (SELECT
                         FROM messages m
                        WHERE m.organization_id = c.organization_id
                          AND m.conversation_id = c.id
                          AND m.direction = 'out'
                          AND m.author_kind = 'user'
                          AND m.status IN ('sent', 'delivered'))
         ORDER BY c.id
        """,
    )
    return [(one.id, one.contact_id) for one in found]


@dataclass(frozen=True)
class _Answered:
    id: ConversationId
    contact_id: ContactId


async def list_deals_at(tx: Tx, contact_id: ContactId, at: datetime) -> list[Deal]:
    """The deals of a person and their company as they stood then, told from what changed since."""
    deals = [deal for deal in await list_deals_of_contact(tx, contact_id) if deal.created_at <= at]
    return [await _as_of(tx, deal, at) for deal in sorted(deals, key=lambda deal: deal.id)]


async def _as_of(tx: Tx, deal: Deal, at: datetime) -> Deal:
    then: dict[str, JsonValue] = {}
    for changed in await tx.all(
        _Changed,
        """
        SELECT v.changes
          FROM events e
          JOIN event_changes v ON (v.organization_id, v.event_id) = (e.organization_id, e.id)
         WHERE e.subject_kind = 'deal'
           AND e.subject_id = %(deal_id)s
           AND e.occurred_at > %(at)s
         ORDER BY e.seq
        """,
        deal_id=deal.id,
        at=at,
    ):
        then = {name: _before(pair) for name, pair in changed.changes.items()} | then
    amount, currency, step = then.get("amount_minor"), then.get("currency"), then.get("next_step")
    close = then.get("close_date", deal.close_date and deal.close_date.isoformat())
    return replace(
        deal,
        name=str(then.get("name", deal.name)),
        stage=await _stage(tx, str(then["stage_id"])) if "stage_id" in then else deal.stage,
        amount_minor=amount if isinstance(amount, int) else deal.amount_minor,
        currency=currency if isinstance(currency, str) else deal.currency,
        next_step=step if isinstance(step, str) else deal.next_step,
        close_date=date.fromisoformat(close) if isinstance(close, str) else None,
    )


@dataclass(frozen=True)
class _Changed:
    changes: Mapping[str, JsonValue]


def _before(pair: JsonValue) -> JsonValue:
    return pair[0] if isinstance(pair, list) and pair else None


async def _stage(tx: Tx, stage_id: str) -> str:
    name = await tx.value("SELECT name FROM stages WHERE id = %(stage_id)s", stage_id=UUID(stage_id))
    return str(name or "")
