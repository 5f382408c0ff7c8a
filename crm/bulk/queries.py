"""Reading bulk edits and what their records came to."""

from collections.abc import Sequence

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.bulk.models import BulkEdit, EditedRecord, RecordVerdict
from crm.records.lists import READING, readable_kinds
from events.ids import BulkEditId


async def get_bulk_edit(tx: Tx, edit_id: BulkEditId, *, lock: bool = False) -> BulkEdit:
    """One edit; `lock` makes everybody else who works on it wait.

    Raises: NotFound; Forbidden when its kind of record may not be read.
    """
    if lock:
        await tx.execute("SELECT FROM bulk_edits WHERE id = %(id)s FOR NO KEY UPDATE", id=edit_id)
    edit = await tx.one(
        BulkEdit,
        """
        SELECT id, record_kind, changes AS changes_json, status, total, position, changed, unchanged, refused, restored,
               kept, made_by_kind, made_by, run_by, created_at, finished_at, undone_at
          FROM bulk_edits
         WHERE id = %(id)s
        """,
        id=edit_id,
    )
    tx.principal.require(READING[edit.record_kind])
    return edit


async def list_bulk_edits(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[BulkEdit]:
    """The edits of the kinds of records that the principal may read, the newest first."""
    size = page_size(limit)
    edits = await tx.all(
        BulkEdit,
        """
        SELECT id, record_kind, changes AS changes_json, status, total, position, changed, unchanged, refused, restored,
               kept, made_by_kind, made_by, run_by, created_at, finished_at, undone_at
          FROM bulk_edits
         WHERE record_kind = ANY(%(kinds)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        kinds=readable_kinds(tx),
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(edits, size, after=lambda edit: encode_cursor(edit.id))


async def list_edited(
    tx: Tx, edit_id: BulkEditId, verdicts: Sequence[RecordVerdict], *, after: int = 0, limit: int = 25
) -> list[EditedRecord]:
    """The records of an edit that came to one of these, in their order, from behind one on."""
    return await tx.all(
        EditedRecord,
        """
        SELECT position, record_id, verdict, label, reason, detail, changes, version
          FROM bulk_edit_records
         WHERE bulk_edit_id = %(id)s
           AND position > %(after)s
           AND verdict = ANY(%(verdicts)s)
         ORDER BY position
         LIMIT %(limit)s
        """,
        id=edit_id,
        after=after,
        verdicts=[verdict.value for verdict in verdicts],
        limit=limit,
    )
