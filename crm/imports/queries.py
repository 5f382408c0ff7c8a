"""Reading imports."""

from core.db import Tx
from crm.imports.models import Import, ImportKind
from events.ids import ImportId


async def get_import(tx: Tx, import_id: ImportId, *, lock: bool = False) -> Import:
    """One import; `lock` makes a second process that works on it wait. Raises: NotFound."""
    if lock:
        await tx.execute(
            "SELECT FROM imports WHERE id = %(import_id)s FOR NO KEY UPDATE", import_id=import_id
        )
    return await tx.one(
        Import,
        """
        SELECT id, kind, label, fingerprint, status, channel_account_id, member_user_id, total, position, contacts_made,
               contacts_found, conversations, messages, files, started_at, finished_at, undone_at
          FROM imports
         WHERE id = %(import_id)s
        """,
        import_id=import_id,
    )


async def find_import_of(tx: Tx, kind: ImportKind, fingerprint: str) -> Import | None:
    """The import of this very file that was not undone, or None."""
    return await tx.find(
        Import,
        """
        SELECT id, kind, label, fingerprint, status, channel_account_id, member_user_id, total, position, contacts_made,
               contacts_found, conversations, messages, files, started_at, finished_at, undone_at
          FROM imports
         WHERE kind = %(kind)s
           AND fingerprint = %(fingerprint)s
           AND status <> 'undone'
        """,
        kind=kind.value,
        fingerprint=fingerprint,
    )


async def list_imports(tx: Tx, *, last: int = 100) -> list[Import]:
    """The newest imports first."""
    return await tx.all(
        Import,
        """
        SELECT id, kind, label, fingerprint, status, channel_account_id, member_user_id, total, position, contacts_made,
               contacts_found, conversations, messages, files, started_at, finished_at, undone_at
          FROM imports
         ORDER BY started_at DESC, id DESC
         LIMIT %(last)s
        """,
        last=last,
    )
