"""Putting files on a record, removing and restoring them."""

import re

from core import clock
from core.db import Tx
from core.errors import TooLarge, Unprocessable
from core.ids import uuid7
from crm.files.models import File, NewFile
from crm.files.queries import get_file
from crm.knowledge.actions import clean_name
from crm.records.models import RecordRef
from crm.records.queries import require_record
from events.ids import FileId
from events.outbox import emit
from events.types import FileAdded, FileRemoved, FileRestored

MAX_BYTES = 25 * 1024 * 1024
_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
UNKNOWN = "application/octet-stream"


def check_size(name: str, size_bytes: int) -> None:
    """Raises: TooLarge, naming the file; Unprocessable when it is empty."""
    if size_bytes > MAX_BYTES:
        raise TooLarge(
            f"{name} is larger than {MAX_BYTES // 1024**2} MB; put it elsewhere and note its address."
        )
    if size_bytes == 0:
        raise Unprocessable(f"{name} is empty; choose another file.", field="file")


async def add_file(tx: Tx, record: RecordRef, new: NewFile) -> File:
    """Put a file that is in storage on a record.

    Raises:
        Unprocessable: no name, no content, or no such record.
        TooLarge: more than 25 MB.
        Conflict: the record is in the trash.
    """
    tx.principal.require("files:write")
    name = clean_name(new.name)
    check_size(name, new.size_bytes)
    await require_record(tx, record)
    file_id = FileId(uuid7())
    await tx.execute(
        """
        INSERT INTO files (organization_id, id, record_kind, record_id, name, mime, size_bytes, blob_key,
                           uploaded_by_kind, uploaded_by_id, created_at)
        VALUES (%(organization_id)s, %(id)s, %(record_kind)s, %(record_id)s, %(name)s, %(mime)s, %(size_bytes)s,
                %(blob_key)s, %(uploaded_by_kind)s, %(uploaded_by_id)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        id=file_id,
        record_kind=record.kind.value,
        record_id=record.id,
        name=name,
        mime=new.mime.lower() if _MIME.fullmatch(new.mime.lower()) else UNKNOWN,
        size_bytes=new.size_bytes,
        blob_key=new.blob_key,
        uploaded_by_kind=tx.principal.kind.value,
        uploaded_by_id=tx.principal.id,
        now=clock.now(),
    )
    await emit(tx, FileAdded(file_id))
    return await get_file(tx, file_id)


async def remove_file(tx: Tx, file_id: FileId) -> File:
    """Take a file off its record; it can be restored. A removed one stays as it is. Raises: NotFound."""
    file = await get_file(tx, file_id, lock=True)
    tx.principal.require("files:write")
    if file.removed_at is not None:
        return file
    await tx.execute(
        "UPDATE files SET removed_at = %(now)s WHERE id = %(file_id)s", now=clock.now(), file_id=file_id
    )
    await emit(tx, FileRemoved(file_id))
    return await get_file(tx, file_id)


async def restore_file(tx: Tx, file_id: FileId) -> File:
    """Bring a removed file back. Raises: NotFound."""
    file = await get_file(tx, file_id, lock=True)
    tx.principal.require("files:write")
    if file.removed_at is None:
        return file
    await tx.execute("UPDATE files SET removed_at = NULL WHERE id = %(file_id)s", file_id=file_id)
    await emit(tx, FileRestored(file_id))
    return await get_file(tx, file_id)
