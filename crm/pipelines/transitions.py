"""Events that move records: a reply makes a cold lead a replied one. Only forward, and once per event."""

from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from core.errors import Unprocessable
from crm.pipelines.models import Cause, Standing
from crm.pipelines.moves import ActionRefused, MoveRefused, move
from crm.pipelines.queries import get_stage, list_stages
from crm.pipelines.standings import get_standing
from events.ids import RecordKind


@dataclass(frozen=True)
class Moved:
    """What an event did to one record; `refusal` says in words why it stays where it is."""

    kind: RecordKind
    id: UUID
    refusal: str = ""


@dataclass(frozen=True)
class _Candidate:
    record_kind: RecordKind
    id: UUID
    to_stage_id: UUID


async def apply_event(
    tx: Tx, event_type: str, *, contact_id: UUID | None = None, deal_id: UUID | None = None
) -> list[Moved]:
    """Move the leads and deals of a person, or one deal and its lead, as their stages say for this event.

    A rule that is not kept holds for events too: the record stays, and the answer says why.
    """
    tx.principal.require("deals:write")
    moved = []
    for candidate in await _candidates(tx, event_type, contact_id, deal_id):
        standing = await get_standing(tx, candidate.record_kind, candidate.id)
        if not await _is_forward(tx, standing, candidate.to_stage_id):
            continue
        try:
            if await move(tx, standing, candidate.to_stage_id, Cause.EVENT):
                moved.append(Moved(standing.kind, standing.id))
        except (MoveRefused, ActionRefused) as refused:
            moved.append(Moved(standing.kind, standing.id, refused.detail))
    return moved


async def _candidates(
    tx: Tx, event_type: str, contact_id: UUID | None, deal_id: UUID | None
) -> list[_Candidate]:
    """Records that stand in a stage with a transition for this event, in one order for everybody."""
    return await tx.all(
        _Candidate,
        """
        SELECT t.record_kind, l.id, t.to_stage_id
          FROM leads l
          JOIN stage_transitions t ON t.organization_id = l.organization_id AND t.stage_id = l.stage_id
         WHERE (l.contact_id = %(contact_id)s
                OR l.id = (SELECT d.lead_id FROM deals d WHERE d.id = %(deal_id)s))
           AND l.deleted_at IS NULL
           AND t.record_kind = 'lead'
           AND t.event_type = %(event_type)s
        UNION ALL
        SELECT t.record_kind, d.id, t.to_stage_id
          FROM deals d
          JOIN stage_transitions t ON t.organization_id = d.organization_id AND t.stage_id = d.stage_id
         WHERE (d.contact_id = %(contact_id)s OR d.id = %(deal_id)s)
           AND d.deleted_at IS NULL
           AND t.record_kind = 'deal'
           AND t.event_type = %(event_type)s
         ORDER BY 1, 2
        """,
        event_type=event_type,
        contact_id=contact_id,
        deal_id=deal_id,
    )


async def _is_forward(tx: Tx, standing: Standing, to_stage_id: UUID) -> bool:
    """Stages may have been reordered or closed since the transition was set up; nothing goes back by itself."""
    try:
        to = await get_stage(tx, to_stage_id, share=True)
    except Unprocessable:
        return False
    stages = await list_stages(tx, standing.pipeline_id)
    left = next((stage for stage in stages if stage.id == standing.stage_id), None)
    return left is not None and left.is_open and (not to.is_open or left.position < to.position)
