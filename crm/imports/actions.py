"""Bringing people and past talks in, one committed step after the other."""

from uuid import UUID

from core import clock
from core.db import Tx
from core.errors import Conflict
from core.ids import uuid7
from crm.channel_accounts.queries import get_channel_account
from crm.contacts import actions as contacts
from crm.contacts import erased
from crm.contacts.models import Contact, normalize_handle
from crm.contacts.queries import find_contact_by_handles, list_handles
from crm.conversations import history
from crm.conversations.history import Imported, PastMessage
from crm.facts import actions as facts
from crm.imports.models import Import, ImportedChat, ImportedPerson, ImportStatus, NewImport
from crm.imports.queries import find_import_of, get_import
from events.ids import ContactId, ImportId
from events.outbox import emit
from events.types import ImportFinished, ImportStarted

# Closeness is saturated long before this many messages: see crm.facts.models.strength_at.
TELLING_MESSAGES = 60


async def start_import(tx: Tx, new: NewImport) -> Import:
    """Begin an import, or take up the one of the same file that a kill interrupted.

    Raises:
        Conflict: the file is imported already, or its undo is under way.
    """
    tx.principal.require("contacts:write")
    tx.principal.require("conversations:write")
    known = await find_import_of(tx, new.kind, new.fingerprint)
    if known is not None and known.status is ImportStatus.RUNNING:
        return known
    if known is not None and known.status is ImportStatus.FINISHED:
        raise Conflict(
            f"{new.label} was imported on {known.finished_at:%Y-%m-%d}; undo the import {known.id} to repeat it."
        )
    if known is not None:
        raise Conflict(f"The import {known.id} of {new.label} is being undone; finish that first.")
    import_id = ImportId(uuid7())
    await tx.execute(
        """
        INSERT INTO imports (organization_id, id, kind, label, fingerprint, channel_account_id, member_user_id, total)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(label)s, %(fingerprint)s, %(account_id)s, %(member_id)s,
                %(total)s)
        """,
        organization_id=tx.organization_id,
        id=import_id,
        kind=new.kind.value,
        label=new.label,
        fingerprint=new.fingerprint,
        account_id=new.channel_account_id,
        member_id=new.member_user_id,
        total=new.total,
    )
    await emit(tx, ImportStarted(import_id))
    return await get_import(tx, import_id)


async def import_person(
    tx: Tx, import_id: ImportId, position: int, person: ImportedPerson, *, erased_key: bytes
) -> None:
    """Take one person over as step `position`; a step that is committed already changes nothing.

    Somebody who was erased at their wish is passed over.
    """
    current = await _at(tx, import_id, position)
    if current is None:
        return
    if await _is_erased(tx, erased_key, person):
        await _advance(tx, current)
        return
    _, is_new = await _resolve(tx, current, person)
    await _advance(tx, current, is_new=is_new)


async def import_chat(
    tx: Tx, import_id: ImportId, position: int, chat: ImportedChat, *, erased_key: bytes
) -> None:
    """Take one talk with its person over as step `position`; a step that is committed already changes nothing.

    A talk with somebody who was erased at their wish is passed over.
    """
    current = await _at(tx, import_id, position)
    if current is None:
        return
    if not chat.lines or current.channel_account_id is None or await _is_erased(tx, erased_key, chat.person):
        await _advance(tx, current)
        return
    contact, is_new = await _resolve(tx, current, chat.person)
    imported = await history.import_conversation(
        tx,
        await get_channel_account(tx, current.channel_account_id),
        contact.id,
        chat_id=chat.external_id,
        messages=_messages(chat, contact.id, current),
        import_id=import_id,
    )
    await _record(tx, current, "conversation", imported.conversation_id)
    for line in chat.lines[-TELLING_MESSAGES:]:
        await facts.record_interaction(
            tx, contact.id, None, occurred_at=line.at, seat_kind="user", seat_id=current.member_user_id
        )
    await _advance(tx, current, is_new=is_new, imported=imported)


async def _is_erased(tx: Tx, key: bytes, person: ImportedPerson) -> bool:
    known = [(kind.value, value) for kind, value in (normalize_handle(*one) for one in person.handles)]
    return bool(await erased.list_erased(tx, key, known))


async def finish_import(tx: Tx, import_id: ImportId) -> Import:
    """Close an import all of whose steps are committed."""
    finished = await tx.execute(
        """
        UPDATE imports
           SET status = 'finished', finished_at = %(now)s
         WHERE id = %(import_id)s
           AND status = 'running'
           AND position = total
        """,
        now=clock.now(),
        import_id=import_id,
    )
    if finished:
        await emit(tx, ImportFinished(import_id))
    return await get_import(tx, import_id)


async def _at(tx: Tx, import_id: ImportId, position: int) -> Import | None:
    """The locked import when `position` is its next step, None when that step is behind it. Raises: Conflict."""
    current = await get_import(tx, import_id, lock=True)
    if current.status is not ImportStatus.RUNNING:
        raise Conflict(f"The import {import_id} is {current.status}; nothing more is taken over.")
    return current if current.position == position else None


async def _resolve(tx: Tx, current: Import, person: ImportedPerson) -> tuple[Contact, bool]:
    """The person's contact and whether this import made it; what the import added is noted for an undo."""
    known = tuple(normalize_handle(kind, value) for kind, value in person.handles)
    before = await find_contact_by_handles(tx, known)
    had = {handle.id for handle in await list_handles(tx, before.id)} if before else set()
    contact = await contacts.resolve_contact(
        tx, handles=person.handles, name=person.name, language=person.language
    )
    if before is None:
        await _record(tx, current, "contact", contact.id)
        return contact, True
    for handle in await list_handles(tx, contact.id):
        if handle.id not in had:
            await _record(tx, current, "handle", handle.id)
    return contact, False


def _messages(chat: ImportedChat, contact_id: ContactId, current: Import) -> list[PastMessage]:
    return [
        PastMessage(
            is_inbound=not line.is_own,
            author_kind="user" if line.is_own else "contact",
            author_id=current.member_user_id if line.is_own else contact_id,
            body=line.text,
            occurred_at=line.at,
            external_id=line.external_id,
            files=line.files,
        )
        for line in chat.lines
    ]


async def _record(tx: Tx, current: Import, kind: str, record_id: UUID) -> None:
    await tx.execute(
        """
        INSERT INTO import_records (organization_id, import_id, kind, record_id)
        VALUES (%(organization_id)s, %(import_id)s, %(kind)s, %(record_id)s)
        ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        import_id=current.id,
        kind=kind,
        record_id=record_id,
    )


async def _advance(
    tx: Tx, current: Import, *, is_new: bool | None = None, imported: Imported | None = None
) -> None:
    """Count a step; `is_new` says whether its person was, None that it had none."""
    await tx.execute(
        """
        UPDATE imports
           SET position = position + 1,
               contacts_made = contacts_made + %(made)s,
               contacts_found = contacts_found + %(found)s,
               conversations = conversations + %(conversations)s,
               messages = messages + %(messages)s,
               files = files + %(files)s
         WHERE id = %(import_id)s
        """,
        made=int(is_new is True),
        found=int(is_new is False),
        conversations=int(imported is not None and imported.is_new),
        messages=imported.messages if imported else 0,
        files=imported.files if imported else 0,
        import_id=current.id,
    )
