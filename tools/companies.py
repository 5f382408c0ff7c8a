"""Tools over companies."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from core.sql import ListQuery
from crm.companies import queries
from crm.companies.models import Company
from events.ids import CompanyId
from tools.base import Arguments, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class CompanyCard:
    id: CompanyId
    name: str
    domain: str | None
    city: str
    employees: int | None
    about: str
    source: Source


@dataclass(frozen=True)
class CompanyList:
    companies: list[CompanyCard]
    next_cursor: str | None


class GetCompany(Arguments):
    company_id: UUID


@tool(scope="companies:read", risk=Risk.READ)
async def get_company(ctx: ToolContext, args: GetCompany) -> CompanyCard:
    """One company: web domain, city, number of employees and what it does."""
    return _card(await queries.get_company(ctx.tx, CompanyId(args.company_id)))


class FindCompanies(Arguments):
    text: str = Field(min_length=1, max_length=200, description="Part of a name, web domain or city.")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before.")


@tool(scope="companies:read", risk=Risk.READ)
async def find_companies(ctx: ToolContext, args: FindCompanies) -> CompanyList:
    """Companies whose name, web domain or city contains the text; at most 10 at a time."""
    page = await queries.list_companies(ctx.tx, ListQuery(cursor=args.cursor, limit=10), text=args.text)
    return CompanyList([_card(company) for company in page.items], page.next_cursor)


def _card(company: Company) -> CompanyCard:
    return CompanyCard(
        id=company.id,
        name=company.name,
        domain=company.domain,
        city=company.city,
        employees=company.employees,
        about=company.about,
        source=Source("company", company.id),
    )
