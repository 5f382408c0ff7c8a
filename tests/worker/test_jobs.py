"""What was claimed and never ended: work waits for workers however long, and a job that kills them is found out."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.db import Database, Tx
from core.principal import Principal
from core.settings import Settings
from events import outbox
from events.outbox import Delivery
from tests.support.working import EVERYTHING
from tests.support.world import make_world
from worker import services as worker_services
from worker.jobs import SUSPECT_CLAIMS, InTx, Job, Outside, Postpone, carry_out
from worker.services import Services

HANDLER = "evaluate_triggers"


class Killed(BaseException):
    """Stands for SIGKILL in the middle of a job: nothing of it goes on, not even what counts failures."""


async def count_nothing(services: Services, tx: Tx, job: Job) -> None:
    """A handler that comes to its end."""


async def kill_the_worker(services: Services, tx: Tx, job: Job) -> None:
    raise Killed


async def fail(services: Services, tx: Tx, job: Job) -> None:
    raise ValueError


async def wait_as_told(job: Job) -> Postpone:
    """A channel that asks for a pause every time."""
    return Postpone(timedelta(0), "flood wait")


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


@pytest.fixture
async def owner(database: Database, worker_database: Database, organization: Principal) -> Principal:
    """Of an organization that somebody has written to."""
    world = await make_world(database, organization)
    await world.receive("hello")
    async with worker_database.across_tenants("test") as connection:
        await outbox.route(connection, {"message.received": (HANDLER,)}, EVERYTHING)
    return organization


async def _claim(services: Services, owner: Principal) -> Delivery | None:
    """The relay hands the delivery out, its earlier claim having run out; None when it is done or buried."""
    async with services.db.transaction(owner, "test") as tx:
        await tx.execute(
            "UPDATE event_deliveries SET lease_until = NULL, due_at = now() WHERE organization_id = %(ours)s",
            ours=tx.organization_id,
        )
    async with services.db.across_tenants("test") as connection:
        claimed = await outbox.claim(connection, EVERYTHING, 30)
    ours = [each for each in claimed if each.organization_id == owner.organization_id]
    return next((each for each in ours if each.handler == HANDLER), None)


async def _status(services: Services, owner: Principal) -> str | None:
    async with services.db.transaction(owner, "test") as tx:
        found: str | None = await tx.value(
            "SELECT status FROM event_deliveries WHERE organization_id = %(ours)s AND handler = %(handler)s",
            ours=tx.organization_id,
            handler=HANDLER,
        )
    return found


async def test_work_that_was_handed_out_a_hundred_times_while_no_worker_was_there_is_done(
    services: Services, owner: Principal
) -> None:
    claimed = None
    for _ in range(100):
        claimed = await _claim(services, owner)
    assert claimed is not None

    await carry_out(services, claimed, InTx(count_nothing))

    assert await _status(services, owner) is None


async def test_a_job_that_kills_its_worker_ends_in_the_dead_letters(
    services: Services, owner: Principal
) -> None:
    kills = 0
    for _ in range(SUSPECT_CLAIMS + services.settings.max_attempts + 2):
        claimed = await _claim(services, owner)
        if claimed is None:
            break
        try:
            await carry_out(services, claimed, InTx(kill_the_worker))
        except Killed:
            kills += 1

    assert await _status(services, owner) == "dead"
    assert SUSPECT_CLAIMS < kills <= SUSPECT_CLAIMS + services.settings.max_attempts


async def test_a_job_that_is_told_to_wait_a_hundred_times_waits_on(
    services: Services, owner: Principal
) -> None:
    for _ in range(100):
        claimed = await _claim(services, owner)
        assert claimed is not None
        await carry_out(services, claimed, Outside(wait_as_told))

    assert await _status(services, owner) == "open"


async def test_a_job_that_waited_long_for_a_worker_may_fail_as_often_as_any_other(
    services: Services, owner: Principal
) -> None:
    for _ in range(100):
        await _claim(services, owner)
    failures = 0
    while (claimed := await _claim(services, owner)) is not None:
        await carry_out(services, claimed, InTx(fail))
        failures += 1

    assert await _status(services, owner) == "dead"
    assert failures == services.settings.max_attempts
