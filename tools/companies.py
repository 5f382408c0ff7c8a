"""Tools over companies."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field, JsonValue

from core.sql import ListQuery
from crm.companies import actions as companies
from crm.companies import queries
from crm.companies.models import Company, CompanyEdit, NewCompany
from events.ids import CompanyId, RecordKind
from tools.base import Arguments, Risk, Source, ToolContext, tool
from tools.listing import ListRecords, read_query


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


@tool(scope="companies:read", risk=Risk.READ)
async def list_companies(ctx: ToolContext, args: ListRecords) -> CompanyList:
    """Companies that a filter keeps, in order; at most 10 at a time. Fields: name, domain, city, employees, tags ..."""
    listing, query = await read_query(ctx.tx, RecordKind.COMPANY, args)
    page = await queries.list_companies(ctx.tx, query, listing=listing)
    return CompanyList([_card(company) for company in page.items], page.next_cursor)


class CompanyFields(Arguments):
    domain: str | None = Field(None, max_length=200, description="Its web domain, as in lind.example.")
    city: str | None = Field(None, max_length=200)
    country: str | None = Field(None, max_length=200)
    industry: str | None = Field(None, max_length=200)
    phone: str | None = Field(None, max_length=200)
    employees: int | None = Field(None, ge=0, le=10_000_000)
    about: str | None = Field(None, max_length=4000, description="What it does.")
    custom: dict[str, JsonValue] | None = Field(
        None, max_length=100, description="Values of custom fields by their keys; null empties one."
    )


class CreateCompany(CompanyFields):
    name: str = Field(min_length=1, max_length=200)


@tool(scope="companies:write", risk=Risk.WRITE)
async def create_company(ctx: ToolContext, args: CreateCompany) -> CompanyCard:
    """Add a company that find_companies does not find. A domain that another company has is refused."""
    return _card(await companies.create_company(ctx.tx, NewCompany(**args.model_dump(exclude_none=True))))


class UpdateCompany(CompanyFields):
    company_id: UUID
    name: str | None = Field(None, min_length=1, max_length=200)


@tool(scope="companies:write", risk=Risk.WRITE)
async def update_company(ctx: ToolContext, args: UpdateCompany) -> CompanyCard:
    """Change fields of a company; what is left out stays as it is."""
    company = await queries.get_company(ctx.tx, CompanyId(args.company_id), lock=True)
    edit = CompanyEdit(**args.model_dump(exclude={"company_id"}, exclude_none=True))
    return _card(await companies.update_company(ctx.tx, company.id, edit, version=company.version))


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
