"""Setting up endpoints, changing their secrets, and sending to them again."""

import base64
import secrets
from collections.abc import Sequence

from core import clock, envelopes
from core.addresses import Reach
from core.db import Tx
from core.edits import differences
from core.envelopes import Keyring
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.webhooks import sending
from crm.webhooks.addresses import check_url
from crm.webhooks.models import (
    BOTH_SECRETS,
    DELIVER,
    EVENT_TYPES,
    EVERYTHING,
    Delivery,
    NewSecret,
    NewWebhook,
    Webhook,
    WebhookEdit,
)
from crm.webhooks.queries import get_delivery, get_webhook
from events import due
from events.ids import WebhookDeliveryId, WebhookId
from events.outbox import emit
from events.types import WebhookCreated, WebhookRemoved, WebhookRetried, WebhookTested, WebhookUpdated

MOST_WEBHOOKS = 50
_MARK = "whsec_"
_SECRET_BYTES = 32


async def create_webhook(tx: Tx, new: NewWebhook, *, reach: Reach, keys: Keyring) -> NewSecret:
    """Add an endpoint; `keys` seal its secret, which is shown this once.

    Raises: Forbidden; AddressRefused; Conflict when there are too many; Unprocessable.
    """
    tx.principal.require("webhooks:manage")
    url, event_types = check_url(new.url, reach), _check_types(new.event_types)
    if await tx.value("SELECT count(*) FROM webhooks") >= MOST_WEBHOOKS:
        raise Conflict(f"There are {MOST_WEBHOOKS} webhooks already; remove one that is not needed.")
    webhook_id, secret = WebhookId(uuid7()), new_secret()
    webhook = await tx.one(
        Webhook,
        """
        INSERT INTO webhooks (organization_id, id, url, description, event_types, secret)
        VALUES (%(organization_id)s, %(id)s, %(url)s, %(description)s, %(event_types)s, %(secret)s)
        RETURNING id, url, description, event_types, is_enabled, disabled_reason, old_secret_until, failures,
                  failing_since, version, created_at, updated_at
        """,
        organization_id=tx.organization_id,
        id=webhook_id,
        url=url,
        description=new.description,
        event_types=event_types,
        secret=envelopes.seal(keys, secret, sending.place_of(tx, webhook_id)),
    )
    await emit(tx, WebhookCreated(webhook.id))
    return NewSecret(webhook, secret)


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it. Source: its specification, "Signature scheme"."""
    return _MARK + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _check_types(event_types: Sequence[str]) -> list[str]:
    """Raises: Unprocessable for an event that there is not, or none at all."""
    if not event_types:
        raise Unprocessable("Choose at least one event.", field="event_types")
    for event_type in event_types:
        if event_type != EVERYTHING and event_type not in EVENT_TYPES:
            raise Unprocessable(f"{event_type!r} is no event that webhooks are told of.", field="event_types")
    return [EVERYTHING] if EVERYTHING in event_types else sorted(set(event_types))


async def update_webhook(
    tx: Tx, webhook_id: WebhookId, edit: WebhookEdit, *, version: int, reach: Reach
) -> Webhook:
    """Change an endpoint; one that is switched on again starts without a record of failures.

    Raises: Forbidden; NotFound; Stale; AddressRefused; Unprocessable.
    """
    webhook = await get_webhook(tx, webhook_id, lock=True)
    _require_version(webhook, version)
    url = webhook.url if edit.url is None else check_url(edit.url, reach)
    types = webhook.event_types if edit.event_types is None else _check_types(edit.event_types)
    updated = await tx.one(
        Webhook,
        """
        UPDATE webhooks
           SET url = %(url)s,
               description = coalesce(%(description)s, description),
               event_types = %(event_types)s,
               is_enabled = coalesce(%(is_enabled)s, is_enabled),
               disabled_reason = CASE WHEN %(is_enabled)s THEN '' ELSE disabled_reason END,
               failures = CASE WHEN %(is_enabled)s THEN 0 ELSE failures END,
               failing_since = CASE WHEN %(is_enabled)s THEN NULL ELSE failing_since END,
               version = version + 1,
               updated_at = %(now)s
         WHERE id = %(webhook_id)s
        RETURNING id, url, description, event_types, is_enabled, disabled_reason, old_secret_until, failures,
                  failing_since, version, created_at, updated_at
        """,
        url=url,
        description=edit.description,
        event_types=types,
        is_enabled=edit.is_enabled,
        now=clock.now(),
        webhook_id=webhook_id,
    )
    new = {name: getattr(updated, name) for name in ("url", "description", "event_types", "is_enabled")}
    await emit(tx, WebhookUpdated(webhook_id), changes=differences(webhook, new))
    return updated


def _require_version(webhook: Webhook, version: int | None) -> None:
    """Raises: Stale."""
    if version is not None and version != webhook.version:
        raise Stale(f"The webhook {webhook.id} was changed meanwhile; read it again.")


async def rotate_secret(tx: Tx, webhook_id: WebhookId, *, keys: Keyring) -> NewSecret:
    """Give an endpoint a new secret; for a day the one before signs too, so that the receiver can change over.

    Raises: Forbidden; NotFound.
    """
    before = await get_webhook(tx, webhook_id, lock=True)
    former = await sending.open_secret(tx, webhook_id, keys=keys)
    secret = new_secret()
    webhook = await tx.one(
        Webhook,
        """
        UPDATE webhooks
           SET old_secret = %(former)s, old_secret_until = %(until)s, secret = %(secret)s, version = version + 1,
               updated_at = %(now)s
         WHERE id = %(webhook_id)s
        RETURNING id, url, description, event_types, is_enabled, disabled_reason, old_secret_until, failures,
                  failing_since, version, created_at, updated_at
        """,
        # another column, another seal
        former=envelopes.seal(keys, former, sending.place_of(tx, webhook_id, "old_secret")),
        until=clock.now() + BOTH_SECRETS,
        secret=envelopes.seal(keys, secret, sending.place_of(tx, webhook_id)),
        now=clock.now(),
        webhook_id=webhook_id,
    )
    # of the secrets themselves nobody is told, but until when the one before is good
    changes = differences(before, {"old_secret_until": webhook.old_secret_until})
    await emit(tx, WebhookUpdated(webhook_id), changes=changes)
    return NewSecret(webhook, secret)


async def remove_webhook(tx: Tx, webhook_id: WebhookId, *, version: int | None = None) -> None:
    """Remove an endpoint with its log; what is on its way to it is not sent any more.

    Raises: Forbidden; NotFound; Stale.
    """
    webhook = await get_webhook(tx, webhook_id, lock=True)
    _require_version(webhook, version)
    await tx.execute("DELETE FROM webhooks WHERE id = %(webhook_id)s", webhook_id=webhook_id)
    await emit(tx, WebhookRemoved(webhook_id))


async def send_test(tx: Tx, webhook_id: WebhookId) -> Delivery:
    """Send an event that means nothing, so that the receiver can be tried. Raises: Forbidden, NotFound, Conflict."""
    webhook = await get_webhook(tx, webhook_id)
    if not webhook.is_enabled:
        raise Conflict("This webhook is switched off; switch it on first.")
    delivery = await sending.queue_test(tx, webhook_id)
    await emit(tx, WebhookTested(webhook_id))
    return delivery


async def retry_delivery(tx: Tx, delivery_id: WebhookDeliveryId) -> Delivery:
    """Send once more, now, whatever became of it before. Raises: Forbidden, NotFound, Conflict."""
    delivery = await get_delivery(tx, delivery_id, lock=True)
    webhook = await get_webhook(tx, delivery.webhook_id)
    if not webhook.is_enabled:
        raise Conflict("The webhook of this delivery is switched off; switch it on first.")
    retried = await tx.one(
        Delivery,
        """
        UPDATE webhook_deliveries
           SET status = 'pending', tries = 0, next_attempt_at = %(now)s
         WHERE id = %(delivery_id)s
        RETURNING id, webhook_id, event_id, event_type, payload, status, attempts, tries, next_attempt_at, created_at
        """,
        now=clock.now(),
        delivery_id=delivery_id,
    )
    await due.schedule(tx, DELIVER, delivery_id, clock.now())
    await emit(tx, WebhookRetried(webhook.id, delivery_id))
    return retried
