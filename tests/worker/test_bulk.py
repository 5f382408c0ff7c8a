"""A bulk edit in the real worker: a chunk may take longer than a lease lasts."""

import asyncio
from typing import Any

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.bulk import actions as bulk
from crm.bulk.applying import apply
from crm.bulk.models import BulkStatus, Changes, NewBulkEdit
from crm.bulk.queries import get_bulk_edit
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from events import due
from events.ids import RecordKind
from tests.support.working import EVERYTHING
from worker import services as worker_services
from worker.jobs import Outside, carry_out
from worker.routes import handler_of

LEASE_SECONDS = 0.6


async def test_a_chunk_that_outlasts_its_lease_is_done_all_the_same(
    database: Database, organization: Principal, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.bulk.actions.SMALL", 0)
    async with database.transaction(organization, "test") as tx:
        people = [await create_contact(tx, NewContact(f"Person {number}")) for number in range(4)]
        new = NewBulkEdit(RecordKind.CONTACT, tuple(person.id for person in people))
        edit = await bulk.create_bulk_edit(tx, new, Changes(set={"title": "CEO"}))

    async def slowly(*given: Any) -> Any:
        await asyncio.sleep(LEASE_SECONDS / 2)
        return await apply(*given)

    monkeypatch.setattr("crm.bulk.steps.apply", slowly)
    brief = settings.model_copy(update={"lease_seconds": LEASE_SECONDS})
    async with worker_services.build(brief) as services:
        async with services.db.across_tenants("test") as connection:
            claimed = await due.claim(connection, [bulk.WORK], EVERYTHING, LEASE_SECONDS)
        (work,) = [one for one in claimed if one.organization_id == organization.organization_id]
        handler = handler_of(work)
        assert isinstance(handler, Outside)
        await carry_out(services, work, handler)

    async with database.transaction(organization, "test") as tx:
        done = await get_bulk_edit(tx, edit.id)
    assert (done.status, done.changed) == (BulkStatus.CHECKED, 4)
