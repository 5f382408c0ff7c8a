"""What all seats of an organization together may use in a day; each seat has its own limits besides."""

from dataclasses import asdict, dataclass

from psycopg import sql

from core.db import Tx
from core.edits import assignments, differences
from core.errors import Unprocessable
from events.ids import OrganizationId
from events.outbox import emit
from events.types import OrganizationUpdated


@dataclass(frozen=True)
class DayLimits:
    """None is no limit."""

    max_runs_a_day: int | None = None
    max_tokens_a_day: int | None = None
    max_cost_usd_micros_a_day: int | None = None


async def get_day_limits(tx: Tx, *, lock: bool = False) -> DayLimits:
    """The limits of this organization; with `lock` nobody else changes them before the transaction ends."""
    if lock:
        await tx.execute("SELECT FROM organizations FOR UPDATE")
    return await tx.one(
        DayLimits, "SELECT max_runs_a_day, max_tokens_a_day, max_cost_usd_micros_a_day FROM organizations"
    )


async def set_day_limits(tx: Tx, limits: DayLimits) -> DayLimits:
    """Put these limits in place of the former ones; a run that would go beyond hands over to a person.

    Raises: Forbidden; Unprocessable for a limit below zero.
    """
    tx.principal.require("bidi:manage")
    for name, limit in asdict(limits).items():
        if limit is not None and limit < 0:
            raise Unprocessable("A limit of a day is not below zero; leave it out for none.", field=name)
    changes = differences(await get_day_limits(tx, lock=True), asdict(limits))
    if changes:
        values = {name: after for name, (_, after) in changes.items()}
        await tx.execute(sql.SQL("UPDATE organizations SET {values}").format(values=assignments(values)))
        await emit(tx, OrganizationUpdated(OrganizationId(tx.organization_id)), changes=changes)
    return limits
