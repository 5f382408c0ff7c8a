"""Giving a partner their part of a deal that was won, and taking it back when the deal is not won any more.

It is the partner's whose deal it is at that moment: on whose external seat the deal stands, or else on whose seat its owner
sits. Whose contact it is does not count: a contact has many deals, and who sold this one is who is paid. What was owed stays as
it was then: a later amount, rate or owner changes nothing, unless the deal is opened and won again.
"""

from dataclasses import dataclass
from datetime import datetime

from core import clock
from core.db import Tx
from core.ids import uuid7
from crm.bidi.partners import WHOLE
from events.ids import BidiId, CommissionId, DealId
from events.outbox import emit
from events.types import CommissionEarned, CommissionTakenBack


@dataclass(frozen=True)
class _Won:
    """A deal that is won, and the partner whose it is."""

    bidi_id: BidiId
    basis_points: int
    amount_minor: int
    currency: str
    won_at: datetime


async def follow_deal(tx: Tx, deal_id: DealId) -> None:
    """Bring the commission of a deal into step with whether it is won; a second call changes nothing."""
    # one at a time, or two that follow the same deal would both find none
    await tx.execute("SELECT FROM deals WHERE id = %(deal_id)s FOR NO KEY UPDATE", deal_id=deal_id)
    is_won = await tx.value(
        """
        SELECT d.closed_at
          FROM deals d
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE d.id = %(deal_id)s
           AND s.outcome = 'won'
           AND d.deleted_at IS NULL
        """,
        deal_id=deal_id,
    )
    standing = await tx.value(
        "SELECT won_at FROM commissions WHERE deal_id = %(deal_id)s AND taken_back_at IS NULL",
        deal_id=deal_id,
    )
    if standing is not None and standing != is_won:
        await _take_back(tx, deal_id)
        standing = None
    if is_won is not None and standing is None:
        won = await _find_won(tx, deal_id)
        if won is not None:
            await _earn(tx, deal_id, won)


async def _find_won(tx: Tx, deal_id: DealId) -> _Won | None:
    return await tx.find(
        _Won,
        """
        SELECT b.id AS bidi_id, b.commission_basis_points AS basis_points, d.amount_minor, d.currency,
               d.closed_at AS won_at
          FROM deals d
          LEFT JOIN members m ON m.organization_id = d.organization_id AND m.id = d.owner_id
          JOIN bidi b ON b.organization_id = d.organization_id
                     AND b.kind = 'external'
                     AND b.commission_basis_points IS NOT NULL
                     AND (b.id = d.bidi_id OR (b.user_id = m.user_id AND b.archived_at IS NULL))
         WHERE d.id = %(deal_id)s
         ORDER BY b.id IS DISTINCT FROM d.bidi_id
         LIMIT 1
        """,
        deal_id=deal_id,
    )


async def _earn(tx: Tx, deal_id: DealId, won: _Won) -> None:
    commission_id, owed = CommissionId(uuid7()), part_of(won.amount_minor, won.basis_points)
    await tx.execute(
        """
        INSERT INTO commissions (organization_id, id, deal_id, bidi_id, amount_minor, currency, basis_points,
                                 commission_minor, won_at)
        VALUES (%(organization_id)s, %(id)s, %(deal_id)s, %(bidi_id)s, %(amount_minor)s, %(currency)s, %(basis_points)s,
                %(commission_minor)s, %(won_at)s)
        """,
        organization_id=tx.organization_id,
        id=commission_id,
        deal_id=deal_id,
        bidi_id=won.bidi_id,
        amount_minor=won.amount_minor,
        currency=won.currency,
        basis_points=won.basis_points,
        commission_minor=owed,
        won_at=won.won_at,
    )
    changes: dict[str, tuple[object, object]] = {
        "amount_minor": (None, won.amount_minor),
        "currency": (None, won.currency),
        "commission_minor": (None, owed),
    }
    await emit(tx, CommissionEarned(commission_id, deal_id, won.bidi_id), changes)


def part_of(amount_minor: int, basis_points: int) -> int:
    """A part of an amount in its smallest unit; a half is rounded up."""
    return (amount_minor * basis_points * 2 + WHOLE) // (WHOLE * 2)


async def _take_back(tx: Tx, deal_id: DealId) -> None:
    taken = await tx.find(
        _Taken,
        """
        UPDATE commissions
           SET taken_back_at = %(now)s
         WHERE deal_id = %(deal_id)s
           AND taken_back_at IS NULL
        RETURNING id, bidi_id, commission_minor
        """,
        now=clock.now(),
        deal_id=deal_id,
    )
    if taken is not None:
        changes: dict[str, tuple[object, object]] = {"commission_minor": (taken.commission_minor, None)}
        await emit(tx, CommissionTakenBack(taken.id, deal_id, taken.bidi_id), changes)


@dataclass(frozen=True)
class _Taken:
    id: CommissionId
    bidi_id: BidiId
    commission_minor: int
