"""Tools over meetings: our own calendar; none of them writes to anybody outside."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from core.principal import PrincipalKind
from core.trust import Trust
from crm.meetings import actions as meetings
from crm.meetings import queries
from crm.meetings.models import Meeting, MeetingFilter, MeetingStatus, NewMeeting
from crm.records.models import RecordRef
from events.ids import ContactId, MeetingId, MemberId, RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class MeetingCard:
    id: MeetingId
    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    place: str
    link: str
    status: MeetingStatus
    outcome: str
    contact_ids: list[ContactId]
    record_kind: RecordKind | None
    record_id: UUID | None
    version: int
    source: Source


@dataclass(frozen=True)
class MeetingList:
    meetings: list[MeetingCard]


class ListMeetings(Arguments):
    contact_id: UUID


@tool(scope="meetings:read", risk=Risk.READ, returns_untrusted=True)
async def list_meetings(ctx: ToolContext, args: ListMeetings) -> MeetingList:
    """Meetings about a contact or with them, past and planned, in the order in which they start."""
    wanted = MeetingFilter(record=RecordRef(RecordKind.CONTACT, args.contact_id))
    page = await queries.list_meetings(ctx.tx, wanted, limit=50)
    return MeetingList([_card(meeting) for meeting in page.items])


class FindMeetings(Arguments):
    since: AwareDatetime | None = Field(None, description="Those that start from then on.")
    until: AwareDatetime | None = Field(None, description="Those that start before then.")
    member_id: UUID | None = Field(None, description="A colleague who takes part, from list_colleagues.")
    status: MeetingStatus | None = None
    limit: int = Field(20, ge=1, le=50)


@tool(scope="meetings:read", risk=Risk.READ, returns_untrusted=True)
async def find_meetings(ctx: ToolContext, args: FindMeetings) -> MeetingList:
    """Meetings of a time, of one colleague or of all, in the order in which they start."""
    wanted = MeetingFilter(
        since=args.since,
        until=args.until,
        status=args.status,
        member_id=None if args.member_id is None else MemberId(args.member_id),
    )
    page = await queries.list_meetings(ctx.tx, wanted, limit=args.limit)
    return MeetingList([_card(meeting) for meeting in page.items])


class PlanMeeting(Arguments):
    title: str = Field(min_length=1, max_length=200)
    starts_at: AwareDatetime = Field(description="With time zone.")
    ends_at: AwareDatetime = Field(description="With time zone.")
    contact_id: UUID = Field(description="Who takes part.")
    deal_id: UUID | None = Field(None, description="The deal it is about.")
    place: str = Field("", max_length=200)
    link: str = Field("", max_length=500)


@tool(scope="meetings:write", risk=Risk.WRITE)
async def plan_meeting(ctx: ToolContext, args: PlanMeeting) -> MeetingCard:
    """Put a meeting that was agreed on into our own calendar; nobody outside is told."""
    new = NewMeeting(
        title=args.title,
        starts_at=args.starts_at,
        ends_at=args.ends_at,
        place=args.place,
        link=args.link,
        record=RecordRef(RecordKind.DEAL, args.deal_id) if args.deal_id else None,
        contact_ids=(ContactId(args.contact_id),),
    )
    return _card(await meetings.create_meeting(ctx.tx, new))


class CloseMeeting(Arguments):
    meeting_id: UUID
    status: MeetingStatus
    outcome: str = Field("", max_length=4000, description="What came of it; empty leaves what is there.")


@tool(scope="meetings:write", risk=Risk.WRITE, impact=Impact.ORDINARY, returns_untrusted=True)
async def close_meeting(ctx: ToolContext, args: CloseMeeting) -> MeetingCard:
    """Say whether a meeting was held, cancelled or missed, and what came of it."""
    closed = await meetings.set_status(
        ctx.tx, MeetingId(args.meeting_id), args.status, outcome=args.outcome or None
    )
    return _card(closed)


def _card(meeting: Meeting) -> MeetingCard:
    # An agent words a meeting after reading what people outside wrote, so its words are theirs in part.
    is_ours = meeting.created_by_kind is PrincipalKind.USER
    return MeetingCard(
        id=meeting.id,
        title=meeting.title,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        time_zone=meeting.time_zone,
        place=meeting.place,
        link=meeting.link,
        status=meeting.status,
        outcome=meeting.outcome,
        contact_ids=meeting.contact_ids,
        record_kind=meeting.record_kind,
        record_id=meeting.record_id,
        version=meeting.version,
        source=Source("meeting", meeting.id, Trust.CONFIRMED if is_ours else Trust.QUARANTINED),
    )
