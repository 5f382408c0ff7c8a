"""Outgoing webhooks: endpoints, their secrets, and what was sent to them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from api.deps import ApiTx, CurrentServices
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, Version, example
from api.nouns import Noun
from api.versions import IfMatch
from core import jsons
from core.addresses import tenant_reach
from crm.webhooks import actions as webhooks
from crm.webhooks import queries
from crm.webhooks.models import (
    EVENT_TYPES,
    EVERYTHING,
    Delivery,
    DeliveryStatus,
    DisabledReason,
    NewSecret,
    NewWebhook,
    WebhookEdit,
)
from events.ids import WebhookDeliveryId, WebhookId

router = Noun(tags=["webhooks"])
_SHOWN = "whsec_ZXhhbXBsZSBvbmx5LCAzMiBieXRlcyBvZiBpdCE="
Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        pattern=r"^[^\x00]*$",
        description="https, and not inside the operator's own network.",
        examples=["https://example.com/getsale"],
    ),
]
EventType = Annotated[
    str,
    Field(json_schema_extra={"enum": [EVERYTHING, *EVENT_TYPES]}, examples=["contact.updated"]),
]
EventTypes = Annotated[
    list[EventType],
    Field(min_length=1, max_length=200, description=f"What it is told of; `{EVERYTHING}` is everything."),
]


class WebhookIn(In):
    model_config = example(
        url="https://example.com/getsale", event_types=["contact.created", "contact.updated"]
    )

    url: Url
    event_types: EventTypes
    description: Line = ""


class WebhookPatch(In):
    """New values for some fields; what is left out or null stays as it is."""

    model_config = example(version=1, is_enabled=False)

    version: Version
    url: Url | None = None
    event_types: EventTypes | None = None
    description: Line | None = None
    is_enabled: bool | None = Field(
        default=None, description="true also clears what was held against the endpoint."
    )


class WebhookOut(Out):
    id: WebhookId
    url: str = Field(examples=["https://example.com/getsale"])
    description: str
    event_types: list[str] = Field(examples=[["contact.created", "contact.updated"]])
    is_enabled: bool = Field(examples=[True])
    disabled_reason: DisabledReason = Field(
        description="Why the product switched it off: it answered 410, or failed for three days."
    )
    failures: int = Field(description="How many attempts failed in a row.", examples=[0])
    failing_since: datetime | None
    old_secret_until: datetime | None = Field(description="Until when the secret before signs too.")
    version: int
    created_at: datetime
    updated_at: datetime


class NewSecretOut(WebhookOut):
    secret: str = Field(description="Verify signatures with it; it is not shown again.", examples=[_SHOWN])

    @classmethod
    def of(cls, made: NewSecret) -> "NewSecretOut":
        shown = WebhookOut.model_validate(made.webhook)
        return cls(**shown.model_dump(), secret=made.secret)


class DeliveryOut(Out):
    id: WebhookDeliveryId = Field(description="The `webhook-id` of every attempt.")
    webhook_id: WebhookId
    event_id: UUID | None = Field(description="null for a test.")
    event_type: str = Field(examples=["contact.updated"])
    payload: JsonValue = Field(
        description="What is sent.", examples=[{"type": "contact.updated", "data": {}}]
    )
    status: DeliveryStatus
    attempts: int = Field(description="How often it was tried.")
    next_attempt_at: datetime | None
    created_at: datetime

    @classmethod
    def shown(cls, delivery: Delivery) -> "DeliveryOut":
        """The payload as JSON, not as the text that is signed."""
        fields = {name: getattr(delivery, name) for name in cls.model_fields if name != "payload"}
        return cls(**fields, payload=jsons.loads(delivery.payload))


class AttemptOut(Out):
    number: int = Field(examples=[1])
    started_at: datetime
    duration_ms: int | None = Field(description="null while it is made, or when nothing is known of it.")
    response_status: int | None = Field(examples=[200])
    response_body: str = Field(description="Its first 500 bytes.")
    error: str


class RemovedOut(Out):
    id: WebhookId


@router.get("/webhooks", operation_id="list_webhooks", summary="List webhooks, the newest first")
async def list_webhooks(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[WebhookOut]:
    return PageOut[WebhookOut].of(await queries.list_webhooks(tx, cursor=cursor, limit=limit))


@router.post(
    "/webhooks",
    operation_id="create_webhook",
    summary="Add an endpoint that is told of events",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_webhook(tx: ApiTx, new: WebhookIn, services: CurrentServices) -> NewSecretOut:
    """The answer has the secret, this once. Deliveries follow Standard Webhooks; docs/api.md has the details."""
    wanted = NewWebhook(new.url, tuple(new.event_types), new.description.strip())
    made = await webhooks.create_webhook(
        tx, wanted, reach=tenant_reach(services.settings), keys=services.settings.keyring
    )
    return NewSecretOut.of(made)


@router.get(
    "/webhooks/{webhook_id}", operation_id="get_webhook", summary="Read one webhook", responses=problems(404)
)
async def get_webhook(tx: ApiTx, webhook_id: WebhookId) -> WebhookOut:
    return WebhookOut.model_validate(await queries.get_webhook(tx, webhook_id))


@router.patch(
    "/webhooks/{webhook_id}",
    operation_id="update_webhook",
    summary="Change a webhook, or switch it off or on",
    responses=problems(404, 412, *BODY),
)
async def update_webhook(
    tx: ApiTx, webhook_id: WebhookId, patch: WebhookPatch, services: CurrentServices
) -> WebhookOut:
    edit = WebhookEdit(
        patch.url,
        tuple(patch.event_types) if patch.event_types is not None else None,
        patch.description,
        patch.is_enabled,
    )
    updated = await webhooks.update_webhook(
        tx, webhook_id, edit, version=patch.version, reach=tenant_reach(services.settings)
    )
    return WebhookOut.model_validate(updated)


@router.delete(
    "/webhooks/{webhook_id}",
    operation_id="remove_webhook",
    summary="Remove a webhook with its log",
    responses=problems(404),
)
async def remove_webhook(tx: ApiTx, webhook_id: WebhookId, version: IfMatch) -> RemovedOut:
    """What is on its way to it is not sent any more."""
    await webhooks.remove_webhook(tx, webhook_id, version=version)
    return RemovedOut(id=webhook_id)


@router.post(
    "/webhooks/{webhook_id}/secret",
    operation_id="rotate_webhook_secret",
    summary="Give a webhook a new secret",
    responses=problems(404),
)
async def rotate_secret(tx: ApiTx, webhook_id: WebhookId, services: CurrentServices) -> NewSecretOut:
    """The answer has it, this once. For 24 hours the secret before signs too."""
    return NewSecretOut.of(await webhooks.rotate_secret(tx, webhook_id, keys=services.settings.keyring))


@router.post(
    "/webhooks/{webhook_id}/test",
    operation_id="test_webhook",
    summary="Send an event that means nothing",
    status_code=202,
    responses=problems(404, 409),
)
async def test_webhook(tx: ApiTx, webhook_id: WebhookId) -> DeliveryOut:
    return DeliveryOut.shown(await webhooks.send_test(tx, webhook_id))


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    operation_id="list_webhook_deliveries",
    summary="List what was sent to a webhook in the last thirty days, the newest first",
    responses=problems(404),
)
async def list_deliveries(
    tx: ApiTx,
    webhook_id: WebhookId,
    status: DeliveryStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[DeliveryOut]:
    page = await queries.list_deliveries(tx, webhook_id, status=status, cursor=cursor, limit=limit)
    return PageOut[DeliveryOut](
        items=[DeliveryOut.shown(one) for one in page.items], next_cursor=page.next_cursor
    )


@router.get(
    "/webhook-deliveries/{webhook_delivery_id}",
    operation_id="get_webhook_delivery",
    summary="Read one delivery",
    responses=problems(404),
)
async def get_delivery(tx: ApiTx, webhook_delivery_id: WebhookDeliveryId) -> DeliveryOut:
    return DeliveryOut.shown(await queries.get_delivery(tx, webhook_delivery_id))


@router.get(
    "/webhook-deliveries/{webhook_delivery_id}/attempts",
    operation_id="list_webhook_attempts",
    summary="List the attempts at a delivery, in order",
    responses=problems(404),
)
async def list_attempts(tx: ApiTx, webhook_delivery_id: WebhookDeliveryId) -> list[AttemptOut]:
    await queries.get_delivery(tx, webhook_delivery_id)
    return [AttemptOut.model_validate(one) for one in await queries.list_attempts(tx, webhook_delivery_id)]


@router.post(
    "/webhook-deliveries/{webhook_delivery_id}/retry",
    operation_id="retry_webhook_delivery",
    summary="Send a delivery once more, now",
    status_code=202,
    responses=problems(404, 409),
)
async def retry_delivery(tx: ApiTx, webhook_delivery_id: WebhookDeliveryId) -> DeliveryOut:
    return DeliveryOut.shown(await webhooks.retry_delivery(tx, webhook_delivery_id))
