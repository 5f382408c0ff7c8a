"""Whoever has something to do hears of it: from the row of due work, through the real worker, to their notifications."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core import clock
from core.addresses import Reach
from core.db import Database
from core.envelopes import Keyring
from core.ids import uuid7
from core.principal import Principal
from core.settings import Settings
from crm.approvals.queries import get_approval
from crm.approvals.turns import assign_approval, snooze_call
from crm.bidi.queries import find_own_member
from crm.conversations.actions import give_to_person, take_over
from crm.drafts.actions import reject_draft, snooze_draft
from crm.drafts.models import Draft
from crm.drafts.queries import find_pending_draft
from crm.identity.models import Role
from crm.meetings.actions import create_meeting, set_status
from crm.meetings.models import MeetingStatus, NewMeeting
from crm.notifications.actions import mark_all_read, tell_holder
from crm.notifications.models import Notification
from crm.notifications.queries import count_unread, list_notifications
from crm.runs.actions import QuietWindow, RunRequest, request_run
from crm.runs.asked_calls import reject_call
from crm.tasks.actions import complete_task, create_task
from crm.tasks.models import NewTask
from crm.webhooks.actions import create_webhook
from crm.webhooks.models import NewWebhook
from events import due, outbox
from events.due import DueWork
from events.ids import ApprovalId, ConversationId, UserId, WebhookId
from events.outbox import Delivery, emit
from events.types import WebhookDisabled
from tests.support.asking import ask_to_rename
from tests.support.organizations import add_member
from tests.support.working import EVERYTHING
from tests.support.world import World, make_world
from worker import services as worker_services
from worker.jobs import InTx, carry_out
from worker.routes import DUE, handler_of, names_by_event
from worker.services import Services

KINDS = ["task.due", "task.remind", "meeting.remind", "approval.return", "approval.escalate"]


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    async with worker_services.build(settings) as built:
        yield built


async def _work(services: Services, organization: Principal) -> None:
    """Do what has come due in the organization and what follows from it, as relay and worker would."""
    async with services.db.across_tenants("test") as connection:
        claimed: list[DueWork | Delivery] = [*await due.claim(connection, KINDS, EVERYTHING, 30)]
    await _carry_out(services, organization, claimed)
    async with services.db.across_tenants("test") as connection:
        while await outbox.route(connection, names_by_event(), EVERYTHING):
            pass
        claimed = [*await outbox.claim(connection, EVERYTHING, 30)]
    await _carry_out(services, organization, claimed)


async def _carry_out(services: Services, organization: Principal, claimed: list[DueWork | Delivery]) -> None:
    for work in claimed:
        handler = handler_of(work)
        if work.organization_id == organization.organization_id and isinstance(handler, InTx):
            await carry_out(services, work, handler)


async def _told(db: Database, person: Principal) -> list[Notification]:
    async with db.transaction(person, "test") as tx:
        return (await list_notifications(tx)).items


def test_all_that_comes_due_for_people_has_a_handler() -> None:
    assert set(KINDS) <= set(DUE)


async def test_a_task_that_is_due_is_told_once_to_who_has_it(
    database: Database, services: Services, organization: Principal
) -> None:
    milo = await add_member(database, organization, Role.BIDI)
    async with database.transaction(milo, "test") as tx:
        his = await find_own_member(tx)
    async with database.transaction(organization, "test") as tx:
        new = NewTask("Call Vera", assignee_id=his, due_at=clock.now(), remind_at=clock.now())
        task = await create_task(tx, new)

    for _ in range(2):
        await _work(services, organization)

    told = await _told(database, milo)
    assert {one.kind.value for one in told} == {"task_assigned", "task_due", "task_reminder"}
    assert {(one.subject_kind, one.subject_id, one.title, one.read_at) for one in told} == {
        ("task", task.id, "Call Vera", None)
    }
    assert len(told) == 3
    assert await _told(database, organization) == []


async def test_nobody_hears_of_what_is_not_yet_due_or_done_already(
    database: Database, services: Services, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_task(tx, NewTask("Tomorrow", due_at=clock.now() + timedelta(days=1)))
        done = await create_task(tx, NewTask("Done", due_at=clock.now()))
        await complete_task(tx, done.id)

    await _work(services, organization)

    assert await _told(database, organization) == []


async def test_a_task_that_is_done_between_claim_and_work_is_not_told(
    database: Database, services: Services, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        task = await create_task(tx, NewTask("Call Vera", due_at=clock.now()))
    async with services.db.across_tenants("test") as connection:
        claimed: list[DueWork | Delivery] = [*await due.claim(connection, KINDS, EVERYTHING, 30)]
    async with database.transaction(organization, "test") as tx:
        await complete_task(tx, task.id)

    await _carry_out(services, organization, claimed)
    await _work(services, organization)

    assert await _told(database, organization) == []


async def test_the_members_of_a_meeting_are_told_before_it_begins(
    database: Database, services: Services, organization: Principal
) -> None:
    milo = await add_member(database, organization, Role.BIDI)
    starts_at = clock.now() + timedelta(minutes=10)
    async with database.transaction(milo, "test") as tx:
        demo = NewMeeting("Demo", starts_at, starts_at + timedelta(hours=1), remind_minutes=15)
        meeting = await create_meeting(tx, demo)
        call = await create_meeting(tx, NewMeeting("Call", starts_at, starts_at + timedelta(hours=1)))
        await set_status(tx, call.id, MeetingStatus.CANCELLED)

    await _work(services, organization)

    assert [(one.kind.value, one.subject_id) for one in await _told(database, milo)] == [
        ("meeting_soon", meeting.id)
    ]


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
async def test_a_webhook_that_was_given_up_is_told_once_to_those_who_can_mend_it(
    database: Database, services: Services, organization: Principal, settings: Settings, role: Role
) -> None:
    mender = await add_member(database, organization, role)
    milo = await add_member(database, organization, Role.SUPERVISOR)
    async with database.transaction(organization, "test") as tx:
        key = settings.secret_key.get_secret_value()
        new = NewWebhook("https://hooks.example.com/1", ("*",), "Data warehouse")
        webhook = (await create_webhook(tx, new, reach=Reach(), keys=Keyring(key))).webhook
        await emit(tx, WebhookDisabled(webhook.id))

    for _ in range(2):
        await _work(services, organization)

    assert [
        (one.kind.value, one.subject_kind, one.subject_id, one.title) for one in await _told(database, mender)
    ] == [("webhook_off", "webhook", webhook.id, "Data warehouse")]
    assert await _told(database, milo) == []


async def test_a_webhook_that_was_removed_since_is_told_to_nobody(
    database: Database, services: Services, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await emit(tx, WebhookDisabled(WebhookId(uuid7())))

    await _work(services, organization)

    assert await _told(database, organization) == []


async def test_what_was_read_is_no_longer_counted(
    database: Database, services: Services, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await create_task(tx, NewTask("Call Vera", due_at=clock.now()))
    await _work(services, organization)

    async with database.transaction(organization, "test") as tx:
        before = await count_unread(tx)
        marked = [await mark_all_read(tx), await mark_all_read(tx)]
        after = await count_unread(tx)

    assert (before, marked, after) == (1, [1, 0], 0)


@pytest.fixture
async def asked(database: Database, organization: Principal) -> ApprovalId:
    """An agent asked six days ago whether it may rename a contact; the question expires tomorrow."""
    with clock.frozen(clock.now() - timedelta(days=6, minutes=1)):
        world = await make_world(database, organization)
        await world.receive("Hello, what does it cost?")
        conversation = await world.conversation()
        async with database.transaction(organization, "test") as tx:
            request = RunRequest(world.bidi_id, "inbox", conversation.id)
            run_id = await request_run(tx, request, QuietWindow(3600, 3600))
            assert run_id is not None
            return await ask_to_rename(tx, run_id, world.bidi_id, conversation.contact_id)


async def test_a_question_that_expires_soon_is_told_once_to_who_answers_for_it_and_to_supervisors(
    database: Database, services: Services, organization: Principal, asked: ApprovalId
) -> None:
    supervisor = await add_member(database, organization, Role.SUPERVISOR)
    rep = await add_member(database, organization, Role.BIDI)

    for _ in range(2):
        await _work(services, organization)

    for one in (organization, supervisor):
        assert [(told.kind.value, told.subject_id) for told in await _told(database, one)] == [
            ("approval_escalated", asked)
        ]
    assert await _told(database, rep) == []


async def test_a_question_that_was_decided_escalates_no_more(
    database: Database, services: Services, organization: Principal, asked: ApprovalId
) -> None:
    async with database.transaction(organization, "test") as tx:
        await reject_call(tx, asked)

    await _work(services, organization)

    assert await _told(database, organization) == []


@pytest.fixture
async def drafted(database: Database, organization: Principal) -> World:
    """An agent proposed a reply a day ago, and nobody has looked at it."""
    with clock.frozen(clock.now() - timedelta(days=1, minutes=1)):
        world = await make_world(database, organization)
        await world.receive("Hello, what does it cost?")
        await world.draft()
    return world


async def _pending(world: World) -> Draft:
    conversation = await world.conversation()
    async with world.db.transaction(world.owner, "test") as tx:
        draft = await find_pending_draft(tx, conversation.id)
    assert draft is not None
    return draft


async def test_a_reply_that_waits_for_a_day_is_told_once_to_who_answers_for_it_and_to_supervisors(
    database: Database, services: Services, organization: Principal, drafted: World
) -> None:
    supervisor = await add_member(database, organization, Role.SUPERVISOR)
    rep = await add_member(database, organization, Role.BIDI)

    for _ in range(2):
        await _work(services, organization)

    for one in (organization, supervisor):
        assert [told.kind.value for told in await _told(database, one)] == ["approval_escalated"]
    assert await _told(database, rep) == []


async def test_a_reply_that_was_decided_about_or_gave_way_escalates_no_more(
    database: Database, services: Services, organization: Principal, drafted: World
) -> None:
    draft = await _pending(drafted)
    async with database.transaction(organization, "test") as tx:
        await reject_draft(tx, draft.id, version=draft.version)

    await _work(services, organization)

    assert await _told(database, organization) == []
    async with database.transaction(organization, "test") as tx:
        assert await tx.value("SELECT count(*) FROM due_work WHERE kind = 'approval.escalate'") == 0


async def test_a_reply_that_was_put_off_waits_a_day_from_when_it_comes_back(
    database: Database, services: Services, organization: Principal, drafted: World
) -> None:
    draft = await _pending(drafted)
    until = clock.now() + timedelta(hours=1)
    async with database.transaction(organization, "test") as tx:
        await snooze_draft(tx, draft.id, version=draft.version, until=until)

    await _work(services, organization)

    assert await _told(database, organization) == []
    async with database.transaction(organization, "test") as tx:
        due_at = await tx.value("SELECT due_at FROM due_work WHERE kind = 'approval.escalate'")
    assert due_at == until + timedelta(days=1)


async def test_whoever_should_decide_is_told_unless_they_took_it_themselves(
    database: Database, services: Services, organization: Principal, asked: ApprovalId
) -> None:
    milo = await add_member(database, organization, Role.BIDI)
    await _work(services, organization)

    for person in (organization, milo):
        async with database.transaction(organization, "test") as tx:
            await assign_approval(tx, asked, UserId(person.id))
        await _work(services, organization)

    assert [one.kind.value for one in await _told(database, milo)] == ["approval_assigned"]
    assert [one.kind.value for one in await _told(database, organization)] == ["approval_escalated"]


async def test_a_conversation_is_told_to_whom_it_is_given_and_not_to_who_takes_it(
    database: Database, services: Services, organization: Principal
) -> None:
    milo = await add_member(database, organization, Role.BIDI)
    world = await make_world(database, organization)
    await world.receive("Hello")
    conversation = await world.conversation()
    async with database.transaction(milo, "test") as tx:
        his = await find_own_member(tx)
        assert his is not None
    async with database.transaction(organization, "test") as tx:
        await take_over(tx, conversation.id)
        await give_to_person(tx, conversation.id, his)

    for _ in range(2):
        await _work(services, organization)

    assert [(one.kind.value, one.subject_id, one.title) for one in await _told(database, milo)] == [
        ("conversation_assigned", conversation.id, "Vera Lind")
    ]
    assert await _told(database, organization) == []


async def test_of_a_conversation_that_was_deleted_since_nothing_is_told(
    database: Database, organization: Principal
) -> None:
    async with database.transaction(organization, "test") as tx:
        await tell_holder(tx, ConversationId(uuid7()), uuid7())

    assert await _told(database, organization) == []


async def test_a_question_that_was_put_off_comes_back_at_its_time(
    database: Database, services: Services, organization: Principal, asked: ApprovalId
) -> None:
    async with database.transaction(organization, "test") as tx:
        with clock.frozen(clock.now() - timedelta(hours=2)):
            await snooze_call(tx, asked, until=clock.now() + timedelta(hours=1))
        put_off = await get_approval(tx, asked)

    await _work(services, organization)

    async with database.transaction(organization, "test") as tx:
        back = await get_approval(tx, asked)
    assert (put_off.snoozed_until is None, back.snoozed_until) == (False, None)
