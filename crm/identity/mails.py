"""Mails of the product itself: written in the transaction of what they tell of, and sent once by the worker.

The row alone says how far a mail is: queued, attempting (committed before anything leaves), then sent, kept (there is no
mail server; the installation keeps it), failed, or unknown, which is never tried again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import clock, crypto
from core.db import Tx
from core.ids import uuid7
from crm.identity.letters import Letter
from events.ids import SystemMailId
from events.outbox import emit
from events.types import SystemMailQueued, SystemMailSettled

ATTEMPTING = "attempting"
_LONGEST_REASON = 500


@dataclass(frozen=True)
class SystemMail:
    """One attempt at a mail: all that leaves."""

    id: SystemMailId
    recipient: str
    subject: str
    text: str
    mail_id: str
    created_at: datetime


@dataclass(frozen=True)
class _Claimed:
    id: SystemMailId
    recipient: str
    subject: str
    content: bytes
    mail_id: str
    created_at: datetime


async def queue_mail(tx: Tx, recipient: str, letter: Letter, *, key: str) -> SystemMailId:
    """Have a letter sent if and only if this transaction commits; `key` seals it until then."""
    mail_id = SystemMailId(uuid7())
    await tx.execute(
        """
        INSERT INTO system_mails (organization_id, id, kind, recipient, subject, content, mail_id)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(recipient)s, %(subject)s, %(content)s, %(mail_id)s)
        """,
        organization_id=tx.organization_id,
        id=mail_id,
        kind=letter.kind,
        recipient=recipient,
        subject=letter.subject,
        content=crypto.encrypt(key, letter.text, _seal_context(tx, mail_id)),
        mail_id=f"{mail_id.hex}@system.getsale",
    )
    await emit(tx, SystemMailQueued(mail_id))
    return mail_id


async def begin_attempt(tx: Tx, mail_id: SystemMailId, *, key: str, may_repeat: bool) -> SystemMail | None:
    """Claim a queued mail; None when there is nothing to send.

    One whose attempt was begun before and never settled may have left: unless it `may_repeat`, because sending it twice
    is sending it once, it is unknown from now on.
    """
    if (
        await tx.value("SELECT status FROM system_mails WHERE id = %(id)s FOR UPDATE", id=mail_id)
        == ATTEMPTING
    ):
        if not may_repeat:
            await settle(tx, mail_id, "unknown", "The process ended while it was being sent")
            return None
        await put_back(tx, mail_id, "")
    claimed = await tx.find(
        _Claimed,
        """
        UPDATE system_mails
           SET status = 'attempting', attempts = attempts + 1
         WHERE id = %(mail_id)s
           AND status = 'queued'
        RETURNING id, recipient, subject, content, mail_id, created_at
        """,
        mail_id=mail_id,
    )
    if claimed is None:
        return None
    text = crypto.decrypt(key, claimed.content, _seal_context(tx, mail_id))
    return SystemMail(mail_id, claimed.recipient, claimed.subject, text, claimed.mail_id, claimed.created_at)


async def put_back(tx: Tx, mail_id: SystemMailId, reason: str) -> None:
    """Known not to have left: it may be tried again."""
    await tx.execute(
        "UPDATE system_mails SET status = 'queued', reason = %(reason)s WHERE id = %(mail_id)s AND status = 'attempting'",
        mail_id=mail_id,
        reason=reason[:_LONGEST_REASON],
    )


async def settle(tx: Tx, mail_id: SystemMailId, status: str, reason: str = "") -> None:
    """`sent`, `kept`, `failed` or `unknown`: the end, after which its text is nowhere here."""
    settled = await tx.execute(
        """
        UPDATE system_mails
           SET status = %(status)s, reason = %(reason)s, finished_at = %(now)s, content = NULL
         WHERE id = %(mail_id)s
           AND status IN ('queued', 'attempting')
        """,
        mail_id=mail_id,
        status=status,
        reason=reason[:_LONGEST_REASON],
        now=clock.now(),
    )
    if settled:
        await emit(tx, SystemMailSettled(mail_id))


async def list_mail_ids(tx: Tx) -> list[UUID]:
    """Every mail of the product that was ever written in this organization."""
    ids: list[UUID] = await tx.value("SELECT ARRAY(SELECT id FROM system_mails)")
    return ids


def _seal_context(tx: Tx, mail_id: SystemMailId) -> str:
    """What a sealed text is bound to, so that it cannot be moved to another row."""
    return f"system_mail {tx.organization_id} {mail_id}"
