"""Reading commissions: all of them for whoever manages seats, and a partner's own."""

from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_time, encode_cursor, page_of, page_size
from crm.commissions.models import Commission, Total
from events.ids import BidiId

_OWN: LiteralString = """
           AND (%(is_whole)s OR b.user_id = %(user_id)s)
           AND (%(bidi_id)s::uuid IS NULL OR c.bidi_id = %(bidi_id)s)
"""


async def list_commissions(
    tx: Tx, *, bidi_id: BidiId | None = None, cursor: str | None = None, limit: int = 50
) -> Page[Commission]:
    """The newest first, those that were taken back too. Whoever manages seats sees all, everybody else their own.

    Raises: Unprocessable for a cursor of another list.
    """
    at, after = decode_time(cursor) if cursor else (None, None)
    size = page_size(limit)
    rows = await tx.all(
        Commission,
        """
        SELECT c.id, c.deal_id, coalesce(d.name, '') AS deal, c.bidi_id, b.name AS partner, c.amount_minor, c.currency,
               c.basis_points, c.commission_minor, c.won_at, c.taken_back_at
          FROM commissions c
          LEFT JOIN deals d ON d.organization_id = c.organization_id AND d.id = c.deal_id
          JOIN bidi b ON b.organization_id = c.organization_id AND b.id = c.bidi_id
         WHERE (%(at)s::timestamptz IS NULL OR (c.won_at, c.id) < (%(at)s, %(after)s::uuid))
        """
        + _OWN
        + """
         ORDER BY c.won_at DESC, c.id DESC
         LIMIT %(limit)s
        """,
        at=at,
        after=after,
        limit=size + 1,
        **_whose(tx, bidi_id),
    )
    return page_of(rows, size, after=lambda one: encode_cursor(one.won_at.isoformat(), one.id))


async def sum_commissions(tx: Tx, *, bidi_id: BidiId | None = None) -> list[Total]:
    """What stands, by currency, over all pages."""
    return await tx.all(
        Total,
        """
        SELECT c.currency, count(*) AS count, sum(c.amount_minor)::bigint AS amount_minor,
               sum(c.commission_minor)::bigint AS commission_minor
          FROM commissions c
          JOIN bidi b ON b.organization_id = c.organization_id AND b.id = c.bidi_id
         WHERE c.taken_back_at IS NULL
        """
        + _OWN
        + """
         GROUP BY c.currency
         ORDER BY c.currency
        """,
        **_whose(tx, bidi_id),
    )


async def is_partner(tx: Tx) -> bool:
    """Whether whoever asks sits on an external seat here."""
    found = await tx.value(
        "SELECT true FROM bidi WHERE user_id = %(user_id)s AND kind = 'external' LIMIT 1",
        user_id=tx.principal.id,
    )
    return bool(found)


def _whose(tx: Tx, bidi_id: BidiId | None) -> dict[str, object]:
    return {"is_whole": tx.principal.may("bidi:manage"), "user_id": tx.principal.id, "bidi_id": bidi_id}
