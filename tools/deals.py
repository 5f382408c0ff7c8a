"""Tools over deals. A next step may be worded by an agent that had read text from outside, so reading one taints."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from crm.deals import actions as deals
from crm.deals import queries
from crm.deals.models import Deal, DealEdit
from crm.pipelines.queries import find_stage_by_name, list_stages
from events.ids import CompanyId, ContactId, DealId
from tools.base import Arguments, Impact, Risk, Source, ToolContext, ToolRetry, tool


@dataclass(frozen=True)
class DealCard:
    """`amount_minor` counts the smallest unit of the currency, as in cents."""

    id: DealId
    name: str
    company_id: CompanyId | None
    contact_id: ContactId | None
    stage: str
    outcome: str
    amount_minor: int
    currency: str
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
    """Move a deal to another stage of its pipeline."""
    deal = await queries.get_deal(ctx.tx, DealId(args.deal_id), lock=True)
    stage = await find_stage_by_name(ctx.tx, deal.pipeline_id, args.stage)
    if stage is None:
        names = ", ".join(known.name for known in await list_stages(ctx.tx, deal.pipeline_id))
        raise ToolRetry(f"There is no stage {args.stage!r}; the stages are {names}.")
    return deal_card(await deals.move_stage(ctx.tx, deal.id, stage.id, version=deal.version))


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
        close_date=deal.close_date,
        next_step=deal.next_step,
        updated_at=deal.updated_at,
        source=Source("deal", deal.id),
    )
