"""Events are delivered if and only if they are committed, in order per subject, to one holder at a time."""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from events import leases, outbox
from events.ids import ContactId
from events.outbox import Delivery, emit
from events.types import ContactCreated, ContactUpdated
from tests.support.working import EVERYTHING

ROUTES: dict[str, Sequence[str]] = {"contact.created": ("first", "second"), "contact.updated": ("first",)}


async def _deliver_all(db: Database, organization_id: UUID) -> list[Delivery]:
    """Route and claim until nothing is left, settling at once; returns the organization's deliveries in order."""
    taken: list[Delivery] = []
    while True:
        async with db.across_tenants("test") as connection:
            routed = await outbox.route(connection, ROUTES, EVERYTHING)
            claimed = await outbox.claim(connection, EVERYTHING, 30)
        for delivery in claimed:
            principal = Principal("system", uuid7(), delivery.organization_id)  # type: ignore[arg-type]
            async with db.transaction(principal, "test") as tx:
                await leases.settle(tx, delivery.lease)
        taken += [delivery for delivery in claimed if delivery.organization_id == organization_id]
        if not routed and not claimed:
            return taken


async def test_an_event_reaches_every_handler_of_its_route(
    database: Database, worker_database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await emit(tx, ContactCreated(ContactId(uuid7())))

    taken = await _deliver_all(worker_database, organization.organization_id)

    assert sorted(delivery.handler for delivery in taken) == ["first", "second"]


async def test_a_rolled_back_event_was_never_there(
    database: Database, worker_database: Database, organization: Principal
) -> None:
    try:
        async with database.transaction(organization, "test") as tx:
            await emit(tx, ContactCreated(ContactId(uuid7())))
            raise RuntimeError("the action fails after it emitted")
    except RuntimeError:
        pass

    assert await _deliver_all(worker_database, organization.organization_id) == []


async def test_a_delivery_waits_until_the_one_before_it_is_settled(
    database: Database, worker_database: Database, organization: Principal
) -> None:
    contact_id = ContactId(uuid7())
    for _ in range(2):
        async with database.transaction(organization, "test") as tx:
            await emit(tx, ContactUpdated(contact_id))

    claimed = []
    for _ in range(3):
        async with worker_database.across_tenants("test") as connection:
            await outbox.route(connection, ROUTES, EVERYTHING)
            claimed += [
                d
                for d in await outbox.claim(connection, EVERYTHING, 30)
                if d.organization_id == organization.organization_id
            ]

    assert len(claimed) == 1
    assert len(await _rest_after_settling(worker_database, organization, claimed[0])) == 1


async def _rest_after_settling(db: Database, organization: Principal, delivery: Delivery) -> list[Delivery]:
    async with db.transaction(organization, "test") as tx:
        assert await leases.settle(tx, delivery.lease)
    return await _deliver_all(db, organization.organization_id)


async def test_an_older_fence_cannot_settle(
    database: Database, worker_database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await emit(tx, ContactUpdated(ContactId(uuid7())))
    async with worker_database.across_tenants("test") as connection:
        await outbox.route(connection, ROUTES, EVERYTHING)
        stalled = next(
            d
            for d in await outbox.claim(connection, EVERYTHING, 0)
            if d.organization_id == organization.organization_id
        )
    await asyncio.sleep(0.01)
    async with worker_database.across_tenants("test") as connection:
        holder = next(
            d
            for d in await outbox.claim(connection, EVERYTHING, 30)
            if d.organization_id == organization.organization_id
        )

    async with worker_database.transaction(organization, "test") as tx:
        assert not await leases.begin(tx, stalled.lease, 30)
        assert not await leases.settle(tx, stalled.lease)
        assert await leases.settle(tx, holder.lease)


async def test_concurrent_writers_lose_nothing_and_keep_the_order(
    database: Database, worker_database: Database, organization: Principal
) -> None:
    subjects = [ContactId(uuid7()) for _ in range(3)]
    random.seed(7)

    async def write(number: int) -> None:
        for _ in range(10):
            async with database.transaction(organization, "test") as tx:
                await emit(tx, ContactUpdated(random.choice(subjects)))
                await asyncio.sleep(random.random() / 200)

    await asyncio.gather(*(write(number) for number in range(8)))
    taken = await _deliver_all(worker_database, organization.organization_id)

    assert len(taken) == 80
    async with database.transaction(organization, "test") as tx:
        order = [await outbox.get_event(tx, delivery.event_id) for delivery in taken]
    for subject in subjects:
        seqs = [event.seq for event in order if event.subject_id == subject]
        assert seqs == sorted(seqs)
