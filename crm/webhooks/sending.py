"""From an event to an endpoint: queued once, attempted until it is taken, given up after days.

The worker calls `begin_attempt`, makes the call with no transaction open, and `record`s what came of it. Whoever dies in
between leaves an attempt of which nothing is known; the next one says the same under the same id.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import clock, envelopes
from core.db import Tx
from core.envelopes import Keyring, Place
from core.ids import uuid7
from crm.webhooks import payload
from crm.webhooks.models import (
    DELIVER,
    FORGET,
    KEPT,
    TEST,
    Call,
    Delivery,
    DeliveryStatus,
    DisabledReason,
    Result,
    Webhook,
)
from crm.webhooks.queries import find_delivery, list_enabled_webhooks
from events import due
from events.ids import WebhookDeliveryId, WebhookId
from events.outbox import Recorded, emit
from events.types import WebhookDisabled

# The pause after each failure: eleven attempts within three days and a half.
# Source: Standard Webhooks, "Deliverability and reliability", which asks for several days.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
# An endpoint that answered nothing for so long, and so often, is switched off.
GIVEN_UP_AFTER, GIVEN_UP_FAILURES = timedelta(days=3), 10
_SWEPT_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class _Endpoint:
    url: str
    is_enabled: bool
    secret: bytes
    old_secret: bytes | None
    old_secret_until: datetime | None


@dataclass(frozen=True)
class _Record:
    """How an endpoint has done lately."""

    failures: int
    failing_since: datetime

    @property
    def is_hopeless(self) -> bool:
        return self.failures >= GIVEN_UP_FAILURES and self.failing_since < clock.now() - GIVEN_UP_AFTER


def place_of(tx: Tx, webhook_id: WebhookId, column: str = "secret") -> Place:
    """Where an endpoint's secret opens, and in `old_secret` the one before."""
    return Place(tx.organization_id, "webhooks", webhook_id, column)


async def open_secret(tx: Tx, webhook_id: WebhookId, *, keys: Keyring) -> str:
    sealed = await tx.value("SELECT secret FROM webhooks WHERE id = %(webhook_id)s", webhook_id=webhook_id)
    return envelopes.unseal(keys, bytes(sealed), place_of(tx, webhook_id))


async def list_wanted_types(tx: Tx) -> set[str]:
    """The events that some endpoint wants; `*` among them when one wants all."""
    return {event_type for webhook in await list_enabled_webhooks(tx) for event_type in webhook.event_types}


async def queue_events(tx: Tx, events: Sequence[Recorded]) -> None:
    """Put events on their way to every endpoint that wants them; those that are on it already stay as they are."""
    webhooks = await list_enabled_webhooks(tx)
    for event in events:
        for webhook in webhooks:
            if webhook.wants(event.type):
                await _queue_event(tx, webhook, event)


async def _queue_event(tx: Tx, webhook: Webhook, event: Recorded) -> None:
    delivery_id = await tx.value(
        """
        INSERT INTO webhook_deliveries (organization_id, id, webhook_id, event_id, event_type, payload,
                                        next_attempt_at, created_at)
        VALUES (%(organization_id)s, %(id)s, %(webhook_id)s, %(event_id)s, %(event_type)s, %(payload)s, %(now)s,
                %(now)s)
        ON CONFLICT (organization_id, webhook_id, event_id) WHERE event_id IS NOT NULL DO NOTHING
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        webhook_id=webhook.id,
        event_id=event.id,
        event_type=event.type,
        payload=payload.of_event(event),
        now=clock.now(),
    )
    if delivery_id is not None:
        await _schedule(tx, delivery_id)


async def queue_test(tx: Tx, webhook_id: WebhookId) -> Delivery:
    delivery = await tx.one(
        Delivery,
        """
        INSERT INTO webhook_deliveries (organization_id, id, webhook_id, event_type, payload, next_attempt_at,
                                        created_at)
        VALUES (%(organization_id)s, %(id)s, %(webhook_id)s, %(event_type)s, %(payload)s, %(now)s, %(now)s)
        RETURNING id, webhook_id, event_id, event_type, payload, status, attempts, tries, next_attempt_at, created_at
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        webhook_id=webhook_id,
        event_type=TEST,
        payload=payload.of_test(tx.organization_id, webhook_id),
        now=clock.now(),
    )
    await _schedule(tx, delivery.id)
    return delivery


async def _schedule(tx: Tx, delivery_id: WebhookDeliveryId) -> None:
    await due.schedule(tx, DELIVER, delivery_id, clock.now())
    await due.schedule_sweep(tx, FORGET, keep=KEPT, every=_SWEPT_EVERY)


async def find_webhook_of(tx: Tx, delivery_id: WebhookDeliveryId) -> WebhookId | None:
    """The endpoint of a delivery, or None when both are gone."""
    delivery = await find_delivery(tx, delivery_id)
    return delivery.webhook_id if delivery else None


async def begin_attempt(tx: Tx, delivery_id: WebhookDeliveryId, *, keys: Keyring) -> Call | None:
    """Note that a call is about to be made, and say which; None when there is nothing to send any more."""
    delivery = await find_delivery(tx, delivery_id, lock=True)
    if delivery is None or delivery.status is not DeliveryStatus.PENDING:
        return None
    endpoint = await tx.one(
        _Endpoint,
        """
        SELECT url, is_enabled, secret, old_secret, old_secret_until
          FROM webhooks
         WHERE id = %(webhook_id)s
        """,
        webhook_id=delivery.webhook_id,
    )
    if not endpoint.is_enabled:
        await _end(tx, delivery_id, DeliveryStatus.CANCELLED)
        return None
    number = await tx.value(
        """
        UPDATE webhook_deliveries
           SET attempts = attempts + 1, tries = tries + 1
         WHERE id = %(delivery_id)s
        RETURNING attempts
        """,
        delivery_id=delivery_id,
    )
    await tx.execute(
        """
        INSERT INTO webhook_attempts (organization_id, delivery_id, number, started_at)
        VALUES (%(organization_id)s, %(delivery_id)s, %(number)s, %(now)s)
        """,
        organization_id=tx.organization_id,
        delivery_id=delivery_id,
        number=number,
        now=clock.now(),
    )
    secrets = _open_secrets(tx, endpoint, delivery.webhook_id, keys)
    return Call(delivery_id, delivery.webhook_id, number, endpoint.url, delivery.payload, secrets)


def _open_secrets(tx: Tx, endpoint: _Endpoint, webhook_id: WebhookId, keys: Keyring) -> tuple[str, ...]:
    """The secret, and for a day after a change the one before."""
    opened = [envelopes.unseal(keys, bytes(endpoint.secret), place_of(tx, webhook_id))]
    until = endpoint.old_secret_until
    if endpoint.old_secret is not None and until is not None and until > clock.now():
        place = place_of(tx, webhook_id, "old_secret")
        opened.append(envelopes.unseal(keys, bytes(endpoint.old_secret), place))
    return tuple(opened)


async def record(tx: Tx, call: Call, result: Result) -> timedelta | None:
    """Write down what came of a call; returns how long to wait before the next, or None when there is none."""
    delivery = await find_delivery(tx, call.delivery_id, lock=True)
    if delivery is None:
        return None
    await _record_attempt(tx, call, result)
    await _judge(tx, call.webhook_id, result)
    # one attempt may come back while another, asked for by a person, is the one that counts
    if delivery.status is not DeliveryStatus.PENDING and not result.is_delivered:
        return None
    if result.is_delivered:
        await _end(tx, call.delivery_id, DeliveryStatus.DELIVERED)
        return None
    if result.is_gone or delivery.tries > len(PAUSES):
        await _end(tx, call.delivery_id, DeliveryStatus.FAILED)
        return None
    pause = max(_jittered(PAUSES[delivery.tries - 1]), timedelta(seconds=result.retry_after_seconds))
    await tx.execute(
        "UPDATE webhook_deliveries SET next_attempt_at = %(at)s WHERE id = %(delivery_id)s",
        at=clock.now() + pause,
        delivery_id=call.delivery_id,
    )
    return pause


def _jittered(pause: timedelta) -> timedelta:
    """Up to a fifth more or less, so that what failed together does not come back together."""
    return pause * random.uniform(0.8, 1.2)


async def _record_attempt(tx: Tx, call: Call, result: Result) -> None:
    await tx.execute(
        """
        UPDATE webhook_attempts
           SET duration_ms = %(duration_ms)s, response_status = %(status)s, response_body = %(body)s, error = %(error)s
         WHERE delivery_id = %(delivery_id)s
           AND number = %(number)s
        """,
        duration_ms=result.duration_ms,
        status=result.status,
        body=result.body,
        error=result.error,
        delivery_id=call.delivery_id,
        number=call.number,
    )


async def _judge(tx: Tx, webhook_id: WebhookId, result: Result) -> None:
    """Keep count of an endpoint's failures, and switch it off when it is gone or has failed for days."""
    if result.is_delivered:
        await tx.execute(
            """
            UPDATE webhooks
               SET failures = 0, failing_since = NULL
             WHERE id = %(webhook_id)s
               AND failures > 0
            """,
            webhook_id=webhook_id,
        )
        return
    record = await tx.find(
        _Record,
        """
        UPDATE webhooks
           SET failures = failures + 1, failing_since = coalesce(failing_since, %(now)s)
         WHERE id = %(webhook_id)s
           AND is_enabled
        RETURNING failures, failing_since
        """,
        now=clock.now(),
        webhook_id=webhook_id,
    )
    if record is not None and result.is_gone:
        await _disable(tx, webhook_id, DisabledReason.GONE)
    elif record is not None and record.is_hopeless:
        await _disable(tx, webhook_id, DisabledReason.FAILING)


async def _disable(tx: Tx, webhook_id: WebhookId, reason: DisabledReason) -> None:
    await tx.execute(
        """
        UPDATE webhooks
           SET is_enabled = false, disabled_reason = %(reason)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(webhook_id)s
        """,
        reason=reason,
        now=clock.now(),
        webhook_id=webhook_id,
    )
    await emit(tx, WebhookDisabled(webhook_id))


async def give_up(tx: Tx, delivery_id: WebhookDeliveryId) -> None:
    """Whoever sends it dies of it: leave it alone until a person asks again."""
    await _end(tx, delivery_id, DeliveryStatus.FAILED)


async def _end(tx: Tx, delivery_id: WebhookDeliveryId, status: DeliveryStatus) -> None:
    await tx.execute(
        """
        UPDATE webhook_deliveries
           SET status = %(status)s, next_attempt_at = NULL
         WHERE id = %(delivery_id)s
        """,
        status=status,
        delivery_id=delivery_id,
    )


async def forget_old_deliveries(tx: Tx) -> int:
    """Remove what is past its time; returns how many."""
    return await tx.execute(
        "DELETE FROM webhook_deliveries WHERE created_at < %(kept_since)s", kept_since=clock.now() - KEPT
    )
