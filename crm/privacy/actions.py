"""Asking for what is known about a person, or for their erasure, and what becomes of such a request."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.contacts import erased
from crm.contacts.queries import get_contact
from crm.privacy.models import MANAGE, Request, RequestKind, RequestStatus
from crm.privacy.queries import get_request
from events import due
from events.ids import ContactId, PrivacyRequestId
from events.outbox import emit
from events.types import (
    ErasedPersonAllowed,
    PrivacyRequestCancelled,
    PrivacyRequestConfirmed,
    PrivacyRequested,
    PrivacyRequestFinished,
)

WORK, FORGET = "privacy.work", "privacy.forget"
# Source: GDPR, Article 12(3): without undue delay and within one month.
ANSWERED_WITHIN = timedelta(days=30)
FILE_KEPT = timedelta(days=7)
MAX_WHY = 500
_OPEN = frozenset({RequestStatus.LOOKING, RequestStatus.WAITING, RequestStatus.RUNNING})


async def make_request(tx: Tx, kind: RequestKind, contact_id: ContactId, why: str) -> Request:
    """Note what somebody asks for; a worker looks first at what there is.

    Raises: Forbidden; NotFound; Unprocessable without a reason; Conflict while one of the kind is open.
    """
    tx.principal.require(MANAGE)
    contact = await get_contact(tx, contact_id, lock=True)
    if not why.strip() or len(why.strip()) > MAX_WHY:
        raise Unprocessable(f"Say who asked for it and how, in at most {MAX_WHY} characters.", field="why")
    if await _is_open(tx, kind, contact_id):
        raise Conflict(f"Such a request about {contact.name} is open already.")
    made, now = PrivacyRequestId(uuid7()), clock.now()
    await tx.execute(
        """
        INSERT INTO privacy_requests (organization_id, id, kind, status, contact_id, why, asked_by, asked_at, due_at)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, 'looking', %(contact_id)s, %(why)s, %(asked_by)s, %(now)s,
                %(due_at)s)
        """,
        organization_id=tx.organization_id,
        id=made,
        kind=kind.value,
        contact_id=contact_id,
        why=why.strip(),
        asked_by=tx.principal.id,
        now=now,
        due_at=now + ANSWERED_WITHIN,
    )
    await due.schedule(tx, WORK, made, now)
    await emit(tx, PrivacyRequested(made))
    return await get_request(tx, made)


async def _is_open(tx: Tx, kind: RequestKind, contact_id: ContactId) -> bool:
    return bool(
        await tx.value(
            """
            SELECT EXISTS (
                   SELECT
                     FROM privacy_requests
                    WHERE contact_id = %(contact_id)s
                      AND kind = %(kind)s
                      AND status = ANY(%(open)s))
            """,
            contact_id=contact_id,
            kind=kind.value,
            open=[status.value for status in _OPEN],
        )
    )


async def confirm_erasure(tx: Tx, request_id: PrivacyRequestId) -> Request:
    """Begin an erasure whose reach a person has seen; there is no way back. Raises: Forbidden; NotFound; Conflict."""
    request = await get_request(tx, request_id, lock=True)
    if request.kind is not RequestKind.ERASURE or request.status is not RequestStatus.WAITING:
        raise Conflict("Only an erasure that waits for its confirmation can be confirmed.")
    await tx.execute(
        "UPDATE privacy_requests SET status = 'running', confirmed_by = %(by)s WHERE id = %(id)s",
        by=tx.principal.id,
        id=request_id,
    )
    await due.schedule(tx, WORK, request_id, clock.now())
    await emit(tx, PrivacyRequestConfirmed(request_id))
    return await get_request(tx, request_id)


async def cancel_request(tx: Tx, request_id: PrivacyRequestId) -> Request:
    """Give a request up that nothing was done for yet. Raises: Forbidden; NotFound; Conflict."""
    request = await get_request(tx, request_id, lock=True)
    if request.status not in (RequestStatus.LOOKING, RequestStatus.WAITING):
        raise Conflict("What has begun cannot be cancelled.")
    await _set(tx, request_id, RequestStatus.CANCELLED)
    await due.cancel(tx, WORK, request_id)
    await emit(tx, PrivacyRequestCancelled(request_id))
    return await get_request(tx, request_id)


# What the worker notes -------------------------------------------------------------------------------------------
async def keep_found(
    tx: Tx,
    request_id: PrivacyRequestId,
    contact_ids: list[UUID],
    found: Mapping[str, int],
    quoted: Mapping[str, int],
) -> None:
    """What there is of a person; an erasure then waits for somebody who has seen it."""
    await tx.execute(
        """
        UPDATE privacy_requests
           SET contact_ids = %(contact_ids)s, found = %(found)s, quoted = %(quoted)s,
               status = CASE WHEN kind = 'erasure' AND status = 'looking' THEN 'waiting' ELSE status END
         WHERE id = %(id)s
        """,
        id=request_id,
        contact_ids=contact_ids,
        found=Jsonb(dict(found)),
        quoted=Jsonb(dict(quoted)),
    )


async def finish_export(tx: Tx, request_id: PrivacyRequestId, blob_key: str, size_bytes: int) -> None:
    """The file is there, for a time."""
    expires_at = clock.now() + FILE_KEPT
    await tx.execute(
        """
        UPDATE privacy_requests
           SET blob_key = %(blob_key)s, size_bytes = %(size_bytes)s, expires_at = %(expires_at)s
         WHERE id = %(id)s
        """,
        id=request_id,
        blob_key=blob_key,
        size_bytes=size_bytes,
        expires_at=expires_at,
    )
    await due.schedule(tx, FORGET, request_id, expires_at)
    await _finish(tx, request_id, RequestStatus.DONE)


async def forget_file(tx: Tx, request_id: PrivacyRequestId) -> str | None:
    """Let go of the file of an export; its key, if it has one."""
    request = await get_request(tx, request_id, lock=True)
    await tx.execute(
        "UPDATE privacy_requests SET status = 'forgotten', blob_key = NULL WHERE id = %(id)s", id=request_id
    )
    return request.blob_key


async def finish_erasure(
    tx: Tx, request_id: PrivacyRequestId, left_over: Mapping[str, int], held: Mapping[str, str]
) -> None:
    """It reached every place; what is left of the person, and why."""
    await tx.execute(
        "UPDATE privacy_requests SET left_over = %(left_over)s, held = %(held)s WHERE id = %(id)s",
        id=request_id,
        left_over=Jsonb(dict(left_over)),
        held=Jsonb(dict(held)),
    )
    await _finish(tx, request_id, RequestStatus.DONE)


async def note_repeated(tx: Tx, request_id: PrivacyRequestId, contact_ids: list[UUID]) -> None:
    """Let a restored database know a request that it has forgotten."""
    await tx.execute(
        """
        INSERT INTO privacy_requests (organization_id, id, kind, status, contact_id, contact_ids, why, asked_by, due_at)
        VALUES (%(organization_id)s, %(id)s, 'erasure', 'running', %(contact_id)s, %(contact_ids)s, '', %(by)s, now())
            ON CONFLICT (organization_id, id)
            DO UPDATE SET status = 'running', contact_ids = EXCLUDED.contact_ids
        """,
        organization_id=tx.organization_id,
        id=request_id,
        contact_id=contact_ids[0],
        contact_ids=contact_ids,
        by=tx.principal.id,
    )


async def allow_again(tx: Tx, request_id: PrivacyRequestId) -> Request:
    """Let imports bring back whoever was erased by this request: a person has decided so.

    Raises: Forbidden; NotFound; Conflict when no address of theirs is kept away.
    """
    await get_request(tx, request_id, lock=True)
    if not await erased.let_back(tx, request_id):
        raise Conflict("No address of this person is kept away from imports.")
    await emit(tx, ErasedPersonAllowed(request_id))
    return await get_request(tx, request_id)


async def fail_request(tx: Tx, request_id: PrivacyRequestId) -> None:
    """It did not come to an end; whoever asked sees that."""
    await _finish(tx, request_id, RequestStatus.FAILED)


async def _finish(tx: Tx, request_id: PrivacyRequestId, status: RequestStatus) -> None:
    await _set(tx, request_id, status)
    await emit(tx, PrivacyRequestFinished(request_id))


async def _set(tx: Tx, request_id: PrivacyRequestId, status: RequestStatus) -> None:
    await tx.execute(
        "UPDATE privacy_requests SET status = %(status)s, finished_at = now() WHERE id = %(id)s",
        status=status.value,
        id=request_id,
    )
