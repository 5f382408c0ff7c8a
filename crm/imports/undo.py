"""Taking a whole import back, record by record; what people have built on meanwhile stays."""

from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from core import clock
from core.db import Tx
from core.errors import Conflict
from crm.conversations import history
from crm.conversations.queries import list_conversations_of_contact, list_messages
from crm.facts import actions as facts
from crm.imports.actions import TELLING_MESSAGES
from crm.imports.models import Import, ImportStatus
from crm.imports.queries import get_import
from events.ids import ContactId, ConversationId, ImportId
from events.outbox import emit
from events.types import ContactDeleted, ConversationDeleted, ImportUndone


@dataclass(frozen=True)
class Record:
    """Something that an import made."""

    kind: str
    record_id: UUID


async def start_undo(tx: Tx, import_id: ImportId) -> Import:
    """From now on nothing more is imported; an interrupted undo goes on. Raises: NotFound, Conflict."""
    tx.principal.require("contacts:write")
    tx.principal.require("conversations:write")
    current = await get_import(tx, import_id, lock=True)
    if current.status is ImportStatus.UNDONE:
        raise Conflict(f"The import {import_id} is undone already.")
    await tx.execute("UPDATE imports SET status = 'undoing' WHERE id = %(import_id)s", import_id=import_id)
    return await get_import(tx, import_id)


async def list_records(tx: Tx, import_id: ImportId) -> list[Record]:
    """What is left to take back, in the order in which that can be done: talks, addresses, people."""
    return await tx.all(
        Record,
        """
        SELECT kind, record_id
          FROM import_records
         WHERE import_id = %(import_id)s
         ORDER BY array_position(ARRAY['conversation', 'handle', 'contact'], kind), record_id
        """,
        import_id=import_id,
    )


async def take_back(tx: Tx, import_id: ImportId, record: Record) -> bool:
    """Undo one record; False when something newer hangs on it, so that it stays."""
    try:
        async with tx.savepoint():
            match record.kind:
                case "conversation":
                    await _take_back_conversation(tx, import_id, ConversationId(record.record_id))
                case "handle":
                    await _take_back_handle(tx, record.record_id)
                case _:
                    await _take_back_contact(tx, ContactId(record.record_id))
        is_gone = True
    except ForeignKeyViolation:
        is_gone = False
    await tx.execute(
        "DELETE FROM import_records WHERE import_id = %(import_id)s AND kind = %(kind)s AND record_id = %(record_id)s",
        import_id=import_id,
        kind=record.kind,
        record_id=record.record_id,
    )
    return is_gone


async def finish_undo(tx: Tx, import_id: ImportId) -> None:
    """Close an undo; the same file may be imported again."""
    await tx.execute(
        "UPDATE imports SET status = 'undone', undone_at = %(now)s WHERE id = %(import_id)s",
        now=clock.now(),
        import_id=import_id,
    )
    await emit(tx, ImportUndone(import_id))


async def _take_back_conversation(tx: Tx, import_id: ImportId, conversation_id: ConversationId) -> None:
    contact_id = ContactId(
        await tx.value(
            "SELECT contact_id FROM conversations WHERE id = %(conversation_id)s",
            conversation_id=conversation_id,
        )
    )
    await history.remove_imported(tx, conversation_id, import_id)
    await _recount_closeness(tx, contact_id)
    removed = await tx.execute(
        """
        DELETE FROM conversations AS c
         WHERE c.id = %(conversation_id)s
           AND NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id)
        """,
        conversation_id=conversation_id,
    )
    if removed:
        await emit(tx, ConversationDeleted(conversation_id))


async def _recount_closeness(tx: Tx, contact_id: ContactId) -> None:
    """How close we are to the contact, from the messages that are left."""
    await facts.retract_facts_about(tx, contact_id, predicate="interacted")
    talks = await list_conversations_of_contact(tx, contact_id)
    left = [message for talk in talks for message in await list_messages(tx, talk.id, last=TELLING_MESSAGES)]
    for message in sorted(left, key=lambda message: message.occurred_at)[-TELLING_MESSAGES:]:
        await facts.record_interaction(
            tx,
            contact_id,
            message.id,
            occurred_at=message.occurred_at,
            seat_kind=message.author_kind if message.author_kind in ("user", "bidi") else "",
            seat_id=message.author_id if message.author_kind in ("user", "bidi") else None,
        )


async def _take_back_handle(tx: Tx, handle_id: UUID) -> None:
    """An address that a talk of its own has come in by since stays: the next message must find its contact."""
    await tx.execute(
        """
        DELETE FROM contact_handles AS h
         WHERE h.id = %(handle_id)s
           AND NOT EXISTS (
               SELECT FROM conversations c
                WHERE c.contact_id = h.contact_id
                  AND c.external_id = h.value)
        """,
        handle_id=handle_id,
    )


async def _take_back_contact(tx: Tx, contact_id: ContactId) -> None:
    """Raises: ForeignKeyViolation when a talk, a deal, a task or anything else belongs to the contact."""
    await facts.retract_facts_about(tx, contact_id)
    await tx.execute("DELETE FROM contact_handles WHERE contact_id = %(contact_id)s", contact_id=contact_id)
    await tx.execute("DELETE FROM contacts WHERE id = %(contact_id)s", contact_id=contact_id)
    await emit(tx, ContactDeleted(contact_id))
