"""Reading one's own notifications: nobody sees another member's."""

from core.db import Tx
from core.errors import Forbidden
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.bidi.queries import find_own_member
from crm.notifications.models import Notification
from events.ids import MemberId, NotificationId


async def own_member(tx: Tx) -> MemberId:
    """Raises: Forbidden for who is no member and so is never told anything."""
    member_id = await find_own_member(tx)
    if member_id is None:
        raise Forbidden("Only members have notifications.")
    return member_id


async def list_notifications(
    tx: Tx, *, is_read: bool | None = None, cursor: str | None = None, limit: int = 25
) -> Page[Notification]:
    """One's own, the newest first."""
    size = page_size(limit)
    found = await tx.all(
        Notification,
        """
        SELECT id, kind, subject_kind, subject_id, title, created_at, read_at
          FROM notifications
         WHERE member_id = %(member_id)s
           AND (%(is_read)s::boolean IS NULL OR (read_at IS NOT NULL) = %(is_read)s)
           AND (%(before_id)s::uuid IS NULL OR id < %(before_id)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        member_id=await own_member(tx),
        is_read=is_read,
        before_id=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda one: encode_cursor(one.id))


async def get_notification(tx: Tx, notification_id: NotificationId) -> Notification:
    """One of one's own. Raises: NotFound."""
    return await tx.one(
        Notification,
        """
        SELECT id, kind, subject_kind, subject_id, title, created_at, read_at
          FROM notifications
         WHERE id = %(notification_id)s
           AND member_id = %(member_id)s
        """,
        notification_id=notification_id,
        member_id=await own_member(tx),
    )


async def count_unread(tx: Tx) -> int:
    """How many of one's own are unread; counting stops at 100."""
    count: int = await tx.value(
        """
        SELECT count(*)
          FROM (SELECT
                  FROM notifications n
                  JOIN members m ON (m.organization_id, m.id) = (n.organization_id, n.member_id)
                 WHERE m.user_id = %(user_id)s
                   AND n.read_at IS NULL
                 LIMIT 100) AS unread
        """,
        user_id=tx.principal.id,
    )
    return count
