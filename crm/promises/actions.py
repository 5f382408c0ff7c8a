"""Noting promises, and seeing whether they were kept."""

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.conversations.models import Direction
from crm.conversations.queries import get_message
from crm.promises.models import DUE, GRACE, MAX_QUOTE, NewPromise, Promise, PromiseStatus
from crm.promises.queries import get_promise
from events import due
from events.ids import MessageId, PromiseId
from events.outbox import emit
from events.types import PromiseDropped, PromiseDue, PromiseKept, PromiseNoted


async def note_promise(tx: Tx, new: NewPromise) -> Promise:
    """Keep what somebody said they would do; the same words of the same message are one promise.

    Raises:
        NotFound: no such message.
        Unprocessable: the message does not say so.
    """
    tx.principal.require("facts:write")
    message = await get_message(tx, new.message_id)
    quote = " ".join(new.quote.split())[:MAX_QUOTE]
    if not quote or quote not in " ".join(message.body.split()):
        raise Unprocessable("These are not words of this message; quote it letter by letter.", field="quote")
    promise_id = await tx.value(
        """
        INSERT INTO promises (organization_id, id, conversation_id, message_id, is_ours, quote, due_at, noted_at, run_id)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(message_id)s, %(is_ours)s, %(quote)s, %(due_at)s,
                %(now)s, %(run_id)s)
        ON CONFLICT (organization_id, message_id, quote) DO NOTHING
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        conversation_id=message.conversation_id,
        message_id=message.id,
        is_ours=message.direction is Direction.OUT,
        quote=quote,
        due_at=new.due_at,
        now=clock.now(),
        run_id=tx.principal.run_id,
    )
    if promise_id is None:
        promise_id = await tx.value(
            "SELECT id FROM promises WHERE message_id = %(message_id)s AND quote = %(quote)s",
            message_id=message.id,
            quote=quote,
        )
        return await get_promise(tx, PromiseId(promise_id))
    await due.schedule(tx, DUE, promise_id, new.due_at + GRACE)
    await emit(tx, PromiseNoted(promise_id))
    return await get_promise(tx, PromiseId(promise_id))


async def keep_promise(tx: Tx, promise_id: PromiseId, message_id: MessageId | None = None) -> Promise:
    """Say that a promise was kept, by a later message of the same conversation if one shows it.

    Raises:
        NotFound: no such promise or message.
        Conflict: it was dropped.
        Unprocessable: the message stands elsewhere, or before the promise.
    """
    tx.principal.require("facts:write")
    promise = await get_promise(tx, promise_id, lock=True)
    if promise.status is PromiseStatus.KEPT:
        return promise
    _require_open(promise)
    if message_id is not None:
        message = await get_message(tx, message_id)
        if message.conversation_id != promise.conversation_id or message.occurred_at < promise.made_at:
            raise Unprocessable(
                "Only a later message of the same conversation shows that.", field="message_id"
            )
    await _close(tx, promise, PromiseStatus.KEPT, message_id)
    await emit(tx, PromiseKept(promise_id))
    return await get_promise(tx, promise_id)


async def drop_promise(tx: Tx, promise_id: PromiseId) -> Promise:
    """A person says that it need not be kept. Raises: NotFound; Conflict when it was kept."""
    tx.principal.require("facts:write")
    promise = await get_promise(tx, promise_id, lock=True)
    if promise.status is PromiseStatus.DROPPED:
        return promise
    _require_open(promise)
    await _close(tx, promise, PromiseStatus.DROPPED, None)
    await emit(tx, PromiseDropped(promise_id))
    return await get_promise(tx, promise_id)


async def _close(tx: Tx, promise: Promise, status: PromiseStatus, message_id: MessageId | None) -> None:
    await tx.execute(
        """
        UPDATE promises
           SET status = %(status)s, kept_message_id = %(message_id)s
         WHERE id = %(promise_id)s
        """,
        status=status,
        message_id=message_id,
        promise_id=promise.id,
    )
    await due.cancel(tx, DUE, promise.id)


async def note_due(tx: Tx, promise_id: PromiseId) -> None:
    """The time of a promise is over; nothing happens to one that is closed."""
    promise = await get_promise(tx, promise_id)
    if promise.status is PromiseStatus.OPEN and promise.due_at <= clock.now():
        await emit(tx, PromiseDue(promise_id))


def _require_open(promise: Promise) -> None:
    if promise.status is not PromiseStatus.OPEN:
        raise Conflict(
            f"This promise is already {promise.status}; nothing was changed.", state=promise.status
        )
