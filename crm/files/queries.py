"""Reading what files a record has."""

from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.files.models import File
from crm.records.models import RecordRef
from events.ids import FileId

_FILE: LiteralString = """
        SELECT f.id, f.record_kind, f.record_id, f.name, f.mime, f.size_bytes, f.blob_key, f.uploaded_by_kind,
               f.uploaded_by_id, coalesce(m.name, b.name) AS uploader_name, f.created_at, f.removed_at
          FROM files f
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (f.organization_id, f.uploaded_by_id)
          LEFT JOIN bidi b ON (b.organization_id, b.id) = (f.organization_id, f.uploaded_by_id)
        """


async def get_file(tx: Tx, file_id: FileId, *, lock: bool = False) -> File:
    """One file, also a removed one; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("files:read")
    if lock:
        await tx.execute("SELECT FROM files WHERE id = %(file_id)s FOR NO KEY UPDATE", file_id=file_id)
    return await tx.one(File, _FILE + " WHERE f.id = %(file_id)s", file_id=file_id)


async def list_files(
    tx: Tx, record: RecordRef | None = None, *, cursor: str | None = None, limit: int = 25
) -> Page[File]:
    """Files that are not removed, of one record or of all, the newest first."""
    tx.principal.require("files:read")
    size = page_size(limit)
    files = await tx.all(
        File,
        _FILE
        + """
         WHERE f.removed_at IS NULL
           AND (%(record_id)s::uuid IS NULL OR (f.record_kind, f.record_id) = (%(record_kind)s, %(record_id)s))
           AND (%(before_id)s::uuid IS NULL OR f.id < %(before_id)s)
         ORDER BY f.id DESC
         LIMIT %(limit)s
        """,
        record_kind=record.kind.value if record else None,
        record_id=record.id if record else None,
        before_id=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(files, size, after=lambda file: encode_cursor(file.id))
