"""Reading notes."""

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.notes.models import Note, NoteLine
from crm.records.models import RecordRef
from events.ids import NoteId


async def get_note(tx: Tx, note_id: NoteId, *, lock: bool = False) -> Note:
    """One note, also a removed one; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("notes:read")
    if lock:
        await tx.execute("SELECT FROM notes WHERE id = %(note_id)s FOR NO KEY UPDATE", note_id=note_id)
    return await tx.one(
        Note,
        """
        SELECT id, record_kind, record_id, body, author_kind, author_id, run_id, created_at, edited_at, removed_at,
               version
          FROM notes
         WHERE id = %(note_id)s
        """,
        note_id=note_id,
    )


async def list_notes(
    tx: Tx, record: RecordRef | None = None, *, cursor: str | None = None, limit: int = 25
) -> Page[NoteLine]:
    """Notes that are not removed, of one record or of all, the newest first."""
    tx.principal.require("notes:read")
    size = page_size(limit)
    lines = await tx.all(
        NoteLine,
        """
        SELECT n.id, n.record_kind, n.record_id, n.body, n.author_kind, n.author_id, n.run_id, n.created_at,
               n.edited_at, n.removed_at, n.version, coalesce(m.name, b.name) AS author_name,
               coalesce(c.name, o.name, d.name, lc.name) AS record_name
          FROM notes n
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (n.organization_id, n.author_id)
          LEFT JOIN bidi b ON (b.organization_id, b.id) = (n.organization_id, n.author_id)
          LEFT JOIN contacts c ON n.record_kind = 'contact' AND (c.organization_id, c.id) = (n.organization_id, n.record_id)
          LEFT JOIN companies o ON n.record_kind = 'company' AND (o.organization_id, o.id) = (n.organization_id, n.record_id)
          LEFT JOIN deals d ON n.record_kind = 'deal' AND (d.organization_id, d.id) = (n.organization_id, n.record_id)
          LEFT JOIN leads l ON n.record_kind = 'lead' AND (l.organization_id, l.id) = (n.organization_id, n.record_id)
          LEFT JOIN contacts lc ON (lc.organization_id, lc.id) = (l.organization_id, l.contact_id)
         WHERE n.removed_at IS NULL
           AND (%(record_id)s::uuid IS NULL OR (n.record_kind, n.record_id) = (%(record_kind)s, %(record_id)s))
           AND (%(before_id)s::uuid IS NULL OR n.id < %(before_id)s)
         ORDER BY n.id DESC
         LIMIT %(limit)s
        """,
        record_kind=record.kind.value if record else None,
        record_id=record.id if record else None,
        before_id=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(lines, size, after=lambda line: encode_cursor(line.id))
