"""A lead becomes a deal: both in one transaction, or neither."""

from core import clock
from core.db import Tx
from core.errors import Conflict, Stale
from crm.contacts.queries import get_contact
from crm.deals.actions import create_deal
from crm.deals.models import Conversion, Deal, NewDeal
from crm.leads.models import Lead
from crm.leads.queries import get_lead
from crm.pipelines import moves
from crm.pipelines.models import Action, Cause, Stage
from crm.pipelines.queries import get_stage, list_stages
from crm.pipelines.standings import get_standing
from events.ids import LeadId, RecordKind
from events.outbox import emit
from events.types import LeadConverted, LeadUpdated


async def convert_lead(tx: Tx, lead_id: LeadId, new: Conversion, *, version: int) -> Deal:
    """Make a deal of a lead and move the lead along: both stand in the same stage afterwards.

    The deal gets the lead's person, that person's company, and who works the lead.

    Raises:
        NotFound: no such lead or stage.
        Stale: the lead changed since `version` was read.
        Conflict: a deal was made of it before, it is closed or in the trash, or its stage does not allow it.
        MoveRefused: a rule of the lead's or the deal's stage is not kept; neither changed.
    """
    lead = await get_lead(tx, lead_id, lock=True)
    tx.principal.require("leads:write")
    _check(lead, version)
    stages = await list_stages(tx, lead.pipeline_id)
    left = await get_stage(tx, lead.stage_id)
    moves.require_action(left, Action.CONVERT)
    stage_id = new.stage_id or _after(stages, left).id
    contact = await get_contact(tx, lead.contact_id)
    made = NewDeal(
        name=new.name,
        stage_id=stage_id,
        company_id=contact.company_id,
        contact_id=lead.contact_id,
        amount_minor=new.amount_minor,
        currency=new.currency,
        close_date=new.close_date,
        next_step=new.next_step or lead.next_step,
        owner_id=lead.owner_id,
        bidi_id=lead.bidi_id,
    )
    # a refusal halfway must not leave half of it to a caller who catches it
    async with tx.savepoint():
        deal = await create_deal(tx, made, lead_id=lead_id, cause=Cause.CONVERTED)
        standing = await get_standing(tx, RecordKind.LEAD, lead_id)
        await moves.move(tx, standing, stage_id, Cause.CONVERTED)
        await _mark(tx, lead, deal)
    return deal


async def undo_conversion(tx: Tx, lead_id: LeadId) -> None:
    """The lead is one again, and a deal may be made of it anew.

    Raises: NotFound; Conflict while the deal that was made of it is there.
    """
    lead = await get_lead(tx, lead_id, lock=True)
    tx.principal.require("leads:write")
    if lead.converted_at is None:
        return
    made = await tx.value(
        "SELECT id FROM deals WHERE lead_id = %(lead_id)s AND deleted_at IS NULL", lead_id=lead_id
    )
    if made is not None:
        raise Conflict(f"The deal that was made of the lead of {lead.contact} is there; delete it first.")
    await tx.execute(
        """
        UPDATE leads
           SET converted_at = NULL, version = version + 1, updated_at = %(now)s
         WHERE id = %(lead_id)s
        """,
        now=clock.now(),
        lead_id=lead_id,
    )
    await emit(tx, LeadUpdated(lead_id), changes={"converted_at": (lead.converted_at, None)})


def _check(lead: Lead, version: int) -> None:
    if lead.version != version:
        raise Stale(f"The lead of {lead.contact} was changed meanwhile; reload and try again.")
    if lead.converted_at is not None:
        raise Conflict(f"A deal was made of the lead of {lead.contact} already; open that deal.")
    if lead.deleted_at is not None:
        raise Conflict(f"The lead of {lead.contact} is in the trash; restore it first.")
    if lead.closed_at is not None:
        raise Conflict(f"The lead of {lead.contact} is closed; move it back to an open stage first.")


def _after(stages: list[Stage], left: Stage) -> Stage:
    """The next open stage, or the lead's own when it is the last one."""
    return next((one for one in stages if one.is_open and one.position > left.position), left)


async def _mark(tx: Tx, lead: Lead, deal: Deal) -> None:
    now = clock.now()
    await tx.execute(
        """
        UPDATE leads
           SET converted_at = %(now)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(lead_id)s
        """,
        now=now,
        lead_id=lead.id,
    )
    changes: dict[str, tuple[object, object]] = {"converted_at": (None, now), "deal_id": (None, deal.id)}
    await emit(tx, LeadConverted(lead.id, deal.id), changes=changes)
