"""Asking for a verification of the chain, and keeping what it found."""

from uuid import UUID

from core import clock
from core.db import Tx
from core.ids import uuid7
from crm.audit.models import Verification
from crm.audit.queries import READ, find_last_verification, get_verification
from crm.audit.verifying import Fault, Verdict
from events import due
from events.ids import AuditVerificationId
from events.outbox import emit
from events.types import AuditVerificationAsked, AuditVerified

VERIFY = "audit.verify"


async def ask_verification(tx: Tx) -> Verification:
    """Have the whole chain walked over; one that is being walked over already is not begun again.

    Raises: Forbidden.
    """
    tx.principal.require(READ)
    last = await find_last_verification(tx)
    if last is not None and last.ended_at is None:
        return last
    made = AuditVerificationId(uuid7())
    await tx.execute(
        """
        INSERT INTO audit_verifications (organization_id, id, asked_by)
        VALUES (%(organization_id)s, %(id)s, %(asked_by)s)
        """,
        organization_id=tx.organization_id,
        id=made,
        asked_by=tx.principal.id,
    )
    await due.schedule(tx, VERIFY, made, clock.now())
    await emit(tx, AuditVerificationAsked(made))
    return await get_verification(tx, made)


async def keep_verdict(tx: Tx, verification_id: UUID, verdict: Verdict) -> None:
    """What the walk found; one that was kept already stays."""
    broken = verdict.broken
    await _end(
        tx,
        verification_id,
        sealed=verdict.sealed,
        anchors=verdict.anchors,
        erased=verdict.erased,
        fault=broken.fault if broken else None,
        position=broken.position if broken else None,
        event_id=broken.event_id if broken else None,
        line=broken.line if broken else None,
    )


async def give_up_verification(tx: Tx, verification_id: UUID) -> None:
    """The walk did not come to an end, which says nothing good about the chain."""
    nothing = dict.fromkeys(("sealed", "anchors", "erased"), 0)
    place = dict.fromkeys(("position", "event_id", "line"))
    await _end(tx, verification_id, **nothing, fault=Fault.NOT_DONE, **place)


async def _end(tx: Tx, verification_id: UUID, **found: object) -> None:
    ended = await tx.execute(
        """
        UPDATE audit_verifications
           SET ended_at = now(), sealed = %(sealed)s, anchors = %(anchors)s, erased = %(erased)s, fault = %(fault)s,
               position = %(position)s, event_id = %(event_id)s, line = %(line)s
         WHERE id = %(id)s
           AND ended_at IS NULL
        """,
        id=verification_id,
        **found,
    )
    if ended:
        await emit(tx, AuditVerified(AuditVerificationId(verification_id)))
