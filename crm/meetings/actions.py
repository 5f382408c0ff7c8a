"""Planning, changing, closing, removing and restoring meetings, and telling their members that one begins."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import available_timezones

from psycopg import sql

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.bidi.queries import find_own_member
from crm.identity.queries import get_organization, require_member
from crm.meetings.models import Meeting, MeetingEdit, MeetingLine, MeetingStatus, NewMeeting
from crm.meetings.queries import get_meeting
from crm.records.models import RecordRef
from crm.records.queries import require_record
from events import due
from events.ids import MeetingId, RecordKind
from events.outbox import emit
from events.types import (
    Event,
    MeetingCancelled,
    MeetingCreated,
    MeetingDue,
    MeetingHeld,
    MeetingMissed,
    MeetingPlanned,
    MeetingRemoved,
    MeetingRestored,
    MeetingUpdated,
)

REMIND = "meeting.remind"
MAX_PEOPLE = 50
LONGEST = timedelta(days=7)
_PEOPLE = ("contact_ids", "member_ids")


async def create_meeting(tx: Tx, new: NewMeeting) -> MeetingLine:
    """Plan a meeting, or note one down that took place.

    Raises:
        Unprocessable: no title, times that cannot be, an unknown time zone, or a record or person that is not there.
        Conflict: the record or a contact is in the trash.
    """
    tx.principal.require("meetings:write")
    own = await find_own_member(tx)
    member_ids = new.member_ids or ((own,) if own else ())
    zone = new.time_zone or (await get_organization(tx)).time_zone
    _check(new.title, new.starts_at, new.ends_at, zone)
    await _require_links(tx, new.record, new.contact_ids, member_ids)
    meeting_id = MeetingId(uuid7())
    await tx.execute(
        """
        INSERT INTO meetings (organization_id, id, title, starts_at, ends_at, time_zone, place, link, record_kind,
                              record_id, notes, remind_minutes, created_by_kind, created_by_id, run_id, created_at)
        VALUES (%(organization_id)s, %(id)s, %(title)s, %(starts_at)s, %(ends_at)s, %(time_zone)s, %(place)s, %(link)s,
                %(record_kind)s, %(record_id)s, %(notes)s, %(remind_minutes)s, %(created_by_kind)s, %(created_by_id)s,
                %(run_id)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=meeting_id,
        title=new.title.strip(),
        starts_at=new.starts_at,
        ends_at=new.ends_at,
        time_zone=zone,
        place=new.place.strip(),
        link=new.link.strip(),
        record_kind=new.record.kind.value if new.record else None,
        record_id=new.record.id if new.record else None,
        notes=new.notes.strip(),
        remind_minutes=new.remind_minutes,
        created_by_kind=tx.principal.kind.value,
        created_by_id=tx.principal.id,
        run_id=tx.principal.run_id,
        now=clock.now(),
    )
    await _invite(tx, meeting_id, new.contact_ids, member_ids)
    meeting = await get_meeting(tx, meeting_id)
    await _schedule(tx, meeting)
    await emit(tx, MeetingCreated(meeting_id))
    return meeting


async def update_meeting(tx: Tx, meeting_id: MeetingId, edit: MeetingEdit, *, version: int) -> MeetingLine:
    """Change some fields of a meeting; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such meeting.
        Conflict: it is removed, or the record or a contact is in the trash.
        Stale: changed since `version` was read.
        Unprocessable: as when it is made.
    """
    meeting = await get_meeting(tx, meeting_id, lock=True)
    tx.principal.require("meetings:write")
    _require_present(meeting)
    if meeting.version != version:
        raise Stale(f"The meeting “{meeting.title}” was changed meanwhile; reload and try again.")
    new = given(edit)
    if edit.record is not KEEP:
        del new["record"]
        new["record_kind"] = edit.record.kind if edit.record else None
        new["record_id"] = edit.record.id if edit.record else None
    for name in _PEOPLE:
        if isinstance(people := new.get(name), Sequence):
            new[name] = sorted(set(people))
    changes = differences(meeting, new)
    if not changes:
        return meeting
    after = {name: value for name, (_, value) in changes.items()}
    await _check_edit(tx, meeting, edit)
    await _write(tx, meeting_id, {name: value for name, value in after.items() if name not in _PEOPLE})
    if changes.keys() & set(_PEOPLE):
        await _uninvite(tx, meeting_id)
        contact_ids = meeting.contact_ids if edit.contact_ids is KEEP else edit.contact_ids
        member_ids = meeting.member_ids if edit.member_ids is KEEP else edit.member_ids
        await _invite(tx, meeting_id, contact_ids, member_ids)
    updated = await get_meeting(tx, meeting_id)
    await _schedule(tx, updated)
    await emit(tx, MeetingUpdated(meeting_id), changes=changes)
    return updated


async def set_status(
    tx: Tx, meeting_id: MeetingId, status: MeetingStatus, *, outcome: str | None = None
) -> MeetingLine:
    """Say what became of a meeting, and what came of it; saying the same again leaves no trace.

    Raises: NotFound; Conflict when it is removed.
    """
    meeting = await get_meeting(tx, meeting_id, lock=True)
    tx.principal.require("meetings:write")
    _require_present(meeting)
    new: dict[str, object] = {"status": status}
    if outcome is not None:
        new["outcome"] = outcome.strip()
    changes = differences(meeting, new)
    if not changes:
        return meeting
    await _write(tx, meeting_id, {name: after for name, (_, after) in changes.items()})
    updated = await get_meeting(tx, meeting_id)
    await _schedule(tx, updated)
    await emit(tx, _event(meeting_id, status) if "status" in changes else MeetingUpdated(meeting_id), changes)
    return updated


async def remove_meeting(tx: Tx, meeting_id: MeetingId) -> MeetingLine:
    """Take a meeting off every list; it can be restored. A removed one stays as it is. Raises: NotFound."""
    meeting = await get_meeting(tx, meeting_id, lock=True)
    tx.principal.require("meetings:write")
    if meeting.removed_at is not None:
        return meeting
    await _write(tx, meeting_id, {"removed_at": clock.now()})
    await due.cancel(tx, REMIND, meeting_id)
    await emit(tx, MeetingRemoved(meeting_id))
    return await get_meeting(tx, meeting_id)


async def restore_meeting(tx: Tx, meeting_id: MeetingId) -> MeetingLine:
    """Bring a removed meeting back. Raises: NotFound."""
    meeting = await get_meeting(tx, meeting_id, lock=True)
    tx.principal.require("meetings:write")
    if meeting.removed_at is None:
        return meeting
    await _write(tx, meeting_id, {"removed_at": None})
    restored = await get_meeting(tx, meeting_id)
    await _schedule(tx, restored)
    await emit(tx, MeetingRestored(meeting_id))
    return restored


async def tell_due(tx: Tx, meeting_id: MeetingId) -> None:
    """It begins soon: say so, unless it was closed or removed, or is over by now."""
    meeting = await get_meeting(tx, meeting_id, lock=True)
    if _remind_at(meeting) is not None and clock.now() < meeting.ends_at:
        await emit(tx, MeetingDue(meeting_id))


async def _schedule(tx: Tx, meeting: Meeting) -> None:
    remind_at = _remind_at(meeting)
    if remind_at is not None and meeting.ends_at > clock.now():
        await due.schedule(tx, REMIND, meeting.id, remind_at)
    else:
        await due.cancel(tx, REMIND, meeting.id)


def _remind_at(meeting: Meeting) -> datetime | None:
    is_coming = meeting.status is MeetingStatus.PLANNED and meeting.removed_at is None
    if not is_coming or meeting.remind_minutes is None:
        return None
    return meeting.starts_at - timedelta(minutes=meeting.remind_minutes)


async def _write(tx: Tx, meeting_id: MeetingId, values: Mapping[str, object]) -> None:
    parts = [assignments(values)] if values else []
    await tx.execute(
        sql.SQL("UPDATE meetings SET {values} WHERE id = %(meeting_id)s").format(
            values=sql.SQL(", ").join([*parts, sql.SQL("version = version + 1")])
        ),
        meeting_id=meeting_id,
    )


async def _invite(
    tx: Tx, meeting_id: MeetingId, contact_ids: Sequence[UUID], member_ids: Sequence[UUID]
) -> None:
    await tx.execute(
        """
        WITH people AS (
            INSERT INTO meeting_contacts (organization_id, meeting_id, contact_id)
            SELECT DISTINCT %(organization_id)s::uuid, %(meeting_id)s::uuid, id
              FROM unnest(%(contact_ids)s::uuid[]) AS id
        )
        INSERT INTO meeting_members (organization_id, meeting_id, member_id)
        SELECT DISTINCT %(organization_id)s::uuid, %(meeting_id)s::uuid, id
          FROM unnest(%(member_ids)s::uuid[]) AS id
        """,
        organization_id=tx.organization_id,
        meeting_id=meeting_id,
        contact_ids=list(contact_ids),
        member_ids=list(member_ids),
    )


async def _uninvite(tx: Tx, meeting_id: MeetingId) -> None:
    await tx.execute("DELETE FROM meeting_contacts WHERE meeting_id = %(id)s", id=meeting_id)
    await tx.execute("DELETE FROM meeting_members WHERE meeting_id = %(id)s", id=meeting_id)


async def _check_edit(tx: Tx, meeting: MeetingLine, edit: MeetingEdit) -> None:
    _check(
        meeting.title if edit.title is KEEP else edit.title,
        meeting.starts_at if edit.starts_at is KEEP else edit.starts_at,
        meeting.ends_at if edit.ends_at is KEEP else edit.ends_at,
        meeting.time_zone if edit.time_zone is KEEP else edit.time_zone,
    )
    await _require_links(
        tx,
        edit.record if edit.record is not KEEP else None,
        edit.contact_ids if edit.contact_ids is not KEEP else (),
        edit.member_ids if edit.member_ids is not KEEP else (),
    )


async def _require_links(
    tx: Tx, record: RecordRef | None, contact_ids: Sequence[UUID], member_ids: Sequence[UUID]
) -> None:
    if len(contact_ids) + len(member_ids) > MAX_PEOPLE:
        raise Unprocessable(f"At most {MAX_PEOPLE} people fit into a meeting.", field="contact_ids")
    if record is not None:
        await require_record(tx, record)
    for contact_id in sorted(set(contact_ids)):
        await require_record(tx, RecordRef(RecordKind.CONTACT, contact_id))
    for member_id in member_ids:
        await require_member(tx, member_id, field="member_ids")


def _check(title: str, starts_at: datetime, ends_at: datetime, zone: str) -> None:
    if not title.strip():
        raise Unprocessable("A meeting needs a title.", field="title")
    if not timedelta() < ends_at - starts_at <= LONGEST:
        raise Unprocessable("A meeting ends after it starts, within a week.", field="ends_at")
    if zone not in available_timezones():
        raise Unprocessable(f"{zone!r} is no time zone; use a name as in Europe/Berlin.", field="time_zone")


def _require_present(meeting: Meeting) -> None:
    if meeting.removed_at is not None:
        raise Conflict(f"The meeting “{meeting.title}” is removed; restore it first.")


def _event(meeting_id: MeetingId, status: MeetingStatus) -> Event:
    match status:
        case MeetingStatus.PLANNED:
            return MeetingPlanned(meeting_id)
        case MeetingStatus.HELD:
            return MeetingHeld(meeting_id)
        case MeetingStatus.CANCELLED:
            return MeetingCancelled(meeting_id)
        case MeetingStatus.NO_SHOW:
            return MeetingMissed(meeting_id)
