"""Telling the organization's other programs what happens: events are put on their way, and sent as they come due."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import httpx2
import structlog
from standardwebhooks import Webhook as Signer

from core import clock, crashpoint
from core.db import Tx
from core.errors import AppError, Unavailable, Unprocessable
from core.principal import system
from crm.webhooks import sending
from crm.webhooks.models import EVERYTHING, Call, Result
from events import outbox
from events.ids import WebhookDeliveryId
from events.outbox import Delivery
from worker.jobs import Job, Postpone, patience

if TYPE_CHECKING:  # the relay reads the routes too and must not load the agents
    from worker.services import Services

log = structlog.get_logger()

# An endpoint that keeps us waiting holds at most so many of a process's hands.
_HANDS_PER_ENDPOINT = 2
_BUSY_SECONDS = 2.0
_SHOWN_BYTES = 500
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_busy: Counter[UUID] = Counter()


async def offer_to_webhooks(services: "Services", deliveries: Sequence[Delivery]) -> None:
    """Queue each event for every endpoint that wants it; most organizations have none."""
    by_organization = sorted(deliveries, key=lambda delivery: delivery.organization_id)
    for organization_id, group in groupby(by_organization, key=lambda delivery: delivery.organization_id):
        async with services.db.transaction(system(organization_id), "webhook.offer") as tx:
            await _offer(tx, list(group))


async def _offer(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    wanted = await sending.list_wanted_types(tx)
    if wanted:
        events = [
            await outbox.get_event(tx, delivery.event_id)
            for delivery in deliveries
            if wanted & {delivery.event_type, EVERYTHING}
        ]
        await sending.queue_events(tx, events)


async def deliver_webhook(job: Job) -> Postpone | None:
    """Note the attempt, call, record what came of it: two short transactions, none open during the call."""
    settings = job.services.settings
    delivery_id = WebhookDeliveryId(job.subject_id)
    async with job.transaction("find") as tx:
        webhook_id = await sending.find_webhook_of(tx, delivery_id)
    if webhook_id is None:
        return None
    if _busy[webhook_id] >= _HANDS_PER_ENDPOINT:
        return Postpone(patience(_BUSY_SECONDS, 0), "other deliveries to this endpoint are under way")
    async with _one_hand(webhook_id):
        async with job.transaction("attempt") as tx:
            call = await sending.begin_attempt(tx, delivery_id, keys=settings.keyring)
        if call is None:
            return None
        result = await _make(job.services.webhook_client, call, settings.webhook_timeout_seconds)
        async with job.transaction("record") as tx:
            pause = await sending.record(tx, call, result)
    log.info("webhook.called", webhook_id=str(call.webhook_id), number=call.number, status=result.status)
    return Postpone(pause, result.error) if pause else None


@asynccontextmanager
async def _one_hand(webhook_id: UUID) -> AsyncIterator[None]:
    _busy[webhook_id] += 1
    try:
        yield
    finally:
        _busy[webhook_id] -= 1
        if not _busy[webhook_id]:
            del _busy[webhook_id]


async def _make(client: httpx2.AsyncClient, call: Call, timeout_seconds: float) -> Result:
    """One signed POST; whatever happens to it is a result."""
    began = time.perf_counter()
    try:
        crashpoint.reach("webhook.call.before")
        result = await _post_in_time(client, call, began, timeout_seconds)
        crashpoint.reach("webhook.call.after")
        return result
    except AppError as err:
        return Result(_milliseconds(began), error=err.detail)


async def _post_in_time(
    client: httpx2.AsyncClient, call: Call, began: float, timeout_seconds: float
) -> Result:
    """Raises: AppError when nothing was answered, and says why."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _post(client, call, began)
    except TimeoutError as err:
        raise Unavailable(f"No answer within {timeout_seconds:g} seconds.") from err
    except httpx2.ConnectError as err:
        raise Unavailable(f"The endpoint takes no connection: {err}.") from err
    except httpx2.InvalidURL as err:
        raise Unprocessable(f"The address cannot be called: {err}.") from err
    except httpx2.HTTPError as err:
        raise Unavailable(f"The connection broke off: {type(err).__name__}.") from err


async def _post(client: httpx2.AsyncClient, call: Call, began: float) -> Result:
    content = call.payload.encode()
    async with client.stream("POST", call.url, content=content, headers=signed_headers(call)) as response:
        body = await _beginning(response)
        is_fine = response.is_success
        return Result(
            _milliseconds(began),
            response.status_code,
            body,
            "" if is_fine else f"The endpoint answered {response.status_code}.",
            _retry_after(response),
        )


def signed_headers(call: Call) -> dict[str, str]:
    """Source: Standard Webhooks, "Webhook headers"; with two secrets in force there are two signatures."""
    now, message_id = clock.now(), str(call.delivery_id)
    signatures = [Signer(secret).sign(message_id, now, call.payload) for secret in call.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "GetSale-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


async def _beginning(response: httpx2.Response) -> str:
    """The first bytes of the answer, for the log; the rest is not read."""
    read = b""
    async for part in response.aiter_bytes():
        read += part
        if len(read) >= _SHOWN_BYTES:
            break
    return read[:_SHOWN_BYTES].decode(errors="replace").replace("\x00", "")


def _retry_after(response: httpx2.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return min(float(seconds), _LONGEST_WAIT_SECONDS) if seconds.isascii() and seconds.isdigit() else 0.0


def _milliseconds(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


async def give_up_delivery(tx: Tx, job: Job, reason: str) -> None:
    await sending.give_up(tx, WebhookDeliveryId(job.subject_id))


async def forget_deliveries(services: "Services", tx: Tx, job: Job) -> None:
    await sending.forget_old_deliveries(tx)
