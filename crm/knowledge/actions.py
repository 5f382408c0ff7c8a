"""Adding, replacing, removing and publishing documents, and recording what became of each file."""

import re
from pathlib import PurePosixPath, PureWindowsPath

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.knowledge.models import Document, DocumentVersion, File, Reading, Uploaded, VersionStatus
from crm.knowledge.queries import find_document, get_document, newest_version
from events.ids import DocumentId, DocumentVersionId
from events.outbox import emit
from events.types import (
    DocumentAdded,
    DocumentPublished,
    DocumentRead,
    DocumentRefused,
    DocumentRemoved,
    DocumentReplaced,
    DocumentRestored,
    DocumentWithheld,
)

MAX_NAME = 200
# Control characters, and those that turn the direction of a text and so hide what a file is.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean_name(name: str) -> str:
    """The name of a file without its folders and without what cannot be seen. Raises: Unprocessable."""
    bare = PurePosixPath(PureWindowsPath(_UNSEEN.sub("", name)).name).name.strip()
    if not bare:
        raise Unprocessable("The file has no name; rename it and add it again.", field="file")
    stem, suffix = PurePosixPath(bare).stem, PurePosixPath(bare).suffix
    return f"{stem[: MAX_NAME - len(suffix)]}{suffix}"[:MAX_NAME]


async def add_document(tx: Tx, file: File, *, is_publishable: bool = True) -> tuple[DocumentId, Uploaded]:
    """Take a file in; one of a name that is there already is its next version. Reading starts after the commit.

    Raises: Unprocessable when the file has no name.
    """
    tx.principal.require("knowledge:write")
    name = clean_name(file.name)
    existing = await find_document(tx, name)
    if existing is not None:
        return existing.id, await replace_document(tx, existing.id, file)
    document_id = DocumentId(uuid7())
    made = await tx.execute(
        """
        INSERT INTO documents (organization_id, id, name, is_publishable, created_at)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(is_publishable)s, %(now)s)
        ON CONFLICT (organization_id, lower(name)) WHERE removed_at IS NULL DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=document_id,
        name=name,
        is_publishable=is_publishable,
        now=clock.now(),
    )
    if not made:  # somebody added the same name at the same moment
        raise Conflict(f"{name} is being added by somebody else; add it again to make it the next version.")
    await _insert_version(tx, document_id, file, number=1)
    await emit(tx, DocumentAdded(document_id))
    return document_id, Uploaded.ADDED


async def replace_document(tx: Tx, document_id: DocumentId, file: File) -> Uploaded:
    """Make the file the next version; the same file again changes nothing, unless it was refused: then it is read anew.

    Raises:
        NotFound: no such document in this organization.
        Conflict: it is removed.
    """
    document = await get_document(tx, document_id, lock=True)
    tx.principal.require("knowledge:write")
    _require_present(document)
    newest = await newest_version(tx, document_id)
    if newest.sha256 != file.sha256:
        await _insert_version(tx, document_id, file, number=newest.number + 1)
    elif newest.status is VersionStatus.REFUSED:
        await _read_again(tx, newest.id)
    else:
        return Uploaded.UNCHANGED
    await emit(tx, DocumentReplaced(document_id))
    return Uploaded.REPLACED


async def remove_document(tx: Tx, document_id: DocumentId) -> Document:
    """Take a document away from agents; it can be restored. A removed one stays as it is. Raises: NotFound."""
    document = await get_document(tx, document_id, lock=True)
    tx.principal.require("knowledge:write")
    if document.removed_at is not None:
        return document
    await tx.execute(
        "UPDATE documents SET removed_at = %(now)s, live_version_id = NULL WHERE id = %(document_id)s",
        now=clock.now(),
        document_id=document_id,
    )
    await emit(tx, DocumentRemoved(document_id))
    return await get_document(tx, document_id)


async def restore_document(tx: Tx, document_id: DocumentId) -> Document:
    """Bring a removed document back; its newest file is read again.

    Raises:
        NotFound: no such document in this organization.
        Conflict: another document has taken its name.
    """
    document = await get_document(tx, document_id, lock=True)
    tx.principal.require("knowledge:write")
    if document.removed_at is None:
        return document
    if await find_document(tx, document.name) is not None:
        raise Conflict(f"Another document is called {document.name} by now; remove that one first.")
    await tx.execute(
        "UPDATE documents SET removed_at = NULL WHERE id = %(document_id)s", document_id=document_id
    )
    await _read_again(tx, (await newest_version(tx, document_id)).id)
    await emit(tx, DocumentRestored(document_id))
    return await get_document(tx, document_id)


async def set_publishable(tx: Tx, document_id: DocumentId, *, is_publishable: bool) -> Document:
    """Say whether agents may quote a document to people outside. Raises: NotFound, Conflict when it is removed."""
    document = await get_document(tx, document_id, lock=True)
    tx.principal.require("knowledge:write")
    _require_present(document)
    if document.is_publishable == is_publishable:
        return document
    await tx.execute(
        "UPDATE documents SET is_publishable = %(is_publishable)s WHERE id = %(document_id)s",
        is_publishable=is_publishable,
        document_id=document_id,
    )
    changes: dict[str, tuple[object, object]] = {"is_publishable": (document.is_publishable, is_publishable)}
    event = DocumentPublished(document_id) if is_publishable else DocumentWithheld(document_id)
    await emit(tx, event, changes=changes)
    return await get_document(tx, document_id)


async def record_read(tx: Tx, version: DocumentVersion, reading: Reading) -> None:
    """The file of a version was read, and agents find it from now on."""
    await tx.execute(
        """
        UPDATE document_versions
           SET status = 'ready', refusal = '', mime = %(mime)s, languages = %(languages)s, pages = %(pages)s,
               chunks = %(chunks)s, read_at = %(now)s
         WHERE id = %(version_id)s
        """,
        mime=reading.mime,
        languages=list(reading.languages),
        pages=reading.pages,
        chunks=reading.chunks,
        now=clock.now(),
        version_id=version.id,
    )
    await tx.execute(
        "UPDATE documents SET live_version_id = %(version_id)s WHERE id = %(document_id)s",
        version_id=version.id,
        document_id=version.document_id,
    )
    await emit(tx, DocumentRead(version.document_id))


async def record_refused(tx: Tx, version: DocumentVersion, reason: str) -> None:
    """The file of a version cannot be read; the version before it, if any, stays the one that agents find."""
    await tx.execute(
        """
        UPDATE document_versions
           SET status = 'refused', refusal = %(reason)s, read_at = %(now)s
         WHERE id = %(version_id)s
        """,
        reason=reason,
        now=clock.now(),
        version_id=version.id,
    )
    await emit(tx, DocumentRefused(version.document_id))


def _require_present(document: Document) -> None:
    if document.removed_at is not None:
        raise Conflict(f"{document.name} is removed; restore it first.")


async def _read_again(tx: Tx, version_id: DocumentVersionId) -> None:
    await tx.execute(
        "UPDATE document_versions SET status = 'pending', refusal = '', read_at = NULL WHERE id = %(version_id)s",
        version_id=version_id,
    )


async def _insert_version(tx: Tx, document_id: DocumentId, file: File, *, number: int) -> None:
    await tx.execute(
        """
        INSERT INTO document_versions (organization_id, id, document_id, number, name, sha256, size_bytes,
                                       uploaded_by, uploaded_at)
        VALUES (%(organization_id)s, %(id)s, %(document_id)s, %(number)s, %(name)s, %(sha256)s, %(size_bytes)s,
                %(uploaded_by)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        document_id=document_id,
        number=number,
        name=clean_name(file.name),
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        uploaded_by=tx.principal.id,
        now=clock.now(),
    )
