"""Meetings: the day or the week as a list, adding one, and what came of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Stale, Unprocessable
from crm.meetings import actions as meetings
from crm.meetings import queries
from crm.meetings.models import MeetingEdit, MeetingStatus, NewMeeting
from crm.records.models import RecordRef
from events.ids import ContactId, MeetingId, RecordKind
from web import activities_view
from web.pages import records
from web.phrases import N_
from web.viewer import CurrentSession, Session

router = APIRouter()
View = Literal["day", "week"]
Line = Annotated[str, Form(max_length=200)]
Minutes = Annotated[int, Form(ge=5, le=24 * 60)]


@dataclass(frozen=True)
class Place:
    """Where a form about meetings stands: in a record's section, or on the agenda."""

    record_kind: RecordKind
    record_id: UUID | None
    view: View
    on: date | None

    @property
    def record(self) -> RecordRef | None:
        return RecordRef(self.record_kind, self.record_id) if self.record_id else None


async def get_place(
    record_kind: Annotated[RecordKind, Form()] = RecordKind.CONTACT,
    record_id: Annotated[UUID | None, Form()] = None,
    view: Annotated[View, Form()] = "week",
    on: Annotated[date | None, Form()] = None,
) -> Place:
    return Place(record_kind, record_id, view, on)


CurrentPlace = Annotated[Place, Depends(get_place)]


@router.get("/meetings")
async def show_agenda(
    session: CurrentSession, view: View = "week", on: date | None = None, part: str = ""
) -> Response:
    return await _agenda(session, view, on, is_part=part == "list")


@router.post("/meetings")
async def add_meeting(
    session: CurrentSession,
    place: CurrentPlace,
    title: Line = "",
    starts: Annotated[str, Form(max_length=40)] = "",
    minutes: Minutes = 30,
    where: Line = "",
) -> Response:
    """`where` that begins like an address of the web is a link, anything else a place."""
    try:
        async with session.tx.savepoint():
            starts_at = activities_view.moment(starts, session.words.zone)
            if starts_at is None:
                raise Unprocessable("A meeting needs a start.", field="starts")
            is_link = where.startswith(("https://", "http://"))
            people = (ContactId(place.record.id),) if place.record and place.record_kind == "contact" else ()
            await meetings.create_meeting(
                session.tx,
                NewMeeting(
                    title,
                    starts_at,
                    starts_at + timedelta(minutes=minutes),
                    place="" if is_link else where,
                    link=where if is_link else "",
                    record=place.record,
                    contact_ids=people,
                ),
            )
    except (Unprocessable, ValueError):
        error = session.words.gettext("A meeting needs a title, and a day and an hour that there are.")
        return await answer(session, place, status=422, error=error, text=title)
    return await answer(session, place, on=starts_at)


@router.get("/meetings/{meeting_id}")
async def show_meeting(session: CurrentSession, meeting_id: MeetingId) -> Response:
    return await _show(session, meeting_id)


@router.post("/meetings/{meeting_id}/revisions")
async def edit_meeting(
    session: CurrentSession,
    meeting_id: MeetingId,
    version: Annotated[int, Form()],
    title: Line = "",
    starts: Annotated[str, Form(max_length=40)] = "",
    minutes: Minutes = 30,
    place: Line = "",
    link: Line = "",
    outcome: Annotated[str, Form(max_length=8192)] = "",
    notes: Annotated[str, Form(max_length=8192)] = "",
) -> Response:
    try:
        async with session.tx.savepoint():
            starts_at = activities_view.moment(starts, session.words.zone)
            if starts_at is None:
                raise Unprocessable("A meeting needs a start.", field="starts")
            edit = MeetingEdit(
                title=title.strip(),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=minutes),
                place=place.strip(),
                link=link.strip(),
                outcome=outcome.replace("\r\n", "\n").strip(),
                notes=notes.replace("\r\n", "\n").strip(),
            )
            await meetings.update_meeting(session.tx, meeting_id, edit, version=version)
    except (Stale, Unprocessable, ValueError) as err:
        say = session.words.gettext
        error = (
            say(N_("Somebody changed this meeting meanwhile. It is shown as it is now."))
            if isinstance(err, Stale)
            else say(N_("A meeting needs a title, and a day and an hour that there are."))
        )
        return await _show(session, meeting_id, status=412 if isinstance(err, Stale) else 422, error=error)
    return RedirectResponse(f"/meetings/{meeting_id}", 303)


@router.post("/meetings/{meeting_id}/status")
async def set_status(
    session: CurrentSession,
    meeting_id: MeetingId,
    status: Annotated[MeetingStatus, Form()],
    place: CurrentPlace,
) -> Response:
    before = await queries.get_meeting(session.tx, meeting_id)
    await meetings.set_status(session.tx, meeting_id, status)
    said = session.words.gettext("Noted: %(title)s", title=before.title)
    return await answer(session, place, said=said, undo=(meeting_id, before.status))


@router.post("/meetings/{meeting_id}/removal")
async def remove_meeting(session: CurrentSession, meeting_id: MeetingId) -> Response:
    await meetings.remove_meeting(session.tx, meeting_id)
    return RedirectResponse(f"/meetings/{meeting_id}", 303)


@router.post("/meetings/{meeting_id}/restoration")
async def restore_meeting(session: CurrentSession, meeting_id: MeetingId) -> Response:
    await meetings.restore_meeting(session.tx, meeting_id)
    return RedirectResponse(f"/meetings/{meeting_id}", 303)


async def answer(
    session: Session,
    place: Place,
    *,
    status: int = 200,
    said: str = "",
    undo: tuple[MeetingId, MeetingStatus] | None = None,
    error: str = "",
    text: str = "",
    on: datetime | None = None,
) -> Response:
    """The meetings of the place as they are now."""
    back = f"/meetings/{undo[0]}/status" if undo else ""
    before = undo[1].value if undo else ""
    if place.record:
        if session.is_fragment or error:
            return await records.render(
                session, place.record, "meetings", status=status, said=said, undo=back, status_before=before,
                error=error, text=text,
            )  # fmt: skip
        return RedirectResponse(activities_view.section_path(place.record, "meetings"), 303)
    day = session.words.local(on).date() if on else place.on
    if session.is_fragment or error:
        return await _agenda(
            session, place.view, day, is_answer=session.is_fragment, status=status, said=said, undo=back,
            status_before=before, error=error, text=text,
        )  # fmt: skip
    return RedirectResponse(f"/meetings?view={place.view}" + (f"&on={day}" if day else ""), 303)


async def _agenda(
    session: Session,
    view: str,
    on: date | None,
    *,
    is_part: bool = False,
    is_answer: bool = False,
    status: int = 200,
    **context: str,
) -> Response:
    agenda = await activities_view.load_agenda(session.tx, session.words, view, on)
    shown: dict[str, Any] = {
        "agenda": agenda,
        "error": "",
        "text": "",
        "said": "",
        "undo": "",
        "status_before": "",
        **context,
    }
    if is_part:
        return session.page("meetings/_agenda.html", **shown)
    if is_answer:
        return session.page("meetings/_answer.html", status=status, **shown)
    frame = await records.frame(session, "meetings")
    return session.page("meetings/index.html", status=status, **shown, **frame)


async def _show(session: Session, meeting_id: MeetingId, *, status: int = 200, error: str = "") -> Response:
    return session.page(
        "meetings/show.html",
        status=status,
        meeting=await queries.get_meeting(session.tx, meeting_id),
        error=error,
        **await records.frame(session, "meetings"),
    )
