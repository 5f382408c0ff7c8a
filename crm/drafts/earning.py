"""Which intents a seat has earned to answer by itself, giving them to it, and taking them back."""

from core import clock
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.bidi.actions import set_intents
from crm.bidi.earned import LEAST_BOUND, LEAST_DECISIONS, Record
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi
from crm.drafts.models import IncidentKind
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


async def promote_intent(tx: Tx, bidi_id: BidiId, intent: str) -> Bidi:
    """Let a seat answer an intent by itself, if it has earned that; a person decides it, never the seat.

    Raises: NotFound; Forbidden; Conflict when it is not earned yet.
    """
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    record = next((one for one in await list_records(tx, bidi_id) if one.intent == intent), None)
    if record is None or not record.is_earned:
        raise Conflict(
            f"This is not earned yet: it takes {LEAST_DECISIONS} decisions, and a lower bound of {LEAST_BOUND}."
        )
    return await set_intents(tx, bidi, {*bidi.autopilot_intents, intent})


async def demote_intent(tx: Tx, bidi_id: BidiId, intent: str) -> Bidi:
    """Have a person decide about an intent again. Raises: NotFound; Forbidden."""
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    return await set_intents(tx, bidi, set(bidi.autopilot_intents) - {intent})


async def note_incident(tx: Tx, draft_id: DraftId, kind: IncidentKind, note: str = "") -> None:
    """A reply was taken back or complained about: the seat loses its intents at once, and earns them anew.

    Raises: NotFound; Forbidden; Conflict when it was noted before.
    """
    tx.principal.require("drafts:approve")
    draft = await get_draft(tx, draft_id)
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
