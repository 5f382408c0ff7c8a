"""A tool that reads at once what an answer to a contact may need; one call instead of four."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from crm.contacts.queries import get_contact
from crm.deals.queries import list_deals_of_contact
from crm.facts.queries import list_facts
from events.ids import ContactId
from graph.store import GraphAway
from tools.base import Arguments, Risk, ToolContext, tool
from tools.deals import DealCard, deal_card
from tools.facts import FactCard, fact_card
from tools.graph import NeighbourhoodView, neighbourhood_view


@dataclass(frozen=True)
class ContactBrief:
    """What is known of a contact and of the company they work at; `people` is empty while the graph is away."""

    deals: list[DealCard]
    facts: list[FactCard]
    people: NeighbourhoodView | None


class BriefContact(Arguments):
    contact_id: UUID
    hops: int = Field(2, ge=1, le=2, description="How far to look among the people around the contact.")


@tool(scope="graph:read", risk=Risk.READ, tx=False, returns_untrusted=True)
async def brief_contact(ctx: ToolContext, args: BriefContact) -> ContactBrief:
    """The deals of a contact and their company, what is known of both, and the people around the contact."""
    async with ctx.short_tx() as tx:
        contact = await get_contact(tx, ContactId(args.contact_id))
        deals = await list_deals_of_contact(tx, contact.id)
        facts = await list_facts(tx, UUID(str(contact.id)), limit=30)
        if contact.company_id is not None:
            facts += await list_facts(tx, UUID(str(contact.company_id)), limit=30)
    return ContactBrief(
        deals=[deal_card(deal) for deal in deals],
        facts=[fact_card(fact) for fact in {fact.id: fact for fact in facts}.values()],
        people=await _people(ctx, args),
    )


async def _people(ctx: ToolContext, args: BriefContact) -> NeighbourhoodView | None:
    try:
        found = await ctx.graph.neighbourhood(ctx.principal, args.contact_id, hops=args.hops, limit=15)
    except GraphAway:
        return None
    return neighbourhood_view(found)
