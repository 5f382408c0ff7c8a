"""Reading meetings."""

from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor, page_of, page_size
from crm.meetings.models import MeetingFilter, MeetingLine
from events.ids import MeetingId

ALL = MeetingFilter()
_LINE: LiteralString = """
        SELECT g.id, g.title, g.starts_at, g.ends_at, g.time_zone, g.place, g.link, g.record_kind, g.record_id, g.status,
               g.outcome, g.notes, g.remind_minutes, people.ids AS contact_ids, ours.ids AS member_ids,
               g.created_by_kind, g.created_by_id, g.run_id, g.created_at, g.removed_at, g.version,
               people.names AS contact_names, ours.names AS member_names,
               coalesce(rc.name, ro.name, rd.name, lc.name) AS record_name
          FROM meetings g
         CROSS JOIN LATERAL (
               SELECT coalesce(array_agg(c.id ORDER BY c.id), '{}') AS ids,
                      coalesce(array_agg(c.name ORDER BY c.id), '{}') AS names
                 FROM meeting_contacts a
                 JOIN contacts c ON (c.organization_id, c.id) = (a.organization_id, a.contact_id)
                WHERE (a.organization_id, a.meeting_id) = (g.organization_id, g.id)) AS people
         CROSS JOIN LATERAL (
               SELECT coalesce(array_agg(m.id ORDER BY m.id), '{}') AS ids,
                      coalesce(array_agg(m.name ORDER BY m.id), '{}') AS names
                 FROM meeting_members a
                 JOIN members m ON (m.organization_id, m.id) = (a.organization_id, a.member_id)
                WHERE (a.organization_id, a.meeting_id) = (g.organization_id, g.id)) AS ours
          LEFT JOIN contacts rc ON g.record_kind = 'contact' AND (rc.organization_id, rc.id) = (g.organization_id, g.record_id)
          LEFT JOIN companies ro ON g.record_kind = 'company' AND (ro.organization_id, ro.id) = (g.organization_id, g.record_id)
          LEFT JOIN deals rd ON g.record_kind = 'deal' AND (rd.organization_id, rd.id) = (g.organization_id, g.record_id)
          LEFT JOIN leads rl ON g.record_kind = 'lead' AND (rl.organization_id, rl.id) = (g.organization_id, g.record_id)
          LEFT JOIN contacts lc ON (lc.organization_id, lc.id) = (rl.organization_id, rl.contact_id)
        """


async def get_meeting(tx: Tx, meeting_id: MeetingId, *, lock: bool = False) -> MeetingLine:
    """One meeting with its people, also a removed one; `lock` keeps others from changing it until the commit.

    Raises: NotFound.
    """
    tx.principal.require("meetings:read")
    if lock:
        await tx.execute("SELECT FROM meetings WHERE id = %(id)s FOR NO KEY UPDATE", id=meeting_id)
    return await tx.one(MeetingLine, _LINE + " WHERE g.id = %(meeting_id)s", meeting_id=meeting_id)


async def list_meetings(
    tx: Tx, wanted: MeetingFilter = ALL, *, cursor: str | None = None, limit: int = 25
) -> Page[MeetingLine]:
    """Meetings that are not removed, in the order in which they start.

    Those of a record are about it, or, if it is a contact, held with them.
    """
    tx.principal.require("meetings:read")
    size = page_size(limit)
    after_at, after_id = decode_time(cursor) if cursor else (None, None)
    lines = await tx.all(
        MeetingLine,
        _LINE
        + """
         WHERE g.removed_at IS NULL
           AND (%(since)s::timestamptz IS NULL OR g.starts_at >= %(since)s)
           AND (%(until)s::timestamptz IS NULL OR g.starts_at < %(until)s)
           AND (%(status)s::text IS NULL OR g.status = %(status)s)
           AND (%(member_id)s::uuid IS NULL
                OR EXISTS (SELECT FROM meeting_members a
                            WHERE (a.organization_id, a.meeting_id, a.member_id)
                                  = (g.organization_id, g.id, %(member_id)s)))
           AND (%(record_id)s::uuid IS NULL
                OR (g.record_kind, g.record_id) = (%(record_kind)s, %(record_id)s)
                OR %(record_kind)s = 'contact'
                   AND EXISTS (SELECT FROM meeting_contacts a
                                WHERE (a.organization_id, a.meeting_id, a.contact_id)
                                      = (g.organization_id, g.id, %(record_id)s)))
           AND (%(after_id)s::uuid IS NULL OR (g.starts_at, g.id) > (%(after_at)s, %(after_id)s))
         ORDER BY g.starts_at, g.id
         LIMIT %(limit)s
        """,
        since=wanted.since,
        until=wanted.until,
        status=wanted.status.value if wanted.status else None,
        member_id=wanted.member_id,
        record_kind=wanted.record.kind.value if wanted.record else None,
        record_id=wanted.record.id if wanted.record else None,
        after_at=after_at,
        after_id=after_id,
        limit=size + 1,
    )
    return page_of(lines, size, after=lambda line: encode_cursor(line.starts_at.isoformat(), line.id))
