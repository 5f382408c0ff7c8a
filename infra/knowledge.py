"""Adds documents from the command line and says how each stands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from core.blobs import Blobs
from core.db import Database, Tx
from core.errors import NotFound, TooLarge, Unprocessable
from core.settings import Settings
from crm.identity.queries import find_organization_id
from crm.knowledge import actions, queries
from crm.knowledge.models import DocumentLine, File, Uploaded, VersionStatus
from infra.operators import operator
from memory.documents import limits

SAID = {
    Uploaded.ADDED: "added, waits to be read",
    Uploaded.REPLACED: "added as the next version, waits to be read",
    Uploaded.UNCHANGED: "is here already, unchanged",
}


@dataclass(frozen=True)
class Added:
    """What became of one file; `is_refused` when it was not taken in."""

    name: str
    said: str
    is_refused: bool = False


async def add(settings: Settings, organization: str, files: Sequence[Path]) -> list[Added]:
    """Take every file in that can be taken. Raises: NotFound when the organization is unknown."""
    async with _transaction(settings, organization) as tx:
        return [await _add(tx, Blobs(settings.data), path) for path in files]


async def add_file(tx: Tx, blobs: Blobs, path: Path) -> Uploaded:
    """Store one file and make it a document. Raises: OSError, TooLarge, Unprocessable."""
    content = await asyncio.to_thread(_content, path)
    key = await blobs.put(tx.organization_id, content)
    _, outcome = await actions.add_document(tx, File(path.name, key, len(content)))
    return outcome


def _content(path: Path) -> bytes:
    if path.stat().st_size > limits.FILE_BYTES:
        raise TooLarge(f"larger than {limits.FILE_BYTES // 1024**2} MB; split it and add the parts")
    return path.read_bytes()


async def _add(tx: Tx, blobs: Blobs, path: Path) -> Added:
    try:
        return Added(path.name, SAID[await add_file(tx, blobs, path)])
    except OSError as err:
        return Added(path.name, f"cannot be read: {err.strerror}", is_refused=True)
    except (TooLarge, Unprocessable) as err:
        return Added(path.name, err.detail, is_refused=True)


async def list_lines(settings: Settings, organization: str) -> list[str]:
    """One line a document, the latest first. Raises: NotFound when the organization is unknown."""
    async with _transaction(settings, organization) as tx:
        lines: list[str] = []
        cursor = None
        while True:
            page = await queries.list_documents(tx, cursor=cursor)
            lines += [_line(document) for document in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return lines


def _line(document: DocumentLine) -> str:
    state = document.status.value
    if document.status is VersionStatus.REFUSED:
        state = f"refused: {document.refusal}"
    audience = "quotable" if document.is_publishable else "team only"
    found = f"{document.chunks} passages, {'/'.join(document.languages) or '-'}"
    return f"{document.name:<40} v{document.number:<3} {state:<24} {audience:<10} {found}"


@asynccontextmanager
async def _transaction(settings: Settings, organization: str) -> AsyncIterator[Tx]:
    db = await Database(settings.database_url, size=2).open()
    try:
        organization_id = await find_organization_id(db, organization)
        if organization_id is None:
            raise NotFound(f"There is no organization {organization}; give its slug with --organization.")
        async with db.transaction(operator(organization_id), "knowledge.command") as tx:
            yield tx
    finally:
        await db.close()
