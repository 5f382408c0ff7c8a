"""Leads: contacts in a pipeline."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, PageOut, Search, Version, example
from api.lists import Wanted
from api.nouns import Noun
from api.routes.deals import Amount, Currency, DealOut, VisitOut
from api.versions import IfMatch
from crm.deals.conversion import convert_lead as convert
from crm.deals.models import Conversion
from crm.leads import actions as leads
from crm.leads import queries
from crm.leads.models import LeadEdit, NewLead
from crm.pipelines.models import Outcome
from crm.pipelines.queries import list_visits
from events.ids import BidiId, ContactId, LeadId, MemberId, RecordKind

router = Noun(prefix="/leads", tags=["leads"])


class LeadIn(In):
    model_config = example(contact_id="01931b5e-7c00-7000-8000-000000000001", source="A fair")

    contact_id: ContactId
    pipeline_id: UUID | None = Field(default=None, description="The oldest one when left out.")
    stage_id: UUID | None = Field(default=None, description="The first open one when left out.")
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    source: Line = ""
    next_step: Line = ""
    lost_reason: Line = ""


class LeadPatch(In):
    """New values for some fields: what is left out stays as it is, null empties what may be empty."""

    model_config = example(version=1, next_step="Call on Monday")

    version: Version
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    source: Line = Field(default_factory=str)
    next_step: Line = Field(default_factory=str)
    lost_reason: Line = Field(default_factory=str)


class MoveIn(In):
    model_config = example(version=1, stage_id="01931b5e-7c00-7000-8000-000000000001")

    version: Version
    stage_id: UUID


class ConversionIn(In):
    model_config = example(version=1, name="40 scanners", amount_minor=816000, currency="EUR")

    version: Version
    name: Annotated[Line, Field(min_length=1)]
    stage_id: UUID | None = Field(default=None, description="The one after the lead's when left out.")
    amount_minor: Amount = 0
    currency: Currency = "EUR"
    close_date: date | None = None
    next_step: Line = ""


class LeadOut(Out):
    id: LeadId
    contact_id: ContactId
    contact: str = Field(examples=["Vera Lind"], description="The person's name.")
    pipeline_id: UUID
    stage_id: UUID
    stage: str = Field(examples=["Replied"])
    outcome: Outcome
    stage_entered_at: datetime
    owner_id: MemberId | None
    bidi_id: BidiId | None
    source: str
    next_step: str
    lost_reason: str
    converted_at: datetime | None = Field(description="Set when a deal was made of it.")
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int


@router.get("", operation_id="list_leads", summary="List, filter or search leads")
async def list_leads(tx: ApiTx, wanted: Wanted, q: Search = "") -> PageOut[LeadOut]:
    """`q` is looked for in the person's name, company, source and next step."""
    listing, query = await wanted.read(tx, RecordKind.LEAD)
    return PageOut[LeadOut].of(await queries.list_leads(tx, query, text=q, listing=listing))


@router.post(
    "",
    operation_id="create_lead",
    summary="Put a contact into a pipeline",
    status_code=201,
    responses=problems(404, 409, *BODY),
)
async def create_lead(tx: ApiTx, new: LeadIn) -> LeadOut:
    """A contact is in a pipeline once; a rule of the stage that is not kept is answered with what is missing."""
    return LeadOut.model_validate(await leads.create_lead(tx, NewLead(**new.model_dump())))


@router.get("/{lead_id}", operation_id="get_lead", summary="Read one lead", responses=problems(404))
async def get_lead(tx: ApiTx, lead_id: LeadId) -> LeadOut:
    return LeadOut.model_validate(await queries.get_lead(tx, lead_id))


@router.patch(
    "/{lead_id}",
    operation_id="update_lead",
    summary="Change some fields of a lead",
    responses=problems(404, 412, *BODY),
)
async def update_lead(tx: ApiTx, lead_id: LeadId, patch: LeadPatch) -> LeadOut:
    edit = LeadEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return LeadOut.model_validate(await leads.update_lead(tx, lead_id, edit, version=patch.version))


@router.delete(
    "/{lead_id}",
    operation_id="delete_lead",
    summary="Put a lead into the trash",
    responses=problems(404, 409, 412),
)
async def delete_lead(tx: ApiTx, lead_id: LeadId, version: IfMatch) -> LeadOut:
    """No list shows it, and it can be restored; a stage that keeps its leads is a conflict."""
    return LeadOut.model_validate(await leads.delete_lead(tx, lead_id, version=version))


@router.post(
    "/{lead_id}/restoration",
    operation_id="restore_lead",
    summary="Take a lead out of the trash",
    responses=problems(404, 409),
)
async def restore_lead(tx: ApiTx, lead_id: LeadId) -> LeadOut:
    """From a stage that was removed meanwhile it comes to the first one; a person who is in the pipeline again is a conflict."""
    return LeadOut.model_validate(await leads.restore_lead(tx, lead_id))


@router.post(
    "/{lead_id}/move",
    operation_id="move_lead",
    summary="Move a lead to another stage of its pipeline",
    responses=problems(404, 409, 412, *BODY),
)
async def move_lead(tx: ApiTx, lead_id: LeadId, move: MoveIn) -> LeadOut:
    """A move that a rule stops is answered with 422 and everything that is missing."""
    return LeadOut.model_validate(await leads.move_lead(tx, lead_id, move.stage_id, version=move.version))


@router.post(
    "/{lead_id}/conversion",
    operation_id="convert_lead",
    summary="Make a deal of a lead",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(404, 409, 412, *BODY),
)
async def convert_lead(tx: ApiTx, lead_id: LeadId, conversion: ConversionIn) -> DealOut:
    """The deal is made and the lead moves along, or neither."""
    new = Conversion(**conversion.model_dump(exclude={"version"}))
    return DealOut.model_validate(await convert(tx, lead_id, new, version=conversion.version))


@router.get(
    "/{lead_id}/stages",
    operation_id="list_lead_stages",
    summary="List the stages that a lead stood in, the latest first",
    responses=problems(404),
)
async def list_lead_stages(tx: ApiTx, lead_id: LeadId) -> list[VisitOut]:
    await queries.get_lead(tx, lead_id)
    return [VisitOut.model_validate(one) for one in await list_visits(tx, RecordKind.LEAD, lead_id)]
