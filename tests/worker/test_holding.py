"""A lease is held through moments without a database, and is not held for ever without one."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from core import clock
from core.db import Database, Tx
from core.errors import Unavailable
from core.ids import uuid7
from core.principal import Principal
from events import due
from events.leases import Lease
from worker.holding import hold

SECONDS = 3.0
# Of nothing that the routes know, so that no other test takes it.
KIND = "test.hold"


@dataclass
class Shaky:
    """A database that is away when a test says so; the faults are those of the real one."""

    db: Database
    principal: Principal
    is_away: bool = False
    renewed: int = 0
    faults: list[Exception] = field(
        default_factory=lambda: [Unavailable("away"), psycopg.OperationalError("gone"), OSError("reset")]
    )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        if self.is_away:
            self.faults.append(fault := self.faults.pop(0))
            raise fault
        async with self.db.transaction(self.principal, "test") as tx:
            yield tx
        self.renewed += 1


@pytest.fixture
def shaky(worker_database: Database, organization: Principal) -> Shaky:
    return Shaky(worker_database, organization)


@pytest.fixture
async def lease(shaky: Shaky) -> Lease:
    subject_id = uuid7()
    async with shaky.db.transaction(shaky.principal, "test") as tx:
        await due.schedule(tx, KIND, subject_id, clock.now())
    async with shaky.db.across_tenants("test") as connection:
        claimed = await due.claim(connection, [KIND], 1000, SECONDS)
    return next(work.lease for work in claimed if work.subject_id == subject_id)


async def test_a_lease_is_held_through_a_hiccup_of_the_database(shaky: Shaky, lease: Lease) -> None:
    holding = asyncio.create_task(hold(lease, shaky.transaction, SECONDS))
    shaky.is_away = True
    await asyncio.sleep(SECONDS / 2)
    shaky.is_away = False
    await asyncio.sleep(SECONDS)

    async with shaky.db.transaction(shaky.principal, "test") as tx:
        is_leased = await tx.value("SELECT lease_until > now() FROM due_work WHERE id = %(id)s", id=lease.id)
    assert (holding.done(), is_leased, shaky.renewed > 0) == (False, True, True)
    holding.cancel()


async def test_without_a_database_it_is_let_go_when_it_ends(shaky: Shaky, lease: Lease) -> None:
    shaky.is_away = True
    began = time.monotonic()

    await asyncio.wait_for(hold(lease, shaky.transaction, SECONDS), SECONDS * 3)

    assert time.monotonic() - began >= SECONDS * 0.9


async def test_it_is_let_go_when_somebody_else_has_it(shaky: Shaky, lease: Lease) -> None:
    async with shaky.db.transaction(shaky.principal, "test") as tx:
        await tx.execute("UPDATE due_work SET fence = fence + 1 WHERE id = %(id)s", id=lease.id)

    await asyncio.wait_for(hold(lease, shaky.transaction, SECONDS), SECONDS * 3)
