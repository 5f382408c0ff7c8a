"""Reading promises."""

from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.promises.models import Promise, PromiseStatus
from events.ids import ContactId, ConversationId, PromiseId

_PROMISE: LiteralString = """
        SELECT p.id, p.conversation_id, c.id AS contact_id, c.name AS contact_name, p.message_id, p.is_ours, p.quote,
               m.occurred_at AS made_at, p.due_at, p.status, p.kept_message_id, p.noted_at, p.run_id
          FROM promises p
          JOIN conversations v ON (v.organization_id, v.id) = (p.organization_id, p.conversation_id)
          JOIN contacts c ON (c.organization_id, c.id) = (v.organization_id, v.contact_id)
          JOIN messages m ON (m.organization_id, m.id) = (p.organization_id, p.message_id)
"""


async def get_promise(tx: Tx, promise_id: PromiseId, *, lock: bool = False) -> Promise:
    """Raises: NotFound."""
    tx.principal.require("conversations:read")
    if lock:
        await tx.execute("SELECT FROM promises WHERE id = %(promise_id)s FOR UPDATE", promise_id=promise_id)
    return await tx.one(Promise, _PROMISE + " WHERE p.id = %(promise_id)s", promise_id=promise_id)


async def list_promises(
    tx: Tx,
    *,
    status: PromiseStatus | None = None,
    conversation_id: ConversationId | None = None,
    contact_id: ContactId | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Promise]:
    """Promises of both sides, the last noted first."""
    tx.principal.require("conversations:read")
    size = page_size(limit)
    found = await tx.all(
        Promise,
        _PROMISE
        + """
         WHERE (%(status)s::text IS NULL OR p.status = %(status)s)
           AND (%(conversation_id)s::uuid IS NULL OR p.conversation_id = %(conversation_id)s)
           AND (%(contact_id)s::uuid IS NULL OR v.contact_id = %(contact_id)s)
           AND (%(before)s::uuid IS NULL OR p.id < %(before)s)
         ORDER BY p.id DESC
         LIMIT %(limit)s
        """,
        status=status,
        conversation_id=conversation_id,
        contact_id=contact_id,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda promise: encode_cursor(promise.id))


async def list_open_promises(tx: Tx, conversation_id: ConversationId) -> list[Promise]:
    """What both sides of a conversation still have to do, what is due first at the top."""
    tx.principal.require("conversations:read")
    return await tx.all(
        Promise,
        _PROMISE
        + """
         WHERE p.conversation_id = %(conversation_id)s
           AND p.status = 'open'
         ORDER BY p.due_at, p.id
        """,
        conversation_id=conversation_id,
    )
