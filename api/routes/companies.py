"""Companies: whom contacts work for and deals are made with."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Custom, In, Line, Out, PageOut, Search, Text, Version, example
from api.lists import Include, Includes, Wanted
from api.nouns import Noun
from api.related import Links, OwnerOut, RecordTagOut, links_of, owners, tags_of
from api.versions import IfMatch
from core.db import Tx
from crm.companies import actions as companies
from crm.companies import queries
from crm.companies.models import Company, CompanyEdit, NewCompany
from crm.contacts.queries import list_contacts_of_companies
from events.ids import CompanyId, ContactId, MemberId, RecordKind

router = Noun(prefix="/companies", tags=["companies"])
Name = Annotated[Line, Field(min_length=1, examples=["Lind Logistics"])]
Domain = Annotated[
    Line, Field(description="Its web domain; an address is shortened to it.", examples=["lind.example"])
]
Employees = Annotated[int, Field(ge=0, le=10_000_000, examples=[120])]


class CompanyIn(In):
    model_config = example(name="Lind Logistics", domain="lind.example", city="Malmö", employees=120)

    name: Name
    domain: Domain | None = None
    city: Line = ""
    country: Line = ""
    industry: Line = ""
    phone: Line = ""
    employees: Employees | None = None
    about: Text = ""
    owner_id: MemberId | None = None
    custom: Custom = Field(default={})


class CompanyPatch(In):
    """New values for some fields: what is left out stays as it is, null empties what may be empty."""

    model_config = example(version=1, employees=140)

    version: Version
    name: Name = Field(default_factory=str)
    domain: Domain | None = None
    city: Line = Field(default_factory=str)
    country: Line = Field(default_factory=str)
    industry: Line = Field(default_factory=str)
    phone: Line = Field(default_factory=str)
    employees: Employees | None = None
    about: Text = Field(default_factory=str)
    owner_id: MemberId | None = None
    custom: Custom = Field(default={})


class PersonOut(Out):
    id: ContactId
    name: str = Field(examples=["Vera Lind"])
    title: str


class CompanyOut(Out):
    id: CompanyId
    name: str = Field(examples=["Lind Logistics"])
    domain: str | None = Field(description="Belongs to one company that is not in the trash.")
    city: str
    country: str
    industry: str
    phone: str
    employees: int | None
    about: str
    owner_id: MemberId | None
    custom: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(description="Set while the company is in the trash.")
    merged_into_id: CompanyId | None = Field(description="The company that this one was merged into.")
    version: int
    owner: OwnerOut | None = Field(default=None, description="With `include=owner`.")
    tags: list[RecordTagOut] = Field(default=[], description="With `include=tags`.")
    links: Links
    contacts: list[PersonOut] = Field(
        default=[], description="With `include=contacts`: by name, at most 25 people."
    )


async def _people(tx: Tx, records: Sequence[Company]) -> dict[UUID, list[PersonOut]]:
    found: dict[UUID, list[PersonOut]] = {record.id: [] for record in records}
    for contact in await list_contacts_of_companies(tx, [record.id for record in records]):
        if contact.company_id is not None:
            found[contact.company_id].append(PersonOut.model_validate(contact))
    return found


INCLUDES = Includes(
    {
        "owner": owners,
        "tags": tags_of(RecordKind.COMPANY),
        "contacts": _people,
        "links": links_of(RecordKind.COMPANY),
    }
)


@router.get(
    "",
    operation_id="list_companies",
    summary="List, filter or search companies",
    response_model_exclude_unset=True,
)
async def list_companies(
    tx: ApiTx, wanted: Wanted, q: Search = "", include: Include = ""
) -> PageOut[CompanyOut]:
    """`q` is looked for in name, domain and city; `include` takes `owner`, `tags`, `contacts` and `links`."""
    listing, query = await wanted.read(tx, RecordKind.COMPANY)
    page = await queries.list_companies(tx, query, text=q, listing=listing)
    # a line of a list counts the people; here `contacts` are the people themselves
    shown = PageOut[CompanyOut](
        items=[_shown(company) for company in page.items], next_cursor=page.next_cursor
    )
    await INCLUDES.add(tx, include, shown.items, page.items)
    return shown


def _shown(company: Company) -> CompanyOut:
    names = CompanyOut.model_fields.keys() - INCLUDES.loaders.keys()
    return CompanyOut(**{name: getattr(company, name) for name in names})


@router.post(
    "",
    operation_id="create_company",
    summary="Add a company",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(409, *BODY),
)
async def create_company(tx: ApiTx, new: CompanyIn) -> CompanyOut:
    """A domain belongs to one company; one that another has is a conflict."""
    return _shown(await companies.create_company(tx, NewCompany(**new.model_dump())))


@router.get(
    "/{company_id}",
    operation_id="get_company",
    summary="Read one company",
    responses=problems(404),
    response_model_exclude_unset=True,
)
async def get_company(tx: ApiTx, company_id: CompanyId, include: Include = "") -> CompanyOut:
    """`include` takes `owner`, `tags`, `contacts` and `links`."""
    company = await queries.get_company(tx, company_id)
    shown = _shown(company)
    await INCLUDES.add(tx, include, [shown], [company])
    return shown


@router.patch(
    "/{company_id}",
    operation_id="update_company",
    summary="Change some fields of a company",
    response_model_exclude_unset=True,
    responses=problems(404, 409, 412, *BODY),
)
async def update_company(tx: ApiTx, company_id: CompanyId, patch: CompanyPatch) -> CompanyOut:
    edit = CompanyEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return _shown(await companies.update_company(tx, company_id, edit, version=patch.version))


@router.delete(
    "/{company_id}",
    operation_id="delete_company",
    summary="Put a company into the trash",
    response_model_exclude_unset=True,
    responses=problems(404),
)
async def delete_company(tx: ApiTx, company_id: CompanyId, version: IfMatch) -> CompanyOut:
    """No list shows it; its people and deals stay, and it can be restored."""
    return _shown(await companies.delete_company(tx, company_id, version=version))


@router.post(
    "/{company_id}/restoration",
    operation_id="restore_company",
    summary="Take a company out of the trash",
    response_model_exclude_unset=True,
    responses=problems(404),
)
async def restore_company(tx: ApiTx, company_id: CompanyId) -> CompanyOut:
    """One whose domain another company has by now, or that was merged, is a conflict."""
    return _shown(await companies.restore_company(tx, company_id))
