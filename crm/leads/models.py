"""A lead is a contact in a pipeline: one for each of both, until a deal is made of it or it is lost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.edits import KEEP, Keep
from crm.pipelines.models import Outcome
from events.ids import BidiId, ContactId, LeadId, MemberId


@dataclass(frozen=True)
class Lead:
    """`stage` and `outcome` are its stage's, `contact` is the person's name; `owner_id` is who is responsible."""

    id: LeadId
    contact_id: ContactId
    contact: str
    pipeline_id: UUID
    stage_id: UUID
    stage: str
    outcome: Outcome
    stage_entered_at: datetime
    owner_id: MemberId | None
    bidi_id: BidiId | None
    source: str
    next_step: str
    lost_reason: str
    converted_at: datetime | None
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int

    @property
    def name(self) -> str:
        """What a lead is called: as its person."""
        return self.contact


@dataclass(frozen=True)
class LeadLine(Lead):
    """A lead as a line of a list, with what a reader wants to see beside it."""

    title: str
    company_id: UUID | None
    company_name: str | None
    owner_name: str | None
    bidi_name: str | None
    pipeline: str


@dataclass(frozen=True)
class NewLead:
    """Without a pipeline it is the first one, without a stage the first open one of that."""

    contact_id: ContactId
    pipeline_id: UUID | None = None
    stage_id: UUID | None = None
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    source: str = ""
    next_step: str = ""
    lost_reason: str = ""


@dataclass(frozen=True)
class LeadEdit:
    """New values for some fields; None empties one that may be empty. The stage changes by `move_lead`."""

    owner_id: MemberId | Keep | None = KEEP
    bidi_id: BidiId | Keep | None = KEEP
    source: str | Keep = KEEP
    next_step: str | Keep = KEEP
    lost_reason: str | Keep = KEEP
