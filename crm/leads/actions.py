"""Making, changing and moving leads."""

from collections.abc import Mapping
from uuid import UUID

from psycopg import sql

from core import clock
from core.db import Tx
from core.edits import Keep, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.bidi.queries import require_bidi
from crm.contacts.queries import get_contact
from crm.identity.queries import require_member
from crm.leads.models import Lead, LeadEdit, NewLead
from crm.leads.queries import get_lead
from crm.pipelines import moves
from crm.pipelines.models import Action, Cause, Stage, Standing
from crm.pipelines.queries import first_open, get_stage, list_pipelines, list_stages
from crm.pipelines.standings import get_standing
from events.ids import BidiId, LeadId, MemberId, RecordKind
from events.outbox import emit
from events.types import Event, LeadCreated, LeadDeleted, LeadRestored, LeadUpdated


async def create_lead(tx: Tx, new: NewLead) -> Lead:
    """Put a contact into a pipeline.

    Raises:
        NotFound: no such contact, pipeline or stage.
        Conflict: the contact is in this pipeline already.
        Unprocessable: there is no pipeline yet, or the stage was removed.
        MoveRefused: a rule of the stage is not kept.
    """
    tx.principal.require("leads:write")
    contact = await get_contact(tx, new.contact_id)
    await _require_links(tx, new.owner_id, new.bidi_id)
    stage = await _first_stage(tx, new)
    lead_id = LeadId(uuid7())
    values: dict[str, object] = {
        "owner": new.owner_id,
        "next_step": new.next_step.strip(),
        "lost_reason": new.lost_reason.strip(),
        "source": new.source.strip(),
    }
    standing = Standing(RecordKind.LEAD, lead_id, contact.name, stage.pipeline_id, stage.id, 1, values)
    moves.require_rules(standing, None, stage)
    now = clock.now()
    is_made = await tx.execute(
        """
        INSERT INTO leads (organization_id, id, contact_id, pipeline_id, stage_id, stage_entered_at, owner_id, bidi_id,
                           source, next_step, lost_reason, closed_at, created_at, updated_at)
        VALUES (%(organization_id)s, %(id)s, %(contact_id)s, %(pipeline_id)s, %(stage_id)s, %(now)s, %(owner_id)s,
                %(bidi_id)s, %(source)s, %(next_step)s, %(lost_reason)s, %(closed_at)s, %(now)s, %(now)s)
            ON CONFLICT (organization_id, contact_id, pipeline_id) WHERE deleted_at IS NULL DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=lead_id,
        contact_id=new.contact_id,
        pipeline_id=stage.pipeline_id,
        stage_id=stage.id,
        now=now,
        owner_id=new.owner_id,
        bidi_id=new.bidi_id,
        source=new.source.strip(),
        next_step=new.next_step.strip(),
        lost_reason=new.lost_reason.strip(),
        closed_at=None if stage.is_open else now,
    )
    if not is_made:
        raise Conflict(f"{contact.name} is in this pipeline already; change that lead instead.")
    await moves.enter(tx, standing, stage, Cause.CREATED)
    await emit(tx, LeadCreated(lead_id))
    return await get_lead(tx, lead_id)


async def _first_stage(tx: Tx, new: NewLead) -> Stage:
    if new.stage_id is not None:
        stage = await get_stage(tx, new.stage_id, share=True)
        if new.pipeline_id not in (None, stage.pipeline_id):
            raise Unprocessable(f"{stage.name} is a stage of another pipeline.", field="stage_id")
        return stage
    pipeline_id = new.pipeline_id or next((one.id for one in await list_pipelines(tx)), None)
    if pipeline_id is None:
        raise Unprocessable("There is no pipeline yet; make one first.", field="pipeline_id")
    stages = await list_stages(tx, pipeline_id)
    if not stages:
        raise Unprocessable(f"There is no pipeline {pipeline_id}; choose another one.", field="pipeline_id")
    return await get_stage(tx, first_open(stages).id, share=True)


async def update_lead(tx: Tx, lead_id: LeadId, edit: LeadEdit, *, version: int) -> Lead:
    """Change some fields of a lead; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such lead.
        Stale: changed since `version` was read.
        Unprocessable: nobody has the id of the owner or seat.
    """
    lead = await get_lead(tx, lead_id, lock=True)
    tx.principal.require("leads:write")
    _check_version(lead, version)
    changes = differences(lead, given(edit))
    if not changes:
        return lead
    await _require_links(tx, edit.owner_id, edit.bidi_id)
    await _write(tx, lead_id, changes)
    await emit(tx, LeadUpdated(lead_id), changes=changes)
    return await get_lead(tx, lead_id)


async def move_lead(tx: Tx, lead_id: LeadId, stage_id: UUID, *, version: int) -> Lead:
    """Move a lead to another stage of its pipeline; moving it to where it stands leaves no trace.

    Raises:
        NotFound: no such lead or stage.
        Stale: changed since `version` was read.
        Unprocessable, ActionRefused, MoveRefused: see crm/pipelines/moves.py.
    """
    lead = await get_lead(tx, lead_id, lock=True)
    tx.principal.require("leads:write")
    _check_version(lead, version)
    _require_present(lead)
    await moves.move(tx, await get_standing(tx, RecordKind.LEAD, lead_id), stage_id, Cause.MOVED)
    return await get_lead(tx, lead_id)


async def delete_lead(tx: Tx, lead_id: LeadId, *, version: int | None = None) -> Lead:
    """Put a lead into the trash; the contact may be put into the pipeline again. Raises: NotFound, Stale, Conflict."""
    lead = await get_lead(tx, lead_id, lock=True)
    tx.principal.require("leads:write")
    if version is not None:
        _check_version(lead, version)
    if lead.deleted_at is not None:
        return lead
    moves.require_action(await get_stage(tx, lead.stage_id), Action.DELETE)
    await moves.unwatch(tx, RecordKind.LEAD, lead_id)
    return await _note(tx, lead_id, {"deleted_at": (None, clock.now())}, LeadDeleted(lead_id))


async def restore_lead(tx: Tx, lead_id: LeadId) -> Lead:
    """Take a lead out of the trash; from a stage that was removed meanwhile it comes to the first one.

    Raises: NotFound; Conflict when the contact was put into the pipeline again.
    """
    lead = await get_lead(tx, lead_id, lock=True)
    tx.principal.require("leads:write")
    if lead.deleted_at is None:
        return lead
    twin = await tx.value(
        """
        SELECT true
          FROM leads
         WHERE contact_id = %(contact_id)s
           AND pipeline_id = %(pipeline_id)s
           AND deleted_at IS NULL
        """,
        contact_id=lead.contact_id,
        pipeline_id=lead.pipeline_id,
    )
    if twin:
        raise Conflict(f"{lead.contact} is in this pipeline again; delete that lead first.")
    await _note(tx, lead_id, {"deleted_at": (lead.deleted_at, None)}, LeadRestored(lead_id))
    await moves.come_back(tx, await get_standing(tx, RecordKind.LEAD, lead_id), lead.stage_entered_at)
    return await get_lead(tx, lead_id)


def _check_version(lead: Lead, version: int) -> None:
    if lead.version != version:
        raise Stale(f"The lead of {lead.contact} was changed meanwhile; reload and try again.")


def _require_present(lead: Lead) -> None:
    if lead.deleted_at is not None:
        raise Conflict(f"The lead of {lead.contact} is in the trash; restore it first.")


async def _note(tx: Tx, lead_id: LeadId, changes: Mapping[str, tuple[object, object]], event: Event) -> Lead:
    await _write(tx, lead_id, changes)
    await emit(tx, event, changes=changes)
    return await get_lead(tx, lead_id)


async def _write(tx: Tx, lead_id: LeadId, changes: Mapping[str, tuple[object, object]]) -> None:
    values = {name: after for name, (_, after) in changes.items()} | {"updated_at": clock.now()}
    await tx.execute(
        sql.SQL("UPDATE leads SET {values}, version = version + 1 WHERE id = %(lead_id)s").format(
            values=assignments(values)
        ),
        lead_id=lead_id,
    )


async def _require_links(tx: Tx, owner_id: MemberId | Keep | None, bidi_id: BidiId | Keep | None) -> None:
    """Raises: Unprocessable for a person or seat that is not there."""
    if isinstance(owner_id, UUID):
        await require_member(tx, owner_id)
    if isinstance(bidi_id, UUID):
        await require_bidi(tx, bidi_id)
