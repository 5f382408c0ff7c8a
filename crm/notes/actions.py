"""Writing, changing, removing and restoring notes."""

from core import clock
from core.db import Tx
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.notes.models import Note
from crm.notes.queries import get_note
from crm.records.models import RecordRef
from crm.records.queries import require_record
from events.ids import NoteId
from events.outbox import emit
from events.types import NoteCreated, NoteRemoved, NoteRestored, NoteUpdated

MAX_BODY = 20_000


async def create_note(tx: Tx, record: RecordRef, body: str) -> Note:
    """Write something down about a record; the principal and its run are recorded as the author.

    Raises:
        Unprocessable: no words, too many, or no such record.
        Conflict: the record is in the trash.
    """
    tx.principal.require("notes:write")
    text = _text(body)
    await require_record(tx, record)
    note = await tx.one(
        Note,
        """
        INSERT INTO notes (organization_id, id, record_kind, record_id, body, author_kind, author_id, run_id, created_at)
        VALUES (%(organization_id)s, %(id)s, %(record_kind)s, %(record_id)s, %(body)s, %(author_kind)s, %(author_id)s,
                %(run_id)s, %(now)s)
        RETURNING id, record_kind, record_id, body, author_kind, author_id, run_id, created_at, edited_at, removed_at,
                  version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        record_kind=record.kind.value,
        record_id=record.id,
        body=text,
        author_kind=tx.principal.kind.value,
        author_id=tx.principal.id,
        run_id=tx.principal.run_id,
        now=clock.now(),
    )
    await emit(tx, NoteCreated(note.id))
    return note


async def update_note(tx: Tx, note_id: NoteId, body: str, *, version: int) -> Note:
    """Change the words of a note; the same words leave no trace.

    Raises:
        NotFound: no such note.
        Conflict: it is removed.
        Stale: changed since `version` was read.
        Unprocessable: no words, or too many.
    """
    note = await get_note(tx, note_id, lock=True)
    tx.principal.require("notes:write")
    if note.removed_at is not None:
        raise Conflict("This note is removed; restore it first.")
    if note.version != version:
        raise Stale("This note was changed meanwhile; reload and try again.")
    text = _text(body)
    if text == note.body:
        return note
    updated = await tx.one(
        Note,
        """
        UPDATE notes
           SET body = %(body)s, edited_at = %(now)s, version = version + 1
         WHERE id = %(note_id)s
        RETURNING id, record_kind, record_id, body, author_kind, author_id, run_id, created_at, edited_at, removed_at,
                  version
        """,
        note_id=note_id,
        body=text,
        now=clock.now(),
    )
    await emit(tx, NoteUpdated(note_id), changes={"body": (note.body, text)})
    return updated


async def remove_note(tx: Tx, note_id: NoteId) -> Note:
    """Take a note away; it can be restored. A removed one stays as it is. Raises: NotFound."""
    note = await get_note(tx, note_id, lock=True)
    tx.principal.require("notes:write")
    if note.removed_at is not None:
        return note
    await tx.execute(
        "UPDATE notes SET removed_at = %(now)s, version = version + 1 WHERE id = %(note_id)s",
        now=clock.now(),
        note_id=note_id,
    )
    await emit(tx, NoteRemoved(note_id))
    return await get_note(tx, note_id)


async def restore_note(tx: Tx, note_id: NoteId) -> Note:
    """Bring a removed note back. Raises: NotFound."""
    note = await get_note(tx, note_id, lock=True)
    tx.principal.require("notes:write")
    if note.removed_at is None:
        return note
    await tx.execute(
        "UPDATE notes SET removed_at = NULL, version = version + 1 WHERE id = %(note_id)s", note_id=note_id
    )
    await emit(tx, NoteRestored(note_id))
    return await get_note(tx, note_id)


def _text(body: str) -> str:
    text = body.replace("\r\n", "\n").strip()
    if not text or len(text) > MAX_BODY:
        raise Unprocessable(f"A note needs words, at most {MAX_BODY} characters of them.", field="body")
    return text
