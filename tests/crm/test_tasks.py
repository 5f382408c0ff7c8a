"""Tasks: what is due first comes first, and done once is done."""

from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.db import Database
from core.errors import NotFound, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.tasks.actions import complete_task, create_task
from crm.tasks.queries import list_open_tasks, list_tasks
from events.ids import ContactId, RunId
from tests.support.changes import changes_of

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


async def test_open_tasks_come_in_the_order_they_are_due(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        someday = await create_task(tx, "Someday", contact_id=anna.id)
        later = await create_task(tx, "Later", contact_id=anna.id, due_at=NOON + timedelta(days=1))
        soon = await create_task(tx, "Soon", contact_id=anna.id, due_at=NOON)
        await create_task(tx, "Unrelated")

        tasks = await list_open_tasks(tx, anna.id)

        assert [task.id for task in tasks] == [soon.id, later.id, someday.id]
        assert len((await list_tasks(tx)).items) == 4


async def test_a_task_is_completed_once(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        task = await create_task(tx, "Call", contact_id=anna.id)
        with clock.frozen(NOON):
            first = await complete_task(tx, task.id)

        second = await complete_task(tx, task.id)

        assert first.done_at == second.done_at == NOON
        assert await list_open_tasks(tx, anna.id) == []
        assert [event.type for event in await changes_of(tx, task.id)] == ["task.created", "task.completed"]


async def test_a_task_names_its_author_and_run(database: Database, organization: Principal) -> None:
    run_id = RunId(uuid7())

    async with database.transaction(organization.in_run(run_id), "test") as tx:
        task = await create_task(tx, "Call")

        assert (task.created_by_kind, task.created_by_id, task.run_id) == ("user", organization.id, run_id)


async def test_a_task_without_title_or_for_nobody_known_is_refused(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_task(tx, "  ")
        with pytest.raises(NotFound):
            await create_task(tx, "Call", contact_id=ContactId(uuid7()))
