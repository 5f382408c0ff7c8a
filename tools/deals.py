"""Tools over deals. A next step may be worded by an agent that had read text from outside, so reading one taints."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from core.trust import Trust
from crm.deals import actions as deals
from crm.deals import queries
from crm.deals.models import Deal, DealEdit, NewDeal
from crm.pipelines.models import Pipeline
from crm.pipelines.queries import list_pipelines, list_stages
from crm.pipelines.rules import Role
from events.ids import CompanyId, ContactId, DealId, RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, ToolFailed, tool
from tools.listing import ListRecords, read_query
from tools.pipelines import stage_named


@dataclass(frozen=True)
class DealCard:
    """`amount_minor` counts the smallest unit of the currency, as in cents; `probability` of winning is in per cent."""

    id: DealId
    name: str
    company_id: CompanyId | None
    contact_id: ContactId | None
    stage: str
    outcome: str
    amount_minor: int
    currency: str
    probability: int
    close_date: date | None
    next_step: str
    updated_at: datetime
    source: Source


@dataclass(frozen=True)
class DealList:
    deals: list[DealCard]


class ListDeals(Arguments):
    contact_id: UUID | None = None
    company_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.contact_id is None) == (self.company_id is None):
            raise ValueError("give either contact_id or company_id")
        return self


@tool(scope="deals:read", risk=Risk.READ, returns_untrusted=True)
async def list_deals(ctx: ToolContext, args: ListDeals) -> DealList:
    """The deals of a company, or of a contact and the company they work at; open ones first."""
    if args.contact_id is not None:
        found = await queries.list_deals_of_contact(ctx.tx, ContactId(args.contact_id))
    elif args.company_id is not None:
        found = await queries.list_deals_of_company(ctx.tx, CompanyId(args.company_id))
    else:
        found = []
    return DealList([deal_card(deal) for deal in found])


@dataclass(frozen=True)
class DealPage:
    deals: list[DealCard]
    next_cursor: str | None


@tool(scope="deals:read", risk=Risk.READ, returns_untrusted=True)
async def find_deals(ctx: ToolContext, args: ListRecords) -> DealPage:
    """Deals that a filter keeps, in order; at most 10 at a time. Fields: name, stage, outcome (open, won, lost),
    amount, currency, close_date, owner_id, company_id, updated_at, closed_at ..."""
    listing, query = await read_query(ctx.tx, RecordKind.DEAL, args)
    page = await queries.list_deals(ctx.tx, query, listing=listing)
    return DealPage([deal_card(deal) for deal in page.items], page.next_cursor)


class UpdateDealNextStep(Arguments):
    deal_id: UUID
    next_step: str = Field(max_length=500, description="What happens next, in one sentence.")


@tool(scope="deals:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def update_deal_next_step(ctx: ToolContext, args: UpdateDealNextStep) -> DealCard:
    """Write down what happens next in a deal."""
    deal = await queries.get_deal(ctx.tx, DealId(args.deal_id), lock=True)
    edit = DealEdit(next_step=args.next_step)
    return deal_card(await deals.update_deal(ctx.tx, deal.id, edit, version=deal.version))


class MoveDealStage(Arguments):
    deal_id: UUID
    stage: str = Field(
        min_length=1, max_length=100, description="The name of a stage of the deal's pipeline."
    )


@tool(scope="deals:write", risk=Risk.WRITE, returns_untrusted=True)
async def move_deal_stage(ctx: ToolContext, args: MoveDealStage) -> DealCard:
    """Move a deal to another stage of its pipeline; a stage may refuse, and says what it asks for."""
    deal = await queries.get_deal(ctx.tx, DealId(args.deal_id), lock=True)
    stage = await stage_named(ctx.tx, deal.pipeline_id, args.stage)
    return deal_card(await deals.move_stage(ctx.tx, deal.id, stage.id, version=deal.version))


class CreateDeal(Arguments):
    name: str = Field(min_length=1, max_length=200)
    pipeline_id: UUID | None = Field(None, description="The first pipeline, if it is left out.")
    stage: str = Field("", max_length=100, description="The name of a stage; the first, if it is left out.")
    company_id: UUID | None = None
    contact_id: UUID | None = None
    amount_minor: int = Field(0, ge=0, description="In the smallest unit of the currency, as in cents.")
    currency: str = Field("EUR", pattern="^[A-Z]{3}$")
    close_date: date | None = None
    next_step: str = Field("", max_length=500, description="What happens next, in one sentence.")


def _impact_of_new(args: CreateDeal) -> Impact:
    return Impact.SENSITIVE if args.amount_minor else Impact.ORDINARY


@tool(scope="deals:write", risk=Risk.WRITE, impact=_impact_of_new, returns_untrusted=True)
async def create_deal(ctx: ToolContext, args: CreateDeal) -> DealCard:
    """Add a deal with a company or a contact, in a stage of a pipeline."""
    pipeline_id = args.pipeline_id or (await _first_pipeline(ctx)).id
    stages = await list_stages(ctx.tx, pipeline_id)
    stage = await stage_named(ctx.tx, pipeline_id, args.stage) if args.stage or not stages else stages[0]
    new = NewDeal(
        name=args.name,
        stage_id=stage.id,
        company_id=None if args.company_id is None else CompanyId(args.company_id),
        contact_id=None if args.contact_id is None else ContactId(args.contact_id),
        amount_minor=args.amount_minor,
        currency=args.currency,
        close_date=args.close_date,
        next_step=args.next_step,
    )
    return deal_card(await deals.create_deal(ctx.tx, new))


async def _first_pipeline(ctx: ToolContext) -> Pipeline:
    pipelines = await list_pipelines(ctx.tx)
    if not pipelines:
        raise ToolFailed("There is no pipeline yet; a person has to make one first.")
    return pipelines[0]


class UpdateDeal(Arguments):
    deal_id: UUID
    name: str | None = Field(None, min_length=1, max_length=200)
    company_id: UUID | None = None
    contact_id: UUID | None = None
    amount_minor: int | None = Field(None, ge=0, description="In the smallest unit of the currency.")
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    probability: int | None = Field(None, ge=0, le=100, description="Per cent.")
    close_date: date | None = None
    lost_reason: str | None = Field(None, max_length=500)


_MONEY = {"amount_minor", "currency", "probability"}


def _impact(args: UpdateDeal) -> Impact:
    given = args.model_dump(exclude={"deal_id"}, exclude_none=True).keys()
    return Impact.SENSITIVE if given & _MONEY else Impact.ORDINARY


@tool(scope="deals:write", risk=Risk.WRITE, impact=_impact, returns_untrusted=True)
async def update_deal(ctx: ToolContext, args: UpdateDeal) -> DealCard:
    """Change fields of a deal; what is left out stays as it is. Stages change by move_deal_stage."""
    deal = await queries.get_deal(ctx.tx, DealId(args.deal_id), lock=True)
    edit = DealEdit(**args.model_dump(exclude={"deal_id"}, exclude_none=True))
    return deal_card(await deals.update_deal(ctx.tx, deal.id, edit, version=deal.version))


@dataclass(frozen=True)
class StakeholderView:
    contact_id: ContactId
    name: str
    title: str
    role: str
    source: Source


@dataclass(frozen=True)
class StakeholderList:
    stakeholders: list[StakeholderView]


class ListStakeholders(Arguments):
    deal_id: UUID


@tool(scope="deals:read", risk=Risk.READ, returns_untrusted=True)
async def list_stakeholders(ctx: ToolContext, args: ListStakeholders) -> StakeholderList:
    """Who has a say in a deal, and in which role."""
    deal = await queries.get_deal(ctx.tx, DealId(args.deal_id))
    return await _stakeholders(ctx, deal.id)


class AddStakeholder(Arguments):
    deal_id: UUID
    contact_id: UUID
    role: Role = "influencer"


@tool(scope="deals:write", risk=Risk.WRITE, returns_untrusted=True)
async def add_stakeholder(ctx: ToolContext, args: AddStakeholder) -> StakeholderList:
    """Note that somebody has a say in a deal; one person may have several roles."""
    deal_id = DealId(args.deal_id)
    await deals.add_stakeholder(ctx.tx, deal_id, ContactId(args.contact_id), args.role)
    return await _stakeholders(ctx, deal_id)


async def _stakeholders(ctx: ToolContext, deal_id: DealId) -> StakeholderList:
    found = await queries.list_stakeholders(ctx.tx, deal_id)
    return StakeholderList(
        [
            StakeholderView(
                one.contact_id,
                one.name,
                one.title,
                one.role,
                Source("contact", one.contact_id, Trust.UNTRUSTED),
            )
            for one in found
        ]
    )


def deal_card(deal: Deal) -> DealCard:
    return DealCard(
        id=deal.id,
        name=deal.name,
        company_id=deal.company_id,
        contact_id=deal.contact_id,
        stage=deal.stage,
        outcome=deal.outcome,
        amount_minor=deal.amount_minor,
        currency=deal.currency,
        probability=deal.likelihood,
        close_date=deal.close_date,
        next_step=deal.next_step,
        updated_at=deal.updated_at,
        source=Source("deal", deal.id),
    )
