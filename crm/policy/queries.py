"""Reading where an organization's policy is another than the product's."""

from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from crm.bidi.models import Autonomy
from crm.policy.matrix import Overrides
from crm.policy.models import Decision
from events.ids import UserId


@dataclass(frozen=True)
class Override:
    """A cell of the matrix as somebody set it."""

    rule: str
    autonomy: Autonomy
    decision: Decision
    set_by: UserId
    setter_name: str
    set_at: datetime


async def list_overrides(tx: Tx) -> list[Override]:
    """Every cell that is not as the product has it, the latest first."""
    return await tx.all(
        Override,
        """
        SELECT o.rule, o.autonomy, o.decision, o.set_by, coalesce(m.name, '') AS setter_name, o.set_at
          FROM policy_overrides o
          LEFT JOIN members m ON (m.organization_id, m.user_id) = (o.organization_id, o.set_by)
         ORDER BY o.set_at DESC, o.rule, o.autonomy
        """,
    )


async def get_overrides(tx: Tx) -> Overrides:
    """The cells that are set, by rule and autonomy, as `decide` takes them."""
    return {(one.rule, one.autonomy): one.decision for one in await list_overrides(tx)}
