"""Reading documents and their versions."""

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_size
from crm.knowledge.models import Document, DocumentLine, DocumentVersion
from events.ids import DocumentId


async def get_document(tx: Tx, document_id: DocumentId, *, lock: bool = False) -> Document:
    """One document, also a removed one; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("knowledge:read")
    if lock:
        await tx.execute(
            "SELECT FROM documents WHERE id = %(document_id)s FOR NO KEY UPDATE", document_id=document_id
        )
    return await tx.one(
        Document,
        """
        SELECT id, name, is_publishable, live_version_id, removed_at, created_at
          FROM documents
         WHERE id = %(document_id)s
        """,
        document_id=document_id,
    )


async def find_document(tx: Tx, name: str) -> Document | None:
    """The document of this name that is not removed; capitals make no difference."""
    tx.principal.require("knowledge:read")
    return await tx.find(
        Document,
        """
        SELECT id, name, is_publishable, live_version_id, removed_at, created_at
          FROM documents
         WHERE lower(name) = lower(%(name)s)
           AND removed_at IS NULL
        """,
        name=name,
    )


async def list_documents(
    tx: Tx, *, is_removed: bool = False, cursor: str | None = None, limit: int = 50
) -> Page[DocumentLine]:
    """Documents with their newest version, the latest document first."""
    tx.principal.require("knowledge:read")
    size = page_size(limit)
    (before_id,) = decode_cursor(cursor, 1) if cursor else (None,)
    lines = await tx.all(
        DocumentLine,
        """
        SELECT d.id, d.name, d.is_publishable, d.removed_at, l.number AS live_number,
               v.number, v.size_bytes, v.status, v.refusal, v.languages, v.pages, v.chunks,
               coalesce(m.name, '') AS uploader, v.uploaded_at
          FROM documents d
          JOIN LATERAL (
               SELECT number, size_bytes, status, refusal, languages, pages, chunks, uploaded_by, uploaded_at
                 FROM document_versions n
                WHERE (n.organization_id, n.document_id) = (d.organization_id, d.id)
                ORDER BY n.number DESC
                LIMIT 1) AS v ON true
          LEFT JOIN document_versions l ON (l.organization_id, l.id) = (d.organization_id, d.live_version_id)
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (d.organization_id, v.uploaded_by)
         WHERE (d.removed_at IS NOT NULL) = %(is_removed)s
           AND (%(before_id)s::uuid IS NULL OR d.id < %(before_id)s::uuid)
         ORDER BY d.id DESC
         LIMIT %(limit)s
        """,
        is_removed=is_removed,
        before_id=before_id,
        limit=size + 1,
    )
    page = lines[:size]
    return Page(page, encode_cursor(page[-1].id) if len(lines) > size else None)


async def list_versions(tx: Tx, document_id: DocumentId) -> list[DocumentVersion]:
    """Every version of a document, the newest first."""
    tx.principal.require("knowledge:read")
    return await tx.all(
        DocumentVersion,
        """
        SELECT v.id, v.document_id, v.number, v.name, v.mime, v.sha256, v.size_bytes, v.status, v.refusal,
               v.languages, v.pages, v.chunks, v.uploaded_by, coalesce(m.name, '') AS uploader, v.uploaded_at,
               v.read_at
          FROM document_versions v
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (v.organization_id, v.uploaded_by)
         WHERE v.document_id = %(document_id)s
         ORDER BY v.number DESC
        """,
        document_id=document_id,
    )


async def get_version(tx: Tx, document_id: DocumentId, number: int) -> DocumentVersion:
    """Raises: NotFound."""
    tx.principal.require("knowledge:read")
    return await tx.one(
        DocumentVersion,
        """
        SELECT v.id, v.document_id, v.number, v.name, v.mime, v.sha256, v.size_bytes, v.status, v.refusal,
               v.languages, v.pages, v.chunks, v.uploaded_by, coalesce(m.name, '') AS uploader, v.uploaded_at,
               v.read_at
          FROM document_versions v
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (v.organization_id, v.uploaded_by)
         WHERE v.document_id = %(document_id)s
           AND v.number = %(number)s
        """,
        document_id=document_id,
        number=number,
    )


async def newest_version(tx: Tx, document_id: DocumentId) -> DocumentVersion:
    """The version that was uploaded last. Raises: NotFound."""
    number = await tx.value(
        "SELECT max(number) FROM document_versions WHERE document_id = %(document_id)s",
        document_id=document_id,
    )
    return await get_version(tx, document_id, number or 0)
