"""A commission: a part of a won deal that is a partner's."""

from dataclasses import dataclass
from datetime import datetime

from events.ids import BidiId, CommissionId, DealId


@dataclass(frozen=True)
class Commission:
    """What is owed for one deal, whose name is empty where it may not be seen; `amount_minor` and `basis_points` are as they were when it was won."""

    id: CommissionId
    deal_id: DealId
    deal: str
    bidi_id: BidiId
    partner: str
    amount_minor: int
    currency: str
    basis_points: int
    commission_minor: int
    won_at: datetime
    taken_back_at: datetime | None


@dataclass(frozen=True)
class Total:
    """What stands in one currency: how many deals, worth what, and what of it is the partners'."""

    currency: str
    count: int
    amount_minor: int
    commission_minor: int
