"""Deliveries to endpoints: signed, tried for days, given up in time, and never into the operator's own network."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from standardwebhooks import WebhookVerificationError

from core import clock
from core.addresses import Reach
from core.db import Database
from core.envelopes import Keyring
from core.principal import Principal
from core.settings import Settings
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.webhooks import actions, queries, sending
from crm.webhooks.models import Attempt, Delivery, DeliveryStatus, Webhook, WebhookEdit
from crm.webhooks.models import NewWebhook as New
from events import due, outbox
from events.due import DueWork
from tests.support.receiver import Receiver, running_receiver
from tests.support.working import EVERYTHING
from worker import services as worker_services
from worker import webhooks
from worker.jobs import Outside, Together, carry_out, carry_out_together
from worker.routes import DUE, names_by_event
from worker.services import Services

LOCAL = Reach(internal_hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with running_receiver() as running:
        yield running


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    chosen = settings.model_copy(update={"internal_hosts": "127.0.0.1", "webhook_timeout_seconds": 1.0})
    async with worker_services.build(chosen) as built:
        yield built


@dataclass
class Hook:
    """An endpoint of the organization, and the worker that calls it."""

    services: Services
    owner: Principal
    webhook: Webhook
    secret: str

    async def happen(self, name: str = "Vera Lind") -> None:
        """Somebody adds a contact; the relay and the worker do what they do."""
        async with self.services.db.transaction(self.owner, "test") as tx:
            await create_contact(tx, NewContact(name))
        await self.relay()

    async def relay(self) -> None:
        async with self.services.db.across_tenants("test") as connection:
            await outbox.route(connection, names_by_event(), EVERYTHING)
            claimed = await outbox.claim(connection, EVERYTHING, 30, ("offer_to_webhooks",))
        ours = [
            one
            for one in claimed
            if one.handler == "offer_to_webhooks" and one.organization_id == self.owner.organization_id
        ]
        for one in ours:
            await carry_out_together(self.services, [one], _offering())

    async def work(self) -> float | None:
        """Call the endpoint; the seconds until the next attempt, or None when there is none."""
        async with self.services.db.transaction(self.owner, "test") as tx:
            await tx.execute(
                "UPDATE due_work SET due_at = now(), lease_until = NULL WHERE organization_id = %(ours)s",
                ours=tx.organization_id,
            )
        for work in await self.claim():
            handler = DUE["webhook.deliver"]
            assert isinstance(handler, Outside)
            await carry_out(self.services, work, handler)
        async with self.services.db.transaction(self.owner, "test") as tx:
            seconds: float | None = await tx.value(
                """
                SELECT extract(epoch FROM due_at - now())::float FROM due_work
                 WHERE kind = 'webhook.deliver' AND organization_id = %(ours)s
                """,
                ours=tx.organization_id,
            )
        return seconds

    async def claim(self) -> list[DueWork]:
        async with self.services.db.across_tenants("test") as connection:
            claimed = await due.claim(connection, ["webhook.deliver"], EVERYTHING, 30)
        return [work for work in claimed if work.organization_id == self.owner.organization_id]

    async def deliveries(self) -> list[Delivery]:
        async with self.services.db.transaction(self.owner, "test") as tx:
            return (await queries.list_deliveries(tx, self.webhook.id)).items

    async def attempts(self) -> list[Attempt]:
        (delivery,) = await self.deliveries()
        async with self.services.db.transaction(self.owner, "test") as tx:
            return await queries.list_attempts(tx, delivery.id)

    async def now(self) -> Webhook:
        async with self.services.db.transaction(self.owner, "test") as tx:
            return await queries.get_webhook(tx, self.webhook.id)

    async def edit(self, edit: WebhookEdit) -> None:
        async with self.services.db.transaction(self.owner, "test") as tx:
            version = (await queries.get_webhook(tx, self.webhook.id)).version
            await actions.update_webhook(tx, self.webhook.id, edit, version=version, reach=LOCAL)


def _offering() -> Together:
    return Together(webhooks.offer_to_webhooks)


async def _hook(services: Services, owner: Principal, url: str, *types: str) -> Hook:
    key = services.settings.secret_key.get_secret_value()
    async with services.db.transaction(owner, "test") as tx:
        made = await actions.create_webhook(
            tx, New(url, types or ("contact.created",)), reach=LOCAL, keys=Keyring(key)
        )
    return Hook(services, owner, made.webhook, made.secret)


@pytest.fixture
async def hook(services: Services, organization: Principal, receiver: Receiver) -> Hook:
    return await _hook(services, organization, receiver.url)


async def test_an_event_arrives_signed_and_says_where_its_record_is(hook: Hook, receiver: Receiver) -> None:
    await hook.happen()

    assert await hook.work() is None

    (received,) = receiver.received
    (delivery,) = await hook.deliveries()
    received.verify(hook.secret)
    assert received.id == str(delivery.id)
    assert received.said["type"] == "contact.created"
    assert received.said["data"]["id"] == str(delivery.event_id)
    subject = received.said["data"]["subject"]
    assert subject["url"] == f"/api/v1/contacts/{subject['id']}"
    assert "Vera" not in received.body.decode()
    assert delivery.status is DeliveryStatus.DELIVERED
    assert [(a.response_status, a.response_body) for a in await hook.attempts()] == [(200, "thanks")]


async def test_what_was_changed_on_its_way_does_not_verify(hook: Hook, receiver: Receiver) -> None:
    await hook.happen()
    await hook.work()
    (received,) = receiver.received

    with pytest.raises(WebhookVerificationError):
        received.verify(actions.new_secret())


async def test_an_event_that_is_offered_again_is_queued_once(hook: Hook, receiver: Receiver) -> None:
    await hook.happen()
    (delivery,) = await hook.deliveries()
    assert delivery.event_id is not None
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        await sending.queue_events(tx, [await outbox.get_event(tx, delivery.event_id)])

    assert len(await hook.deliveries()) == 1


async def test_an_endpoint_is_told_of_what_it_asked_for_only(
    services: Services, organization: Principal, receiver: Receiver
) -> None:
    deals = await _hook(services, organization, receiver.url, "deal.created")
    everything = await _hook(services, organization, receiver.url, "*")

    await deals.happen()

    assert await deals.deliveries() == []
    assert [one.event_type for one in await everything.deliveries()] == ["contact.created"]


async def test_failures_are_tried_again_for_days_ever_more_rarely_and_then_no_more(
    hook: Hook, receiver: Receiver
) -> None:
    receiver.answers = deque([500])
    await hook.happen()

    pauses = [await hook.work() for _ in range(len(sending.PAUSES) + 1)]

    expected = [pause.total_seconds() for pause in sending.PAUSES]
    waited = [pause for pause in pauses if pause is not None]
    assert pauses[-1] is None
    assert all(0.7 * wish <= pause <= 1.3 * wish for wish, pause in zip(expected, waited, strict=True))
    assert timedelta(days=3) < sum(sending.PAUSES, timedelta()) < timedelta(days=5)
    assert len({received.id for received in receiver.received}) == 1
    assert len({received.body for received in receiver.received}) == 1
    (delivery,) = await hook.deliveries()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.FAILED, len(sending.PAUSES) + 1)


async def test_a_failure_that_passes_is_forgiven(hook: Hook, receiver: Receiver) -> None:
    receiver.answers = deque([503, 200])
    await hook.happen()

    await hook.work()
    failing = await hook.now()
    await hook.work()

    assert (failing.failures, (await hook.now()).failures, (await hook.now()).failing_since) == (1, 0, None)
    assert (await hook.deliveries())[0].status is DeliveryStatus.DELIVERED
    assert [attempt.response_status for attempt in await hook.attempts()] == [503, 200]


async def test_an_endpoint_may_say_when_to_come_back(hook: Hook, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = deque([429]), {"Retry-After": "600"}
    await hook.happen()

    pause = await hook.work()

    assert pause is not None
    assert pause == pytest.approx(600, abs=5)


async def test_an_endpoint_that_is_gone_is_switched_off_at_once(hook: Hook, receiver: Receiver) -> None:
    receiver.answers = deque([410])
    await hook.happen()

    pause = await hook.work()

    webhook = await hook.now()
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        told = await tx.value("SELECT count(*) FROM events WHERE type = 'webhook.disabled'")
    assert (pause, webhook.is_enabled, webhook.disabled_reason, told) == (None, False, "gone", 1)
    assert (await hook.deliveries())[0].status is DeliveryStatus.FAILED


async def test_an_endpoint_that_fails_for_days_is_switched_off_and_can_be_switched_on(
    hook: Hook, receiver: Receiver
) -> None:
    receiver.answers = deque([500])
    await hook.happen()
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        await tx.execute(
            "UPDATE webhooks SET failures = %(failures)s, failing_since = %(since)s",
            failures=sending.GIVEN_UP_FAILURES - 2,
            since=clock.now() - sending.GIVEN_UP_AFTER - timedelta(minutes=1),
        )

    states = []
    for _ in range(2):
        await hook.work()
        states.append((await hook.now()).is_enabled)
    await hook.work()
    off = await hook.now()
    await hook.edit(WebhookEdit(is_enabled=True))

    on = await hook.now()
    assert states == [True, False]
    assert (off.disabled_reason, (await hook.deliveries())[0].status) == ("failing", DeliveryStatus.CANCELLED)
    assert (on.is_enabled, on.disabled_reason, on.failures, on.failing_since) == (True, "", 0, None)


async def test_while_it_is_switched_off_nothing_is_sent(hook: Hook, receiver: Receiver) -> None:
    await hook.happen()
    await hook.edit(WebhookEdit(is_enabled=False))

    await hook.work()
    await hook.happen("Tomas")

    assert receiver.received == []
    assert [one.status for one in await hook.deliveries()] == [DeliveryStatus.CANCELLED]


async def test_for_a_day_after_a_rotation_both_secrets_verify(hook: Hook, receiver: Receiver) -> None:
    key = hook.services.settings.secret_key.get_secret_value()
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        rotated = await actions.rotate_secret(tx, hook.webhook.id, keys=Keyring(key))
    await hook.happen()
    await hook.work()
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        await tx.execute("UPDATE webhooks SET old_secret_until = %(now)s", now=clock.now())
    await hook.happen("Tomas")
    await hook.work()

    within, after = receiver.received
    for received, secret in ((within, hook.secret), (within, rotated.secret), (after, rotated.secret)):
        received.verify(secret)
    with pytest.raises(WebhookVerificationError):
        after.verify(hook.secret)


async def test_secrets_lie_sealed(hook: Hook) -> None:
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        stored = bytes(await tx.value("SELECT secret FROM webhooks"))

    assert hook.secret.encode() not in stored
    assert hook.secret.startswith("whsec_")


async def test_silence_ends_at_the_limit_with_no_transaction_open(
    hook: Hook, receiver: Receiver, worker_database: Database
) -> None:
    receiver.answers = deque([None])
    await hook.happen()
    working = asyncio.create_task(hook.work())
    await receiver.wait_for("contact.created")

    async with worker_database.across_tenants("test") as connection:
        cursor = await connection.execute(
            """
            SELECT count(*) AS open FROM pg_stat_activity
             WHERE state = 'idle in transaction' AND pid <> pg_backend_pid()
            """
        )
        row = await cursor.fetchone()
    pause = await working

    assert row == {"open": 0}
    assert pause is not None
    assert [attempt.error for attempt in await hook.attempts()] == ["No answer within 1 seconds."]


async def test_a_redirect_is_not_followed(hook: Hook, receiver: Receiver) -> None:
    receiver.answers, receiver.headers = deque([302]), {"Location": receiver.url}
    await hook.happen()

    await hook.work()

    assert len(receiver.received) == 1
    assert (await hook.attempts())[0].error == "The endpoint answered 302."


async def test_a_name_that_leads_inside_is_found_out_at_the_call(
    settings: Settings, organization: Principal, receiver: Receiver
) -> None:
    """Its address was fine when it was given: only the name's owner decides where it leads later."""
    async with worker_services.build(settings) as strict:
        hook = await _hook(strict, organization, receiver.url)
        await hook.happen()

        pause = await hook.work()

        assert receiver.received == []
        assert pause is not None
        assert "internal address" in (await hook.attempts())[0].error


async def test_a_slow_endpoint_holds_two_hands_of_a_process_at_most(hook: Hook, receiver: Receiver) -> None:
    receiver.answers = deque([None])
    for number in range(6):
        await hook.happen(f"Vera {number}")
    handler = DUE["webhook.deliver"]
    assert isinstance(handler, Outside)
    waiting = [asyncio.create_task(carry_out(hook.services, one, handler)) for one in await hook.claim()]

    await asyncio.wait(waiting)

    assert len(receiver.received) == 2


async def test_a_person_can_send_again_what_was_given_up(hook: Hook, receiver: Receiver) -> None:
    receiver.answers = deque([410, 200])
    await hook.happen()
    await hook.work()
    await hook.edit(WebhookEdit(is_enabled=True))
    (failed,) = await hook.deliveries()
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        await actions.retry_delivery(tx, failed.id)

    await hook.work()

    (delivery,) = await hook.deliveries()
    assert (failed.status, delivery.status) == (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED)
    assert delivery.attempts == 2
    assert {received.id for received in receiver.received} == {str(delivery.id)}


async def test_a_test_event_arrives_like_any_other(hook: Hook, receiver: Receiver) -> None:
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        await actions.send_test(tx, hook.webhook.id)

    await hook.work()

    (received,) = receiver.received
    received.verify(hook.secret)
    assert received.said["type"] == "webhook.test"


async def test_the_log_is_kept_for_thirty_days(hook: Hook) -> None:
    await hook.happen()
    await hook.happen("Tomas")
    async with hook.services.db.transaction(hook.owner, "test") as tx:
        swept = await tx.value(
            "SELECT due_at FROM due_work WHERE kind = 'webhook.forget' AND organization_id = %(ours)s",
            ours=tx.organization_id,
        )
        await tx.execute(
            "UPDATE webhook_deliveries SET created_at = created_at - interval '31 days' WHERE id = %(id)s",
            id=(await queries.list_deliveries(tx, hook.webhook.id)).items[-1].id,
        )
        forgotten = await sending.forget_old_deliveries(tx)

    assert (forgotten, len(await hook.deliveries())) == (1, 1)
    assert timedelta(days=30) <= swept - clock.now() <= timedelta(days=31)
