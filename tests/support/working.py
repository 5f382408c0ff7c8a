"""The worker's part of a test: what follows from events, and what is due, for one organization."""

from core.principal import Principal
from events import due, outbox
from events.due import DueWork
from events.outbox import Delivery
from worker.jobs import Together, carry_out, carry_out_together
from worker.routes import handler_of, names_by_event
from worker.services import Services

# Other tests of the file share the database and leave work that nobody takes.
EVERYTHING = 100_000
# The graphs have their own test, over both stores: tests/graph/test_merged_records.py.
ELSEWHERE = {"project_merge", "project_graph"}


async def carry_out_events(services: Services, organization: Principal) -> None:
    """Carry out what follows from everything that happened in this organization so far."""
    async with services.db.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), EVERYTHING):
            pass
        claimed = await outbox.claim(connection, EVERYTHING, 30)
    for work in claimed:
        if work.organization_id == organization.organization_id and work.handler not in ELSEWHERE:
            await _carry_out(services, work)


async def carry_out_due(services: Services, organization: Principal, kind: str) -> None:
    """Carry out the work of this kind that is due in this organization."""
    async with services.db.across_tenants("test") as connection:
        claimed = await due.claim(connection, [kind], EVERYTHING, 30)
    for work in claimed:
        if work.organization_id == organization.organization_id:
            await _carry_out(services, work)


async def _carry_out(services: Services, work: Delivery | DueWork) -> None:
    handler = handler_of(work)
    assert handler is not None
    if isinstance(handler, Together):
        assert isinstance(work, Delivery)
        await carry_out_together(services, [work], handler)
    else:
        await carry_out(services, work, handler)


async def carry_out_everywhere(services: Services, handler: str) -> None:
    """Carry out what one handler has to do, in whichever organization."""
    async with services.db.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), EVERYTHING):
            pass
        await connection.execute(
            "UPDATE event_deliveries SET lease_until = NULL WHERE handler = %s AND status = 'open'",
            (handler,),
        )
        claimed = await outbox.claim(connection, EVERYTHING, 30)
    for work in claimed:
        if work.handler == handler:
            await _carry_out(services, work)
