"""Tasks: what is due first comes first, done once is done, and whoever has one to do is told in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.db import Database, Tx
from core.errors import Conflict, Forbidden, Stale, Unprocessable
from core.ids import uuid7
from core.principal import Principal
from crm.bidi.queries import find_own_member
from crm.contacts.actions import create_contact
from crm.contacts.models import Contact, NewContact
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.identity.models import Role
from crm.pipelines.actions import create_pipeline
from crm.pipelines.queries import list_stages
from crm.records.models import RecordRef
from crm.tasks.actions import complete_task, create_task, remove_task, reopen_task, restore_task, update_task
from crm.tasks.models import NewTask, Priority, TaskEdit, TaskFilter, TaskStatus
from crm.tasks.queries import get_task, list_due_tasks, list_open_tasks, list_record_tasks, list_tasks
from events.ids import MemberId, RecordKind, RunId, TaskId
from tests.support.changes import changes_of
from tests.support.organizations import add_member

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def about(contact: Contact) -> RecordRef:
    return RecordRef(RecordKind.CONTACT, contact.id)


async def scheduled(tx: Tx, task_id: TaskId) -> dict[str, datetime]:
    """What is to come of a task, by kind."""

    class Row:
        def __init__(self, kind: str, due_at: datetime) -> None:
            self.kind, self.due_at = kind, due_at

    query = "SELECT kind, due_at FROM due_work WHERE subject_id = %(task_id)s"
    return {row.kind: row.due_at for row in await tx.all(Row, query, task_id=task_id)}


async def test_open_tasks_come_in_the_order_they_are_due(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        someday = await create_task(tx, NewTask("Someday", about(anna)))
        later = await create_task(tx, NewTask("Later", about(anna), due_at=NOON + timedelta(days=1)))
        soon = await create_task(tx, NewTask("Soon", about(anna), due_at=NOON))
        await create_task(tx, NewTask("Unrelated"))

        tasks = await list_open_tasks(tx, anna.id)

        assert [task.id for task in tasks] == [soon.id, later.id, someday.id]
        assert [task.record_name for task in tasks] == ["Anna"] * 3
        assert len((await list_tasks(tx)).items) == 4


async def test_the_tasks_of_a_contact_include_those_of_their_deals(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        stage = (await list_stages(tx, (await create_pipeline(tx, "Sales")).id))[0]
        deal = await create_deal(tx, NewDeal("40 scanners", stage.id, contact_id=anna.id))
        task = await create_task(tx, NewTask("Send the offer", RecordRef(RecordKind.DEAL, deal.id)))

        assert [(one.id, one.record_name) for one in await list_open_tasks(tx, anna.id)] == [
            (task.id, "40 scanners")
        ]
        assert await list_record_tasks(tx, about(anna)) == []


async def test_a_task_is_completed_once_and_reopened(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        task = await create_task(tx, NewTask("Call", about(anna)))
        with clock.frozen(NOON):
            first = await complete_task(tx, task.id)
        second = await complete_task(tx, task.id)

        assert first.done_at == second.done_at == NOON
        assert await list_open_tasks(tx, anna.id) == []
        assert (await reopen_task(tx, task.id)).done_at is None
        assert [event.type for event in await changes_of(tx, task.id)] == [
            "task.created",
            "task.completed",
            "task.reopened",
        ]


async def test_a_task_names_its_author_and_run_and_falls_to_its_author(
    database: Database, organization: Principal
) -> None:
    run_id = RunId(uuid7())

    async with database.transaction(organization.in_run(run_id), "test") as tx:
        task = await create_task(tx, NewTask("Call"))

        assert (task.created_by_kind, task.created_by_id, task.run_id) == ("user", organization.id, run_id)
        assert task.assignee_id == await find_own_member(tx)


@pytest.mark.parametrize(
    "wrong",
    [
        NewTask("  "),
        NewTask("x" * 301),
        NewTask("Call", RecordRef(RecordKind.CONTACT, uuid7())),
        NewTask("Call", RecordRef(RecordKind.LEAD, uuid7())),
        NewTask("Call", assignee_id=MemberId(uuid7())),
    ],
)
async def test_a_task_that_cannot_be_is_refused(
    database: Database, organization: Principal, wrong: NewTask
) -> None:
    async with database.transaction(organization, "test") as tx:
        with pytest.raises(Unprocessable):
            await create_task(tx, wrong)


async def test_an_edit_records_what_it_changed_and_checks_the_version(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        task = await create_task(tx, NewTask("Call", about(anna), due_at=NOON))
        edit = TaskEdit(title=" Write ", priority=Priority.HIGH, record=None, due_at=None)

        updated = await update_task(tx, task.id, edit, version=1)
        again = await update_task(tx, task.id, edit, version=2)

        assert (updated.title, updated.priority, updated.record, updated.due_at) == (
            "Write",
            "high",
            None,
            None,
        )
        assert again.version == updated.version == 2
        assert (await changes_of(tx, task.id))[-1].changes.keys() == {
            "title", "priority", "record_kind", "record_id", "due_at"
        }  # fmt: skip
        with pytest.raises(Stale):
            await update_task(tx, task.id, edit, version=1)


async def test_who_is_given_a_task_is_to_be_told_and_who_takes_it_is_not(
    database: Database, organization: Principal
) -> None:
    milo = await add_member(database, organization, Role.BIDI)
    async with database.transaction(milo, "test") as tx:
        his = await find_own_member(tx)
    async with database.transaction(organization, "test") as tx:
        given = await create_task(tx, NewTask("Call", assignee_id=his))
        taken = await update_task(
            tx, given.id, TaskEdit(assignee_id=await find_own_member(tx)), version=given.version
        )

        assert taken.assignee_id != his
        assert [event.type for event in await changes_of(tx, given.id)] == [
            "task.created",
            "task.assigned",
            "task.updated",
        ]


async def test_what_is_to_come_of_a_task_follows_it(database: Database, organization: Principal) -> None:
    later = NOON + timedelta(days=1)
    async with database.transaction(organization, "test") as tx:
        task = await create_task(tx, NewTask("Call", due_at=later, remind_at=NOON))
        assert await scheduled(tx, task.id) == {"task.due": later, "task.remind": NOON}

        moved = await update_task(tx, task.id, TaskEdit(due_at=NOON, remind_at=None), version=1)
        assert await scheduled(tx, task.id) == {"task.due": NOON}

        for leave, come_back in ((complete_task, reopen_task), (remove_task, restore_task)):
            await leave(tx, moved.id)
            assert await scheduled(tx, task.id) == {}
            await come_back(tx, moved.id)
            assert await scheduled(tx, task.id) == {"task.due": NOON}


async def test_a_removed_task_is_on_no_list_and_cannot_be_changed(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        task = await create_task(tx, NewTask("Call", about(anna)))

        removed = await remove_task(tx, task.id)

        assert (
            (await list_tasks(tx)).items
            == await list_due_tasks(tx)
            == await list_open_tasks(tx, anna.id)
            == []
        )
        with pytest.raises(Conflict, match="restore"):
            await complete_task(tx, task.id)
        with pytest.raises(Conflict, match="restore"):
            await update_task(tx, task.id, TaskEdit(title="Write"), version=removed.version)
        assert (await restore_task(tx, task.id)).removed_at is None
        assert (await get_task(tx, task.id)).version == 3


async def test_lists_are_filtered(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        anna = await create_contact(tx, NewContact("Anna"))
        due = await create_task(tx, NewTask("Due", about(anna), due_at=NOON))
        done = await create_task(tx, NewTask("Done"))
        await complete_task(tx, done.id)
        mine = await find_own_member(tx)

        found = {
            name: [task.title for task in (await list_tasks(tx, wanted)).items]
            for name, wanted in {
                "open": TaskFilter(TaskStatus.OPEN),
                "done": TaskFilter(TaskStatus.DONE),
                "mine": TaskFilter(assignee_id=mine),
                "anna": TaskFilter(record=about(anna)),
                "before": TaskFilter(due_before=NOON + timedelta(seconds=1)),
                "nobody": TaskFilter(assignee_id=MemberId(uuid7())),
            }.items()
        }

        assert found == {
            "open": ["Due"], "done": ["Done"], "mine": ["Done", "Due"], "anna": ["Due"], "before": ["Due"], "nobody": []
        }  # fmt: skip
        assert [task.id for task in await list_due_tasks(tx, mine)] == [due.id]


async def test_who_only_reads_changes_nothing(database: Database, organization: Principal) -> None:
    async with database.transaction(organization, "test") as tx:
        task = await create_task(tx, NewTask("Call"))
    reader = replace(organization, scopes=frozenset({"tasks:read"}))

    async with database.transaction(reader, "test") as tx:
        for change in (complete_task, reopen_task, remove_task, restore_task):
            with pytest.raises(Forbidden):
                await change(tx, task.id)
