"""Reading the views of a list."""

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_of, page_size
from crm.records.lists import READING, readable_kinds
from crm.views.models import View
from events.ids import RecordKind, ViewId


async def list_views(
    tx: Tx, record_kind: RecordKind | None = None, *, cursor: str | None = None, limit: int = 25
) -> Page[View]:
    """The shared views and one's own, of one kind of record or of all that may be read, in their order."""
    if record_kind is not None:
        tx.principal.require(READING[record_kind])
    size = page_size(limit)
    place = decode_cursor(cursor, 3) if cursor else None
    views = await tx.all(
        View,
        """
        SELECT id, record_kind, name, filter, sort, columns, layout, is_shared, position, created_at, updated_at,
               deleted_at, version
          FROM views
         WHERE record_kind = ANY(%(kinds)s)
           AND deleted_at IS NULL
           AND (is_shared OR made_by = %(me)s)
           AND (%(id)s::uuid IS NULL OR (record_kind, position, id) > (%(kind)s, %(position)s::int, %(id)s::uuid))
         ORDER BY record_kind, position, id
         LIMIT %(limit)s
        """,
        kinds=[record_kind] if record_kind else readable_kinds(tx),
        me=tx.principal.id,
        kind=place and place[0],
        position=place and place[1],
        id=place and place[2],
        limit=size + 1,
    )
    return page_of(
        views, size, after=lambda view: encode_cursor(view.record_kind, str(view.position), view.id)
    )


async def get_view(tx: Tx, view_id: ViewId, *, lock: bool = False) -> View:
    """One view, a removed one too; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound, also for somebody else's own; Forbidden when its kind of record may not be read.
    """
    if lock:
        await tx.execute("SELECT FROM views WHERE id = %(id)s FOR NO KEY UPDATE", id=view_id)
    view = await tx.one(
        View,
        """
        SELECT id, record_kind, name, filter, sort, columns, layout, is_shared, position, created_at, updated_at,
               deleted_at, version
          FROM views
         WHERE id = %(id)s
           AND (is_shared OR made_by = %(me)s)
        """,
        id=view_id,
        me=tx.principal.id,
    )
    tx.principal.require(READING[view.record_kind])
    return view
