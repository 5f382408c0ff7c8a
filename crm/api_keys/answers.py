"""What was answered to calls that carry an idempotency key: claimed before the work, saved with it, then replayed.

A claim is a row with a lease. Whoever dies holding one has done nothing: the answer is saved in the transaction of the
effect, so that both are there or neither is, and the next call under the key does the work once the lease has ended.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core import clock, crypto
from core.db import Tx
from core.errors import Conflict, Unprocessable
from events import due

KEPT = timedelta(hours=48)
FORGET = "answers.forget"
_SWEPT_EVERY = timedelta(hours=1)


class InProgress(Conflict):
    """A call under this key is still being worked on."""

    code = "in_progress"


class KeyReused(Unprocessable):
    """The key belongs to a call that said something else."""

    code = "idempotency_key_reused"


@dataclass(frozen=True)
class Claim:
    """The right to work on one call; a later claim of the same key takes it away."""

    caller_id: UUID
    key: str
    fence: int


@dataclass(frozen=True)
class Answer:
    """An answer as it was sent."""

    status: int
    media_type: str
    text: str


@dataclass(frozen=True)
class _Held:
    """What stands under a key that cannot be claimed."""

    fingerprint: bytes
    status: int | None
    media_type: str | None
    content: bytes | None


async def claim(
    tx: Tx, caller_id: UUID, key: str, fingerprint: bytes, *, lease_seconds: float, sealing_key: str
) -> Claim | Answer:
    """Take the key for this call, or find what was answered to it before.

    Raises: InProgress while somebody else works on it; KeyReused when it was another call's.
    """
    fence = await tx.value(
        """
        INSERT INTO saved_answers AS a (organization_id, caller_id, key, fingerprint, lease_until, claimed_at)
        VALUES (%(organization_id)s, %(caller_id)s, %(key)s, %(fingerprint)s,
                now() + make_interval(secs => %(lease_seconds)s), %(now)s)
        ON CONFLICT (organization_id, caller_id, key) DO UPDATE
           SET fingerprint = EXCLUDED.fingerprint, lease_until = EXCLUDED.lease_until, claimed_at = EXCLUDED.claimed_at,
               fence = a.fence + 1, status = NULL, media_type = NULL, content = NULL
         WHERE a.claimed_at < %(forgotten_before)s
            OR (a.status IS NULL AND a.lease_until < now() AND a.fingerprint = EXCLUDED.fingerprint)
        RETURNING fence
        """,
        organization_id=tx.organization_id,
        caller_id=caller_id,
        key=key,
        fingerprint=fingerprint,
        lease_seconds=lease_seconds,
        now=clock.now(),
        forgotten_before=clock.now() - KEPT,
    )
    if fence is not None:
        await due.schedule_sweep(tx, FORGET, keep=KEPT, every=_SWEPT_EVERY)
        return Claim(caller_id, key, fence)
    return await _answered(tx, caller_id, key, fingerprint, sealing_key)


async def _answered(tx: Tx, caller_id: UUID, key: str, fingerprint: bytes, sealing_key: str) -> Answer:
    held = await tx.find(
        _Held,
        """
        SELECT fingerprint, status, media_type, content
          FROM saved_answers
         WHERE caller_id = %(caller_id)s
           AND key = %(key)s
        """,
        caller_id=caller_id,
        key=key,
    )
    if held is not None and held.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was sent with another call; take a new key for a new call.")
    if held is None or held.status is None or held.media_type is None or held.content is None:
        raise InProgress(
            "A call with this Idempotency-Key is still being worked on; ask again.", retry_after_seconds=1
        )
    text = crypto.decrypt(sealing_key, held.content, _seal_context(tx, caller_id, key))
    return Answer(held.status, held.media_type, text)


async def save(tx: Tx, claim: Claim, answer: Answer, *, sealing_key: str) -> None:
    """Keep an answer; call it in the transaction of the effect. It may hold secrets that are shown once: it is sealed.

    Raises: Conflict when the lease ended and another call took the key: nothing of this one may stay.
    """
    saved = await tx.execute(
        """
        UPDATE saved_answers
           SET status = %(status)s, media_type = %(media_type)s, content = %(content)s
         WHERE caller_id = %(caller_id)s
           AND key = %(key)s
           AND fence = %(fence)s
           AND status IS NULL
        """,
        status=answer.status,
        media_type=answer.media_type,
        content=crypto.encrypt(sealing_key, answer.text, _seal_context(tx, claim.caller_id, claim.key)),
        caller_id=claim.caller_id,
        key=claim.key,
        fence=claim.fence,
    )
    if not saved:
        raise InProgress(
            "This took so long that a repetition took it over; ask again.", retry_after_seconds=1
        )


async def release(tx: Tx, claim: Claim) -> None:
    """Forget a claim under which nothing was done, so that the call can be repeated at once."""
    await tx.execute(
        """
        DELETE FROM saved_answers
         WHERE caller_id = %(caller_id)s
           AND key = %(key)s
           AND fence = %(fence)s
           AND status IS NULL
        """,
        caller_id=claim.caller_id,
        key=claim.key,
        fence=claim.fence,
    )


async def forget_old_answers(tx: Tx) -> int:
    """Remove what is past its time; returns how many."""
    return await tx.execute(
        "DELETE FROM saved_answers WHERE claimed_at < %(forgotten_before)s",
        forgotten_before=clock.now() - KEPT,
    )


def _seal_context(tx: Tx, caller_id: UUID, key: str) -> str:
    """What a sealed answer is bound to, so that it cannot be moved to another row."""
    return f"saved_answer {tx.organization_id} {caller_id} {key}"
