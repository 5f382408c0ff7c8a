"""Deals: what may be sold, to whom, for how much, and how far it has come."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Custom, In, Line, Out, PageOut, Search, Version, example
from api.lists import Include, Includes, Wanted
from api.nouns import Noun
from api.related import Links, links_of
from api.versions import IfMatch
from core.money import MOST_MINOR
from crm.deals import actions as deals
from crm.deals import queries
from crm.deals.models import DealEdit, NewDeal
from crm.pipelines.models import Cause, Outcome
from crm.pipelines.queries import list_visits
from events.ids import BidiId, CompanyId, ContactId, DealId, LeadId, MemberId, RecordKind

router = Noun(prefix="/deals", tags=["deals"])
Name = Annotated[Line, Field(min_length=1, examples=["40 scanners"])]
Amount = Annotated[
    int, Field(ge=0, le=MOST_MINOR, examples=[816000], description="In the smallest unit of the currency.")
]
Currency = Annotated[str, Field(pattern="^[A-Za-z]{3}$", examples=["EUR"], description="ISO 4217.")]
Percent = Annotated[int, Field(ge=0, le=100, examples=[60])]
Role = Literal["decision_maker", "champion", "influencer", "buyer", "legal", "user", "blocker"]


class DealIn(In):
    model_config = example(
        name="40 scanners",
        stage_id="01931b5e-7c00-7000-8000-000000000001",
        amount_minor=816000,
        currency="EUR",
        close_date="2026-12-24",
    )

    name: Name
    stage_id: UUID
    company_id: CompanyId | None = None
    contact_id: ContactId | None = None
    amount_minor: Amount = 0
    currency: Currency = "EUR"
    close_date: date | None = None
    next_step: Line = ""
    probability: Percent | None = Field(default=None, description="The stage's when null.")
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    lost_reason: Line = ""
    custom: Custom = Field(default={})


class DealPatch(In):
    """New values for some fields: what is left out stays as it is, null empties what may be empty."""

    model_config = example(version=1, next_step="Send the offer")

    version: Version
    name: Name = Field(default_factory=str)
    company_id: CompanyId | None = None
    contact_id: ContactId | None = None
    amount_minor: Amount = Field(default_factory=int)
    currency: Currency = Field(default_factory=str)
    close_date: date | None = None
    next_step: Line = Field(default_factory=str)
    probability: Percent | None = None
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    lost_reason: Line = Field(default_factory=str)
    custom: Custom = Field(default={})


class DealMoveIn(In):
    model_config = example(version=1, stage_id="01931b5e-7c00-7000-8000-000000000001")

    version: Version
    stage_id: UUID


class StakeholderIn(In):
    model_config = example(contact_id="01931b5e-7c00-7000-8000-000000000001", role="decision_maker")

    contact_id: ContactId
    role: Role


class StakeholderOut(Out):
    contact_id: ContactId
    name: str = Field(examples=["Vera Lind"])
    title: str
    role: Role
    added_at: datetime


class VisitOut(Out):
    """One stay in a stage; `left_at` is null while the record stands there, `breached_at` when it was in time."""

    id: UUID
    stage_id: UUID
    stage: str = Field(examples=["Proposal"])
    cause: Cause
    actor_kind: str = Field(examples=["user"])
    actor_id: UUID
    entered_at: datetime
    left_at: datetime | None
    breached_at: datetime | None


class DealOut(Out):
    id: DealId
    name: str = Field(examples=["40 scanners"])
    company_id: CompanyId | None
    contact_id: ContactId | None
    lead_id: LeadId | None
    pipeline_id: UUID
    stage_id: UUID
    stage: str = Field(examples=["Proposal"])
    outcome: Outcome
    stage_entered_at: datetime
    amount_minor: int
    currency: str
    probability: int | None
    likelihood: int = Field(description="The probability that counts: the deal's own, else its stage's.")
    close_date: date | None
    next_step: str
    lost_reason: str
    owner_id: MemberId | None
    bidi_id: BidiId | None
    custom: dict[str, JsonValue]
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int
    links: Links


INCLUDES = Includes({"links": links_of(RecordKind.DEAL)})


@router.get(
    "",
    operation_id="list_deals",
    summary="List, filter or search deals",
    response_model_exclude_unset=True,
)
async def list_deals(tx: ApiTx, wanted: Wanted, q: Search = "", include: Include = "") -> PageOut[DealOut]:
    """`q` is looked for in name, company, contact and next step; `include` takes `links`."""
    listing, query = await wanted.read(tx, RecordKind.DEAL)
    page = await queries.list_deals(tx, query, text=q, listing=listing)
    shown = PageOut[DealOut].of(page)
    await INCLUDES.add(tx, include, shown.items, page.items)
    return shown


@router.post(
    "",
    operation_id="create_deal",
    summary="Add a deal",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(404, *BODY),
)
async def create_deal(tx: ApiTx, new: DealIn) -> DealOut:
    """A rule of the stage that is not kept is answered with 422 and everything that is missing."""
    return DealOut.model_validate(await deals.create_deal(tx, NewDeal(**new.model_dump())))


@router.get(
    "/{deal_id}",
    operation_id="get_deal",
    summary="Read one deal",
    responses=problems(404),
    response_model_exclude_unset=True,
)
async def get_deal(tx: ApiTx, deal_id: DealId, include: Include = "") -> DealOut:
    """`include` takes `links`."""
    deal = await queries.get_deal(tx, deal_id)
    shown = DealOut.model_validate(deal)
    await INCLUDES.add(tx, include, [shown], [deal])
    return shown


@router.patch(
    "/{deal_id}",
    operation_id="update_deal",
    summary="Change some fields of a deal",
    response_model_exclude_unset=True,
    responses=problems(404, 409, 412, *BODY),
)
async def update_deal(tx: ApiTx, deal_id: DealId, patch: DealPatch) -> DealOut:
    edit = DealEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return DealOut.model_validate(await deals.update_deal(tx, deal_id, edit, version=patch.version))


@router.delete(
    "/{deal_id}",
    operation_id="delete_deal",
    summary="Put a deal into the trash",
    response_model_exclude_unset=True,
    responses=problems(404, 409, 412),
)
async def delete_deal(tx: ApiTx, deal_id: DealId, version: IfMatch) -> DealOut:
    """No list shows it, and it can be restored; a stage that keeps its deals is a conflict."""
    return DealOut.model_validate(await deals.delete_deal(tx, deal_id, version=version))


@router.post(
    "/{deal_id}/restoration",
    operation_id="restore_deal",
    summary="Take a deal out of the trash",
    response_model_exclude_unset=True,
    responses=problems(404, 409),
)
async def restore_deal(tx: ApiTx, deal_id: DealId) -> DealOut:
    """From a stage that was removed meanwhile it comes to the first one; another deal of the same lead is a conflict."""
    return DealOut.model_validate(await deals.restore_deal(tx, deal_id))


@router.post(
    "/{deal_id}/move",
    operation_id="move_deal",
    summary="Move a deal to another stage of its pipeline",
    response_model_exclude_unset=True,
    responses=problems(404, 409, 412, *BODY),
)
async def move_deal(tx: ApiTx, deal_id: DealId, move: DealMoveIn) -> DealOut:
    """A move that a rule stops is answered with 422 and everything that is missing."""
    return DealOut.model_validate(await deals.move_stage(tx, deal_id, move.stage_id, version=move.version))


@router.get(
    "/{deal_id}/stages",
    operation_id="list_deal_stages",
    summary="List the stages that a deal stood in, the latest first",
    responses=problems(404),
)
async def list_deal_stages(tx: ApiTx, deal_id: DealId) -> list[VisitOut]:
    await queries.get_deal(tx, deal_id)
    return [VisitOut.model_validate(one) for one in await list_visits(tx, RecordKind.DEAL, deal_id)]


@router.get(
    "/{deal_id}/stakeholders",
    operation_id="list_stakeholders",
    summary="List who has a say in a deal",
    responses=problems(404),
)
async def list_stakeholders(tx: ApiTx, deal_id: DealId) -> list[StakeholderOut]:
    await queries.get_deal(tx, deal_id)
    return [StakeholderOut.model_validate(one) for one in await queries.list_stakeholders(tx, deal_id)]


@router.post(
    "/{deal_id}/stakeholders",
    operation_id="add_stakeholder",
    summary="Note that somebody has a say in a deal",
    status_code=201,
    responses=problems(404, *BODY),
)
async def add_stakeholder(tx: ApiTx, deal_id: DealId, new: StakeholderIn) -> list[StakeholderOut]:
    """Answers with all stakeholders; the same person may have several roles."""
    await deals.add_stakeholder(tx, deal_id, new.contact_id, new.role)
    return [StakeholderOut.model_validate(one) for one in await queries.list_stakeholders(tx, deal_id)]


@router.delete(
    "/{deal_id}/stakeholders/{contact_id}",
    operation_id="remove_stakeholder",
    summary="Take somebody out of a deal, with every role",
    status_code=204,
    responses=problems(404),
)
async def remove_stakeholder(tx: ApiTx, deal_id: DealId, contact_id: ContactId) -> None:
    tx.principal.require("deals:write")
    await queries.get_deal(tx, deal_id)
    for one in await queries.list_stakeholders(tx, deal_id):
        if one.contact_id == contact_id:
            await deals.remove_stakeholder(tx, deal_id, contact_id, one.role)
