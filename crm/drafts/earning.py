"""Which intents a seat has earned to answer by itself, giving them to it, and taking them back."""

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.bidi.actions import set_intents
from crm.bidi.earned import LEAST_BOUND, LEAST_DECISIONS, Record
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.drafts.models import DraftStatus, IncidentKind
from crm.drafts.queries import get_draft
from events.ids import BidiId, DraftId
from events.outbox import emit
from events.types import ReplyIncidentNoted


async def list_records(tx: Tx, bidi_id: BidiId) -> list[Record]:
    """What people decided about the seat's drafts by intent, since the last incident on each.

    A draft on several intents counts for each. Accepted is what was approved as it was written; edited, rejected and
    sent back is not. What the seat sent by itself was decided by nobody.
    """
    return await tx.all(
        Record,
        """
        WITH decided AS (
            SELECT intent, a.decided_at, d.status = 'approved' AND d.original_body IS NULL AS is_accepted
              FROM drafts d
              JOIN approvals a ON a.draft_id = d.id
              JOIN members m ON m.user_id = a.decided_by
             CROSS JOIN unnest(d.intents) AS intent
             WHERE d.bidi_id = %(bidi_id)s
               AND d.status IN ('approved', 'rejected', 'superseded')
        ), incidents AS (
            SELECT intent, max(i.noted_at) AS noted_at
              FROM reply_incidents i
              JOIN drafts d ON d.id = i.draft_id
             CROSS JOIN unnest(d.intents) AS intent
             WHERE i.bidi_id = %(bidi_id)s
             GROUP BY intent
        )
        SELECT d.intent, count(*) AS decided, count(*) FILTER (WHERE d.is_accepted) AS accepted
          FROM decided d
          LEFT JOIN incidents i ON i.intent = d.intent
         WHERE i.noted_at IS NULL OR d.decided_at > i.noted_at
         GROUP BY d.intent
         ORDER BY d.intent
        """,
        bidi_id=bidi_id,
    )


@dataclass(frozen=True)
class _Lost:
    intent: str
    noted_at: datetime


async def last_incidents(tx: Tx, bidi_id: BidiId) -> dict[str, datetime]:
    """When the last incident on each intent of a seat was noted."""
    lost = await tx.all(
        _Lost,
        """
        SELECT intent, max(i.noted_at) AS noted_at
          FROM reply_incidents i
          JOIN drafts d ON (d.organization_id, d.id) = (i.organization_id, i.draft_id)
         CROSS JOIN unnest(d.intents) AS intent
         WHERE i.bidi_id = %(bidi_id)s
         GROUP BY intent
        """,
        bidi_id=bidi_id,
    )
    return {one.intent: one.noted_at for one in lost}


async def choose_intents(tx: Tx, bidi_id: BidiId, intents: set[str]) -> Bidi:
    """Say which intents a seat answers by itself, each of them earned; a person decides it, never the seat.

    Raises: NotFound; Forbidden; Conflict for an archived seat, and when one is not earned yet.
    """
    bidi = await get_bidi(tx, bidi_id, lock=True)
    tx.principal.require("bidi:manage")
    if bidi.archived_at is not None:
        raise Conflict(f"{bidi.name} is archived; make a new seat.", state="archived")
    new = intents - set(bidi.autopilot_intents)
    earned = {one.intent for one in await list_records(tx, bidi_id) if one.is_earned} if new else set()
    if not new <= earned:
        raise Conflict(
            f"This is not earned yet: it takes {LEAST_DECISIONS} decisions, and a lower bound of {LEAST_BOUND}.",
            intents=", ".join(sorted(new - earned)),
        )
    return await set_intents(tx, bidi, intents)


async def promote_intent(tx: Tx, bidi_id: BidiId, intent: str) -> Bidi:
    """Let a seat answer one more intent by itself. Raises: as `choose_intents`."""
    bidi = await get_bidi(tx, bidi_id, lock=True)
    return await choose_intents(tx, bidi_id, {*bidi.autopilot_intents, intent})


async def demote_intent(tx: Tx, bidi_id: BidiId, intent: str) -> Bidi:
    """Have a person decide about an intent again. Raises: as `choose_intents`."""
    bidi = await get_bidi(tx, bidi_id, lock=True)
    return await choose_intents(tx, bidi_id, set(bidi.autopilot_intents) - {intent})


async def note_incident(tx: Tx, draft_id: DraftId, kind: IncidentKind, note: str = "") -> BidiId:
    """A reply was taken back or complained about: its seat, which is returned, loses its intents at once, and earns them anew.

    Raises: NotFound; Forbidden; Conflict when it was noted before, or the reply was never approved.
    """
    tx.principal.require("drafts:approve")
    draft = await get_draft(tx, draft_id)
    if draft.status is not DraftStatus.APPROVED:
        raise Conflict("This reply was never sent; reject the draft instead.", state=draft.status)
    bidi = await get_bidi(tx, draft.bidi_id, lock=True)
    noted = await tx.execute(
        """
        INSERT INTO reply_incidents (organization_id, id, draft_id, bidi_id, kind, note, noted_by, noted_at)
        VALUES (%(organization_id)s, %(id)s, %(draft_id)s, %(bidi_id)s, %(kind)s, %(note)s, %(noted_by)s, %(now)s)
            ON CONFLICT (organization_id, draft_id) DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        draft_id=draft_id,
        bidi_id=bidi.id,
        kind=kind,
        note=note,
        noted_by=tx.principal.id,
        now=clock.now(),
    )
    if not noted:
        raise Conflict("An incident was noted on this reply before.")
    intents = await tx.value("SELECT intents FROM drafts WHERE id = %(draft_id)s", draft_id=draft_id)
    # of a reply whose intents nobody knows, any may have been at fault
    lost = set(intents) or set(bidi.autopilot_intents)
    await set_intents(tx, bidi, set(bidi.autopilot_intents) - lost)
    await emit(tx, ReplyIncidentNoted(draft.conversation_id, draft_id))
    return bidi.id
