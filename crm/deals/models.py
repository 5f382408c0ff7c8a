"""A deal is one thing that may be sold: to whom, for how much, and in which stage it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from pydantic import JsonValue

from core.edits import KEEP, Keep
from crm.pipelines.models import Outcome
from events.ids import BidiId, CompanyId, ContactId, DealId, LeadId, MemberId


@dataclass(frozen=True)
class Deal:
    """`amount_minor` counts the smallest unit of `currency` (cents); `stage` and `outcome` are its stage's.

    `probability` is the deal's own, in per cent; without one `stage_probability` holds.
    """

    id: DealId
    name: str
    company_id: CompanyId | None
    contact_id: ContactId | None
    lead_id: LeadId | None
    stage_id: UUID
    pipeline_id: UUID
    stage: str
    outcome: Outcome
    stage_entered_at: datetime
    amount_minor: int
    currency: str
    probability: int | None
    stage_probability: int
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

    @property
    def likelihood(self) -> int:
        """The probability that counts, in per cent."""
        return self.stage_probability if self.probability is None else self.probability


@dataclass(frozen=True)
class DealLine(Deal):
    """A deal as a line of a list, with what a reader wants to see beside it."""

    company_name: str | None
    contact_name: str | None
    owner_name: str | None
    bidi_name: str | None
    pipeline: str


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
    probability: int | None = None
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    lost_reason: str = ""
    custom: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class DealEdit:
    """New values for some fields; None empties one that may be empty. The stage changes by `move_stage`."""

    name: str | Keep = KEEP
    company_id: CompanyId | Keep | None = KEEP
    contact_id: ContactId | Keep | None = KEEP
    amount_minor: int | Keep = KEEP
    currency: str | Keep = KEEP
    probability: int | Keep | None = KEEP
    close_date: date | Keep | None = KEEP
    next_step: str | Keep = KEEP
    lost_reason: str | Keep = KEEP
    owner_id: MemberId | Keep | None = KEEP
    bidi_id: BidiId | Keep | None = KEEP
    custom: Mapping[str, JsonValue] | Keep = KEEP


@dataclass(frozen=True)
class Stakeholder:
    """Somebody who has a say in a deal; the same person may have several roles."""

    contact_id: ContactId
    name: str
    title: str
    role: str
    added_at: datetime


@dataclass(frozen=True)
class Conversion:
    """The deal to make of a lead; without a stage it begins in the one after the lead's."""

    name: str
    stage_id: UUID | None = None
    amount_minor: int = 0
    currency: str = "EUR"
    close_date: date | None = None
    next_step: str = ""
