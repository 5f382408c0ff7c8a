"""Partners: people outside the company who sit on an external seat and get a part of each deal that they win."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.bidi.models import BidiKind
from crm.bidi.queries import get_bidi
from events.ids import BidiId, UserId
from events.outbox import emit
from events.types import BidiCreated, BidiUpdated

WHOLE = 10_000


@dataclass(frozen=True)
class Partner:
    """A partner's seat and rate, in hundredths of a per cent."""

    bidi_id: BidiId
    user_id: UserId
    name: str
    basis_points: int
    version: int

    @property
    def percent(self) -> str:
        """The rate as people write it: `12.5`."""
        return percent_of(self.basis_points)


def percent_of(basis_points: int) -> str:
    """`1250` as `12.5`."""
    return f"{(Decimal(basis_points) / 100).normalize():f}"


def basis_points_of(percent: str) -> int:
    """`12.5` or `12,5` as 1250. Raises: Unprocessable."""
    try:
        points = Decimal(percent.strip().removesuffix("%").strip().replace(",", ".")) * 100
    except InvalidOperation as err:
        raise Unprocessable("Write the commission in per cent, such as 12.5.", field="commission") from err
    if not points.is_finite() or points != points.to_integral_value() or not 0 <= points <= WHOLE:
        raise Unprocessable(
            "A commission is 0 to 100 per cent, with two decimals at most.", field="commission"
        )
    return int(points)


async def list_partners(tx: Tx) -> list[Partner]:
    """Everybody who sits on an external seat, by name."""
    return await tx.all(
        Partner,
        """
        SELECT id AS bidi_id, user_id, name, coalesce(commission_basis_points, 0) AS basis_points, version
          FROM bidi
         WHERE kind = 'external'
           AND user_id IS NOT NULL
           AND archived_at IS NULL
         ORDER BY name, id
        """,
    )


async def seat_partner(tx: Tx, user_id: UserId, name: str, basis_points: int) -> BidiId:
    """Give somebody who has just joined as a partner a seat of their own; one they had before becomes it."""
    bidi_id: BidiId = await tx.value(
        """
        INSERT INTO bidi AS b (organization_id, id, kind, name, user_id, responsible_user_id, commission_basis_points)
        VALUES (%(organization_id)s, %(id)s, 'external', %(name)s, %(user_id)s, %(user_id)s, %(basis_points)s)
            ON CONFLICT (organization_id, user_id) WHERE user_id IS NOT NULL AND archived_at IS NULL
            DO UPDATE SET kind = 'external', commission_basis_points = EXCLUDED.commission_basis_points,
                          version = b.version + 1
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=name[:100],
        user_id=user_id,
        basis_points=basis_points,
    )
    await emit(tx, BidiCreated(bidi_id), {"commission": (None, percent_of(basis_points))})
    return bidi_id


async def set_rate(tx: Tx, bidi_id: BidiId, basis_points: int) -> None:
    """Another rate for deals that are won from now on. Raises: Forbidden; NotFound; Conflict for another kind of seat."""
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    if bidi.kind is not BidiKind.EXTERNAL or bidi.archived_at is not None:
        raise Conflict(f"{bidi.name} is no partner; only partners get a commission.")
    before = await tx.value(
        "SELECT commission_basis_points FROM bidi WHERE id = %(bidi_id)s", bidi_id=bidi_id
    )
    if before == basis_points:
        return
    await tx.execute(
        """
        UPDATE bidi
           SET commission_basis_points = %(basis_points)s, version = version + 1
         WHERE id = %(bidi_id)s
        """,
        basis_points=basis_points,
        bidi_id=bidi_id,
    )
    changes: dict[str, tuple[object, object]] = {
        "commission": (percent_of(before or 0), percent_of(basis_points))
    }
    await emit(tx, BidiUpdated(bidi_id), changes)
