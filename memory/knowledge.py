"""The organization's own documents as agents find them: their passages, and how a place in one is called."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from core.languages import language_of_document
from core.trust import Trust
from crm.knowledge import actions as knowledge
from crm.knowledge import queries
from crm.knowledge.models import Document, DocumentVersion, Reading, VersionStatus
from events.ids import DocumentId
from memory import ingest, store
from memory.documents.models import Chunk
from memory.documents.reader import Read
from memory.models import Version


def citation(name: str, *, page: int | None, heading: tuple[str, ...], number: int) -> str:
    """`Price list.pdf, page 2`, `FAQ.md, Does it work offline?` or `notes.txt, line 12`: the first that is known."""
    if page is not None:
        return f"{name}, page {page}"
    return f"{name}, {heading[-1]}" if heading else f"{name}, line {number}"


async def find_unread(tx: Tx, document_id: DocumentId, *, lock: bool = False) -> DocumentVersion | None:
    """The version of a document that waits to be read, unless it is removed meanwhile or read already."""
    document = await queries.get_document(tx, document_id, lock=lock)
    newest = await queries.newest_version(tx, document_id)
    is_waiting = document.removed_at is None and newest.status is VersionStatus.PENDING
    return newest if is_waiting else None


async def keep_passages(
    tx: Tx, version: DocumentVersion, read: Read, *, trust: Trust = Trust.CONFIRMED
) -> bool:
    """Agents find this version and no other from the commit on; False when a newer file came or it was removed.

    A document is as good as the word of whoever added it, unless `trust` says that its text is somebody else's.
    """
    waiting = await find_unread(tx, version.document_id, lock=True)
    if waiting is None or waiting.id != version.id:
        return False
    document = await queries.get_document(tx, version.document_id)
    await store.insert_chunks(tx, _version(document, version), read.chunks, trust=trust)
    await ingest.embed_soon(tx, version.id)
    reading = Reading(read.mime, read.languages, read.pages, len(read.chunks))
    await knowledge.record_read(tx, version, reading)
    return True


def _version(document: Document, version: DocumentVersion) -> Version:
    return Version(document.id, version.id, document.name, document.is_publishable, version.uploaded_at)


async def refuse(tx: Tx, document_id: DocumentId, reason: str) -> None:
    """The waiting version cannot be read; nothing happens when none waits any more."""
    waiting = await find_unread(tx, document_id, lock=True)
    if waiting is not None:
        await knowledge.record_refused(tx, waiting, reason)


async def follow(tx: Tx, document_id: DocumentId) -> None:
    """Bring the passages in line with their document: forgotten when it is removed, publishable as it says."""
    document = await queries.get_document(tx, document_id, lock=True)
    if document.removed_at is not None:
        await store.forget_document(tx, document_id)
    else:
        await store.set_publishable(tx, document_id, is_publishable=document.is_publishable)


@dataclass(frozen=True)
class _Row:
    text: str
    heading: list[str]
    page: int | None
    line: int | None


async def list_passages(tx: Tx, document_id: DocumentId) -> list[Chunk]:
    """The passages of a document that agents find, in order."""
    tx.principal.require("knowledge:read")
    rows = await tx.all(
        _Row,
        """
        SELECT text, heading, page, line
          FROM memories
         WHERE source_kind = 'document'
           AND source_id = %(document_id)s
           AND superseded_at IS NULL
         ORDER BY ordinal
        """,
        document_id=document_id,
    )
    return [
        Chunk(
            row.text,
            language_of_document(" ".join((*row.heading, row.text))),
            row.line or 0,
            row.page,
            tuple(row.heading),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class PastPaper:
    """A document as it could be read at some time, its passages in order."""

    name: str
    text: str
    is_publishable: bool


async def list_papers_at(tx: Tx, at: datetime, *, limit: int = 20) -> list[PastPaper]:
    """The documents whose passages agents could find at a time, the oldest document first."""
    tx.principal.require("knowledge:read")
    return await tx.all(
        PastPaper,
        """
        SELECT d.name, string_agg(m.text, E'\n\n' ORDER BY m.ordinal) AS text,
               bool_and(m.is_publishable) AS is_publishable
          FROM memories m
          JOIN documents d ON (d.organization_id, d.id) = (m.organization_id, m.source_id)
         WHERE m.source_kind = 'document'
           AND m.recorded_at <= %(at)s
           AND (m.superseded_at IS NULL OR m.superseded_at > %(at)s)
         GROUP BY d.organization_id, d.id, d.name, d.created_at
         ORDER BY d.created_at, d.id
         LIMIT %(limit)s
        """,
        at=at,
        limit=limit,
    )
