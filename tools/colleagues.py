"""Tools over colleagues: who there is, and who is responsible for a record."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from crm.companies.actions import update_company
from crm.companies.models import CompanyEdit
from crm.companies.queries import get_company
from crm.contacts.actions import update_contact
from crm.contacts.models import ContactEdit
from crm.contacts.queries import get_contact
from crm.deals.actions import update_deal
from crm.deals.models import DealEdit
from crm.deals.queries import get_deal
from crm.identity.queries import list_members
from crm.leads.actions import update_lead
from crm.leads.models import LeadEdit
from crm.leads.queries import get_lead
from events.ids import CompanyId, ContactId, DealId, LeadId, MemberId, RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, ToolRetry, tool


@dataclass(frozen=True)
class Colleague:
    """`id` is what assignee_id, owner_id and member_id take."""

    id: UUID
    name: str
    role: str
    source: Source


@dataclass(frozen=True)
class ColleagueList:
    colleagues: list[Colleague]


class ListColleagues(Arguments):
    pass


@tool(scope="contacts:read", risk=Risk.READ)
async def list_colleagues(ctx: ToolContext, args: ListColleagues) -> ColleagueList:
    """The members of our own organization with their ids and roles."""
    return ColleagueList(
        [
            Colleague(one.id, one.name, one.role.value, Source("colleague", one.id))
            for one in await list_members(ctx.tx)
        ]
    )


@dataclass(frozen=True)
class Assigned:
    record_kind: RecordKind
    record_id: UUID
    owner: str
    source: Source


class AssignRecord(Arguments):
    record_kind: RecordKind
    record_id: UUID
    owner_id: UUID = Field(description="The colleague who is to be responsible, from list_colleagues.")


@tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.SENSITIVE)
async def assign_record(ctx: ToolContext, args: AssignRecord) -> Assigned:
    """Make a colleague responsible for a contact, company, lead or deal."""
    names = {one.id: one.name for one in await list_members(ctx.tx)}
    if args.owner_id not in names:
        raise ToolRetry(f"There is no colleague {args.owner_id}; list_colleagues has their ids.")
    await _give(ctx, args.record_kind, args.record_id, MemberId(args.owner_id))
    source = Source(args.record_kind.value, args.record_id)
    return Assigned(args.record_kind, args.record_id, names[args.owner_id], source)


async def _give(ctx: ToolContext, kind: RecordKind, id: UUID, owner: MemberId) -> None:
    match kind:
        case RecordKind.CONTACT:
            contact = await get_contact(ctx.tx, ContactId(id), lock=True)
            await update_contact(ctx.tx, contact.id, ContactEdit(owner_id=owner), version=contact.version)
        case RecordKind.COMPANY:
            company = await get_company(ctx.tx, CompanyId(id), lock=True)
            await update_company(ctx.tx, company.id, CompanyEdit(owner_id=owner), version=company.version)
        case RecordKind.LEAD:
            lead = await get_lead(ctx.tx, LeadId(id), lock=True)
            await update_lead(ctx.tx, lead.id, LeadEdit(owner_id=owner), version=lead.version)
        case RecordKind.DEAL:
            deal = await get_deal(ctx.tx, DealId(id), lock=True)
            await update_deal(ctx.tx, deal.id, DealEdit(owner_id=owner), version=deal.version)
