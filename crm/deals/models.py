"""A deal is one thing that may be sold: to whom, for how much, and in which stage it stands."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from crm.pipelines.models import Outcome
from events.ids import CompanyId, ContactId, DealId


@dataclass(frozen=True)
class Deal:
    """`amount_minor` counts the smallest unit of `currency` (cents); `stage` and `outcome` are its stage's."""

    id: DealId
    name: str
    company_id: CompanyId | None
    contact_id: ContactId | None
    stage_id: UUID
    pipeline_id: UUID
    stage: str
    outcome: Outcome
    amount_minor: int
    currency: str
    close_date: date | None
    next_step: str
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class NewDeal:
    name: str
    stage_id: UUID
    company_id: CompanyId | None = None
    contact_id: ContactId | None = None
    amount_minor: int = 0
    currency: str = "EUR"
    close_date: date | None = None
    next_step: str = ""


@dataclass(frozen=True)
class DealEdit:
    """New values for some fields; None leaves a field as it is. The stage changes by `move_stage`."""

    name: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    close_date: date | None = None
    next_step: str | None = None
