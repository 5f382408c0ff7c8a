"""Tools over leads: people on their way through a pipeline, and the deals that are made of them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from crm.deals.conversion import convert_lead as convert
from crm.deals.models import Conversion
from crm.leads import actions as leads
from crm.leads import queries
from crm.leads.models import Lead, NewLead
from events.ids import ContactId, LeadId, RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool
from tools.deals import DealCard, deal_card
from tools.listing import ListRecords, read_query
from tools.pipelines import stage_named


@dataclass(frozen=True)
class LeadCard:
    id: LeadId
    contact_id: ContactId
    contact: str
    stage: str
    outcome: str
    next_step: str
    is_converted: bool
    updated_at: datetime
    source: Source


@dataclass(frozen=True)
class LeadList:
    leads: list[LeadCard]
    next_cursor: str | None


@tool(scope="leads:read", risk=Risk.READ, returns_untrusted=True)
async def list_leads(ctx: ToolContext, args: ListRecords) -> LeadList:
    """Leads that a filter keeps, in order; at most 10 at a time. Fields: contact_id, stage, outcome, next_step ..."""
    listing, query = await read_query(ctx.tx, RecordKind.LEAD, args)
    page = await queries.list_leads(ctx.tx, query, listing=listing)
    return LeadList([_card(lead) for lead in page.items], page.next_cursor)


class CreateLead(Arguments):
    contact_id: UUID
    pipeline_id: UUID | None = Field(None, description="The first pipeline, if it is left out.")
    source: str = Field("", max_length=200, description="Where the lead comes from, in a few words.")
    next_step: str = Field("", max_length=500, description="What happens next, in one sentence.")


@tool(scope="leads:write", risk=Risk.WRITE, returns_untrusted=True)
async def create_lead(ctx: ToolContext, args: CreateLead) -> LeadCard:
    """Put a contact into a pipeline as a lead, at its first stage; one lead for each pipeline."""
    new = NewLead(
        ContactId(args.contact_id),
        pipeline_id=args.pipeline_id,
        source=args.source,
        next_step=args.next_step,
    )
    return _card(await leads.create_lead(ctx.tx, new))


class MoveLeadStage(Arguments):
    lead_id: UUID
    stage: str = Field(
        min_length=1, max_length=100, description="The name of a stage of the lead's pipeline."
    )


@tool(scope="leads:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def move_lead_stage(ctx: ToolContext, args: MoveLeadStage) -> LeadCard:
    """Move a lead to another stage of its pipeline; a stage may refuse, and says what it asks for."""
    lead = await queries.get_lead(ctx.tx, LeadId(args.lead_id), lock=True)
    stage = await stage_named(ctx.tx, lead.pipeline_id, args.stage)
    return _card(await leads.move_lead(ctx.tx, lead.id, stage.id, version=lead.version))


class ConvertLead(Arguments):
    lead_id: UUID
    name: str = Field(min_length=1, max_length=200, description="What the deal is called.")
    amount_minor: int = Field(0, ge=0, description="In the smallest unit of the currency, as in cents.")
    currency: str = Field("EUR", pattern="^[A-Z]{3}$")
    close_date: date | None = None
    next_step: str = Field("", max_length=500)


def _impact(args: ConvertLead) -> Impact:
    return Impact.SENSITIVE if args.amount_minor else Impact.ORDINARY


@tool(scope="leads:write", risk=Risk.WRITE, impact=_impact, returns_untrusted=True)
async def convert_lead(ctx: ToolContext, args: ConvertLead) -> DealCard:
    """Make a deal of a lead; the lead moves along with it."""
    lead = await queries.get_lead(ctx.tx, LeadId(args.lead_id), lock=True)
    new = Conversion(
        name=args.name,
        amount_minor=args.amount_minor,
        currency=args.currency,
        close_date=args.close_date,
        next_step=args.next_step,
    )
    return deal_card(await convert(ctx.tx, lead.id, new, version=lead.version))


def _card(lead: Lead) -> LeadCard:
    return LeadCard(
        id=lead.id,
        contact_id=lead.contact_id,
        contact=lead.contact,
        stage=lead.stage,
        outcome=lead.outcome.value,
        next_step=lead.next_step,
        is_converted=lead.converted_at is not None,
        updated_at=lead.updated_at,
        source=Source("lead", lead.id),
    )
