"""Meetings: when, where, with whom, and what came of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Moment, Out, PageOut, Text, Version, example
from api.nouns import Noun
from api.routes.records import AboutRecord, KindQuery, record_of
from core.principal import PrincipalKind
from crm.meetings import actions as meetings
from crm.meetings import queries
from crm.meetings.models import MeetingEdit, MeetingFilter, MeetingStatus, NewMeeting
from events.ids import ContactId, MeetingId, MemberId, RecordKind, RunId

router = Noun(prefix="/meetings", tags=["meetings"])
Title = Annotated[Line, Field(min_length=1, examples=["Demo of the scanners"])]
Zone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+\-/]{1,64}$", examples=["Europe/Berlin"])]
RemindMinutes = Annotated[
    int, Field(ge=0, le=40320, description="How long before the start its members are told; null for never.")
]


class MeetingIn(AboutRecord):
    model_config = example(
        title="Demo of the scanners",
        starts_at="2026-12-01T09:00:00+01:00",
        ends_at="2026-12-01T09:30:00+01:00",
        time_zone="Europe/Berlin",
        place="Malmö, warehouse 2",
        contact_ids=["01931b5e-7c00-7000-8000-000000000001"],
    )

    title: Title
    starts_at: Moment
    ends_at: Moment
    time_zone: Zone | None = Field(
        default=None, description="Where it takes place; the organization's if null."
    )
    place: Line = ""
    link: Line = ""
    notes: Text = ""
    remind_minutes: RemindMinutes | None = 15
    contact_ids: list[ContactId] = Field(default=[], max_length=meetings.MAX_PEOPLE)
    member_ids: list[MemberId] = Field(
        default=[],
        max_length=meetings.MAX_PEOPLE,
        description="Who of us takes part; the caller if nobody is named.",
    )


class MeetingPatch(AboutRecord):
    """New values for some fields: what is left out stays as it is, null empties what may be empty."""

    model_config = example(version=1, place="Online")

    version: Version
    title: Title = Field(default_factory=str)
    starts_at: Moment = Field(default_factory=datetime.now)
    ends_at: Moment = Field(default_factory=datetime.now)
    time_zone: Zone = Field(default_factory=str)
    place: Line = Field(default_factory=str)
    link: Line = Field(default_factory=str)
    outcome: Text = Field(default_factory=str)
    notes: Text = Field(default_factory=str)
    remind_minutes: RemindMinutes | None = None
    contact_ids: list[ContactId] = Field(default=[], max_length=meetings.MAX_PEOPLE)
    member_ids: list[MemberId] = Field(default=[], max_length=meetings.MAX_PEOPLE)


class StatusIn(In):
    model_config = example(status="held", outcome="They want 40 scanners; Vera asks her board.")

    status: MeetingStatus
    outcome: Text | None = Field(default=None, description="What came of it; null leaves what is there.")


class MeetingOut(Out):
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
    run_id: RunId | None = Field(description="The agent run that planned it, if one did.")
    created_at: datetime
    removed_at: datetime | None = Field(description="Set while the meeting can be restored.")
    version: int


@router.get("", operation_id="list_meetings", summary="List meetings in the order in which they start")
async def list_meetings(
    tx: ApiTx,
    since: Annotated[AwareDatetime | None, Query(description="Keeps what starts then or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Keeps what starts earlier.")] = None,
    status: MeetingStatus | None = None,
    member_id: MemberId | None = None,
    record_kind: KindQuery = RecordKind.CONTACT,
    record_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[MeetingOut]:
    """The meetings of a contact are those about them and those with them."""
    wanted = MeetingFilter(since, until, status, member_id, record_of(record_kind, record_id))
    return PageOut[MeetingOut].of(await queries.list_meetings(tx, wanted, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_meeting",
    summary="Plan a meeting",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_meeting(tx: ApiTx, new: MeetingIn) -> MeetingOut:
    """It is noted down for us; nobody outside is told."""
    fields = new.model_dump(exclude={"record_kind", "record_id", "time_zone", "contact_ids", "member_ids"})
    made = NewMeeting(
        **fields,
        time_zone=new.time_zone or "",
        record=new.record,
        contact_ids=tuple(new.contact_ids),
        member_ids=tuple(new.member_ids),
    )
    return MeetingOut.model_validate(await meetings.create_meeting(tx, made))


@router.get("/{meeting_id}", operation_id="get_meeting", summary="Read one meeting", responses=problems(404))
async def get_meeting(tx: ApiTx, meeting_id: MeetingId) -> MeetingOut:
    return MeetingOut.model_validate(await queries.get_meeting(tx, meeting_id))


@router.patch(
    "/{meeting_id}",
    operation_id="update_meeting",
    summary="Change some fields of a meeting",
    responses=problems(404, 409, 412, *BODY),
)
async def update_meeting(tx: ApiTx, meeting_id: MeetingId, patch: MeetingPatch) -> MeetingOut:
    """People who are named take the place of those of before."""
    fields = patch.model_dump(exclude={"version", "record_kind", "record_id"}, exclude_unset=True)
    if patch.model_fields_set & {"record_kind", "record_id"}:
        fields["record"] = patch.record
    edit = MeetingEdit(**fields)
    return MeetingOut.model_validate(
        await meetings.update_meeting(tx, meeting_id, edit, version=patch.version)
    )


@router.post(
    "/{meeting_id}/status",
    operation_id="set_meeting_status",
    summary="Say what became of a meeting, and what came of it",
    responses=problems(404, 409, *BODY),
)
async def set_status(tx: ApiTx, meeting_id: MeetingId, new: StatusIn) -> MeetingOut:
    changed = await meetings.set_status(tx, meeting_id, new.status, outcome=new.outcome)
    return MeetingOut.model_validate(changed)


@router.post(
    "/{meeting_id}/removal",
    operation_id="remove_meeting",
    summary="Take a meeting away",
    responses=problems(404),
)
async def remove_meeting(tx: ApiTx, meeting_id: MeetingId) -> MeetingOut:
    return MeetingOut.model_validate(await meetings.remove_meeting(tx, meeting_id))


@router.post(
    "/{meeting_id}/restoration",
    operation_id="restore_meeting",
    summary="Bring a removed meeting back",
    responses=problems(404),
)
async def restore_meeting(tx: ApiTx, meeting_id: MeetingId) -> MeetingOut:
    return MeetingOut.model_validate(await meetings.restore_meeting(tx, meeting_id))
