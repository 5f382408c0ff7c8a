"""Reading endpoints and what was sent to them."""

from core.db import Tx
from core.errors import NotFound
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.webhooks.models import Attempt, Delivery, DeliveryStatus, Webhook
from events.ids import WebhookDeliveryId, WebhookId


async def list_webhooks(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Webhook]:
    """The newest first."""
    tx.principal.require("webhooks:manage")
    size = page_size(limit)
    webhooks = await tx.all(
        Webhook,
        """
        SELECT id, url, description, event_types, is_enabled, disabled_reason, old_secret_until, failures,
               failing_since, version, created_at, updated_at
          FROM webhooks
         WHERE %(before)s::uuid IS NULL OR id < %(before)s
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(webhooks, size, after=lambda webhook: encode_cursor(webhook.id))


async def list_enabled_webhooks(tx: Tx) -> list[Webhook]:
    """Those that are told of events."""
    return await tx.all(
        Webhook,
        """
        SELECT id, url, description, event_types, is_enabled, disabled_reason, old_secret_until, failures,
               failing_since, version, created_at, updated_at
          FROM webhooks
         WHERE is_enabled
        """,
    )


async def get_webhook(tx: Tx, webhook_id: WebhookId, *, lock: bool = False) -> Webhook:
    """Raises: NotFound."""
    tx.principal.require("webhooks:manage")
    if lock:
        await tx.execute("SELECT FROM webhooks WHERE id = %(webhook_id)s FOR UPDATE", webhook_id=webhook_id)
    return await tx.one(
        Webhook,
        """
        SELECT id, url, description, event_types, is_enabled, disabled_reason, old_secret_until, failures,
               failing_since, version, created_at, updated_at
          FROM webhooks
         WHERE id = %(webhook_id)s
        """,
        webhook_id=webhook_id,
    )


async def list_deliveries(
    tx: Tx,
    webhook_id: WebhookId,
    *,
    status: DeliveryStatus | None = None,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Delivery]:
    """What was sent to an endpoint in the last thirty days, the newest first. Raises: NotFound."""
    await get_webhook(tx, webhook_id)
    size = page_size(limit)
    deliveries = await tx.all(
        Delivery,
        """
        SELECT id, webhook_id, event_id, event_type, payload, status, attempts, tries, next_attempt_at, created_at
          FROM webhook_deliveries
         WHERE webhook_id = %(webhook_id)s
           AND (%(status)s::text IS NULL OR status = %(status)s)
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        webhook_id=webhook_id,
        status=status,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(deliveries, size, after=lambda delivery: encode_cursor(delivery.id))


async def get_delivery(tx: Tx, delivery_id: WebhookDeliveryId, *, lock: bool = False) -> Delivery:
    """Raises: NotFound."""
    tx.principal.require("webhooks:manage")
    found = await find_delivery(tx, delivery_id, lock=lock)
    if found is None:
        raise NotFound("No such delivery in this organization; they are kept for thirty days.")
    return found


async def find_delivery(tx: Tx, delivery_id: WebhookDeliveryId, *, lock: bool = False) -> Delivery | None:
    if lock:
        await tx.execute(
            "SELECT FROM webhook_deliveries WHERE id = %(delivery_id)s FOR UPDATE", delivery_id=delivery_id
        )
    return await tx.find(
        Delivery,
        """
        SELECT id, webhook_id, event_id, event_type, payload, status, attempts, tries, next_attempt_at, created_at
          FROM webhook_deliveries
         WHERE id = %(delivery_id)s
        """,
        delivery_id=delivery_id,
    )


async def list_attempts(tx: Tx, delivery_id: WebhookDeliveryId) -> list[Attempt]:
    """In order."""
    return await tx.all(
        Attempt,
        """
        SELECT number, started_at, duration_ms, response_status, response_body, error
          FROM webhook_attempts
         WHERE delivery_id = %(delivery_id)s
         ORDER BY number
        """,
        delivery_id=delivery_id,
    )
