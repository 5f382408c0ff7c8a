"""Reading imports of tables, what is said about their rows, and what each chunk holds."""

from collections.abc import AsyncIterator
from uuid import UUID

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_of, page_size
from crm.imports.tables.models import ChunkRecord, RowNote, TableImport
from events.ids import ImportId

_BLOCK = 1000


async def get_table_import(tx: Tx, import_id: ImportId, *, lock: bool = False) -> TableImport:
    """One import of a table; `lock` makes everybody else who works on it wait. Raises: NotFound."""
    tx.principal.require("imports:write")
    if lock:
        await tx.execute(
            "SELECT FROM imports WHERE id = %(import_id)s FOR NO KEY UPDATE", import_id=import_id
        )
    return await tx.one(
        TableImport,
        """
        SELECT i.id, i.label, i.status, i.member_user_id, i.fingerprint, i.total, i.position, i.started_at, i.finished_at,
               i.undone_at, t.record_kind, t.blob_key, t.size_bytes, t.layout AS layout_json, t.sample AS sample_json,
               t.repeated, t.mapping AS mapping_json, t.options AS options_json, t.made, t.updated, t.skipped, t.refused,
               t.companies_made, t.taken_back, t.kept, t.fault
          FROM imports i
          JOIN table_imports t ON t.organization_id = i.organization_id AND t.import_id = i.id
         WHERE i.id = %(import_id)s
        """,
        import_id=import_id,
    )


async def list_table_imports(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[TableImport]:
    """The imports of tables, the latest first."""
    tx.principal.require("imports:write")
    size = page_size(limit)
    (before_id,) = decode_cursor(cursor, 1) if cursor else (None,)
    found = await tx.all(
        TableImport,
        """
        SELECT i.id, i.label, i.status, i.member_user_id, i.fingerprint, i.total, i.position, i.started_at, i.finished_at,
               i.undone_at, t.record_kind, t.blob_key, t.size_bytes, t.layout AS layout_json, '[]'::jsonb AS sample_json,
               t.repeated, t.mapping AS mapping_json, t.options AS options_json, t.made, t.updated, t.skipped, t.refused,
               t.companies_made, t.taken_back, t.kept, t.fault
          FROM imports i
          JOIN table_imports t ON t.organization_id = i.organization_id AND t.import_id = i.id
         WHERE %(before_id)s::uuid IS NULL OR i.id < %(before_id)s::uuid
         ORDER BY i.id DESC
         LIMIT %(limit)s
        """,
        before_id=before_id,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda item: encode_cursor(item.id))


async def find_earlier(tx: Tx, current: TableImport) -> TableImport | None:
    """The last import of the very same file as the same kind of record that was not taken back, or None."""
    import_id = await tx.value(
        """
        SELECT i.id
          FROM imports i
          JOIN table_imports t ON t.organization_id = i.organization_id AND t.import_id = i.id
         WHERE i.fingerprint = %(fingerprint)s
           AND i.kind = 'table'
           AND i.id <> %(id)s
           AND t.record_kind = %(record_kind)s
           AND i.status IN ('running', 'paused', 'finished', 'cancelled', 'failed')
         ORDER BY i.id DESC
         LIMIT 1
        """,
        fingerprint=current.fingerprint,
        id=current.id,
        record_kind=current.record_kind.value,
    )
    return await get_table_import(tx, ImportId(import_id)) if import_id else None


async def list_row_notes(
    tx: Tx, import_id: ImportId, *, verdict: str | None = None, after: int = 0, limit: int = 50
) -> list[RowNote]:
    """What is said about rows, in their order, from behind row `after` on."""
    tx.principal.require("imports:write")
    return await tx.all(
        RowNote,
        """
        SELECT number, verdict, label, reasons AS reasons_json, record_id
          FROM import_rows
         WHERE import_id = %(import_id)s
           AND number > %(after)s
           AND (%(verdict)s::text IS NULL OR verdict = %(verdict)s)
         ORDER BY number
         LIMIT %(limit)s
        """,
        import_id=import_id,
        after=after,
        verdict=verdict,
        limit=limit,
    )


async def every_row_note(tx: Tx, import_id: ImportId) -> AsyncIterator[RowNote]:
    """All that is said about the rows of an import, a thousand at a time."""
    after = 0
    while notes := await list_row_notes(tx, import_id, after=after, limit=_BLOCK):
        for note in notes:
            yield note
        after = notes[-1].number


async def list_chunk(tx: Tx, import_id: ImportId, chunk_id: UUID) -> list[ChunkRecord]:
    """The records that one chunk of an import made, changed or took back; of the last the rows are gone."""
    return await tx.all(
        ChunkRecord,
        """
        SELECT kind, record_id
          FROM import_records
         WHERE import_id = %(import_id)s
           AND chunk_id = %(chunk_id)s
         ORDER BY kind, record_id
        """,
        import_id=import_id,
        chunk_id=chunk_id,
    )


async def list_kept(tx: Tx, import_id: ImportId, *, limit: int = 50) -> list[tuple[str, UUID, str]]:
    """Kind, id and name of the records that an undo left as they are, because somebody has worked on them since."""
    tx.principal.require("imports:write")
    cursor = await tx.connection.execute(
        """
        SELECT r.kind, r.record_id, coalesce(c.name, o.name, d.name, lc.name, '') AS name
          FROM import_records r
          LEFT JOIN contacts c ON c.organization_id = r.organization_id AND c.id = r.record_id AND r.kind = 'contact'
          LEFT JOIN companies o ON o.organization_id = r.organization_id AND o.id = r.record_id AND r.kind = 'company'
          LEFT JOIN deals d ON d.organization_id = r.organization_id AND d.id = r.record_id AND r.kind = 'deal'
          LEFT JOIN leads l ON l.organization_id = r.organization_id AND l.id = r.record_id AND r.kind = 'lead'
          LEFT JOIN contacts lc ON lc.organization_id = l.organization_id AND lc.id = l.contact_id
         WHERE r.import_id = %(import_id)s
           AND r.state = 'kept'
         ORDER BY r.kind, r.record_id
         LIMIT %(limit)s
        """,
        {"import_id": import_id, "limit": limit},
    )
    return [(row["kind"], row["record_id"], row["name"]) for row in await cursor.fetchall()]
