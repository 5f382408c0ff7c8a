"""A meeting has a time in a place's own time zone, people of both sides, and an outcome."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.edits import KEEP, Keep
from core.principal import PrincipalKind
from crm.records.models import RecordRef
from events.ids import ContactId, MeetingId, MemberId, RecordKind, RunId


class MeetingStatus(StrEnum):
    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


@dataclass(frozen=True)
class Meeting:
    """`record` is what it is about; its members are told `remind_minutes` before it starts, None for never."""

    id: MeetingId
    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    place: str
    link: str
    record_kind: RecordKind | None
    record_id: UUID | None
    status: MeetingStatus
    outcome: str
    notes: str
    remind_minutes: int | None
    contact_ids: list[ContactId]
    member_ids: list[MemberId]
    created_by_kind: PrincipalKind
    created_by_id: UUID
    run_id: RunId | None
    created_at: datetime
    removed_at: datetime | None
    version: int

    @property
    def record(self) -> RecordRef | None:
        if self.record_kind is None or self.record_id is None:
            return None
        return RecordRef(self.record_kind, self.record_id)


@dataclass(frozen=True)
class MeetingLine(Meeting):
    """A meeting as a line of a list, with the names that a reader wants to see beside it."""

    contact_names: list[str]
    member_names: list[str]
    record_name: str | None


@dataclass(frozen=True)
class NewMeeting:
    """Without members it is held by whoever notes it down. `time_zone` "" is the organization's."""

    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str = ""
    place: str = ""
    link: str = ""
    record: RecordRef | None = None
    notes: str = ""
    remind_minutes: int | None = 15
    contact_ids: tuple[ContactId, ...] = field(default=())
    member_ids: tuple[MemberId, ...] = field(default=())


@dataclass(frozen=True)
class MeetingEdit:
    """New values for some fields; None empties one that may be empty. People given replace those of before."""

    title: str | Keep = KEEP
    starts_at: datetime | Keep = KEEP
    ends_at: datetime | Keep = KEEP
    time_zone: str | Keep = KEEP
    place: str | Keep = KEEP
    link: str | Keep = KEEP
    record: RecordRef | Keep | None = KEEP
    outcome: str | Keep = KEEP
    notes: str | Keep = KEEP
    remind_minutes: int | Keep | None = KEEP
    contact_ids: list[ContactId] | Keep = KEEP
    member_ids: list[MemberId] | Keep = KEEP


@dataclass(frozen=True)
class MeetingFilter:
    """What a list keeps; None keeps everything. `since` and `until` are about the start."""

    since: datetime | None = None
    until: datetime | None = None
    status: MeetingStatus | None = None
    member_id: MemberId | None = None
    record: RecordRef | None = None
