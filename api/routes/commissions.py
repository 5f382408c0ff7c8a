"""Commissions: what partners are owed for the deals that they won."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Out, example
from api.nouns import Noun
from api.routes.invitations import Percent
from core.pagination import MAX_PAGE
from crm.bidi import partners
from crm.bidi.partners import Partner
from crm.commissions import queries
from events.ids import BidiId, CommissionId, DealId, UserId

router = Noun(prefix="/commissions", tags=["seats"])
partners_router = Noun(prefix="/partners", tags=["seats"])


class CommissionOut(Out):
    id: CommissionId
    deal_id: DealId
    deal: str = Field(description="Its name; empty where the caller may not see the deal.")
    bidi_id: BidiId
    partner: str
    amount_minor: int = Field(description="What the deal was worth when it was won, in cents.")
    currency: str = Field(examples=["EUR"])
    basis_points: int = Field(description="The rate that held then, in hundredths of a per cent.")
    commission_minor: int
    won_at: datetime
    taken_back_at: datetime | None = Field(description="The deal was opened again, lost or deleted.")


class TotalOut(Out):
    currency: str = Field(examples=["EUR"])
    count: int
    amount_minor: int
    commission_minor: int


class CommissionsOut(Out):
    items: list[CommissionOut]
    next_cursor: str | None
    totals: list[TotalOut] = Field(description="What stands, by currency, over all pages.")


class PartnerOut(Out):
    id: BidiId = Field(description="Of their seat.")
    user_id: UserId
    name: str
    commission_percent: str = Field(examples=["12.5"])

    @classmethod
    def of(cls, one: Partner) -> "PartnerOut":
        return cls(id=one.bidi_id, user_id=one.user_id, name=one.name, commission_percent=one.percent)


class RateIn(In):
    model_config = example(commission_percent="12.5")

    commission_percent: Percent


@router.get(
    "",
    operation_id="list_commissions",
    summary="List what partners are owed, the newest first",
    responses=problems(422),
)
async def list_commissions(
    tx: ApiTx,
    bidi_id: BidiId | None = None,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> CommissionsOut:
    """Whoever manages seats sees all of them, a partner their own."""
    page = await queries.list_commissions(tx, bidi_id=bidi_id, cursor=cursor, limit=limit)
    totals = await queries.sum_commissions(tx, bidi_id=bidi_id)
    return CommissionsOut(
        items=[CommissionOut.model_validate(one) for one in page.items],
        next_cursor=page.next_cursor,
        totals=[TotalOut.model_validate(one) for one in totals],
    )


@partners_router.get("", operation_id="list_partners", summary="List partners and their rates, by name")
async def list_partners(tx: ApiTx) -> list[PartnerOut]:
    return [PartnerOut.of(one) for one in await partners.list_partners(tx)]


@partners_router.put(
    "/{partner_id}/rate",
    operation_id="set_commission",
    summary="Set a partner's rate for deals that are won from now on",
    status_code=204,
    responses=problems(404, 409, *BODY),
)
async def set_commission(tx: ApiTx, partner_id: BidiId, wanted: RateIn) -> None:
    await partners.set_rate(tx, partner_id, int(wanted.commission_percent * 100))
