"""Endpoints, the deliveries on their way to them, and the attempts at each."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from events.ids import WebhookDeliveryId, WebhookId
from events.types import BY_NAME

# Subscribes to every event there is and will be.
EVERYTHING = "*"
TEST = "webhook.test"
DELIVER, FORGET = "webhook.deliver", "webhook.forget"
# Both secrets sign for so long after a rotation.
BOTH_SECRETS = timedelta(hours=24)
KEPT = timedelta(days=30)

# What is about the organization's own people, their chats, keys and settings stays inside.
_PRIVATE = frozenset(
    {
        "api_key",
        "audit_verification",
        "copilot_chat",
        "invitation",
        "language_model",
        "member",
        "notification",
        "organization",
        "privacy_request",
        "session",
        "team",
        "sign_up",
        "system_mail",
        "user",
        "webhook",
    }
)
EVENT_TYPES = tuple(sorted(name for name, event in BY_NAME.items() if event.subject_kind not in _PRIVATE))


class DisabledReason(StrEnum):
    """Why the product gave an endpoint up: it said that it is gone, or failed for days."""

    NONE = ""
    GONE = "gone"
    FAILING = "failing"


@dataclass(frozen=True)
class NewWebhook:
    url: str
    event_types: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True)
class WebhookEdit:
    """New values for some fields; None leaves a field as it is."""

    url: str | None = None
    event_types: tuple[str, ...] | None = None
    description: str | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True)
class Webhook:
    """An endpoint. `failures` counts the attempts that failed in a row, since `failing_since`."""

    id: WebhookId
    url: str
    description: str
    event_types: list[str]
    is_enabled: bool
    disabled_reason: DisabledReason
    old_secret_until: datetime | None
    failures: int
    failing_since: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    def wants(self, event_type: str) -> bool:
        return EVERYTHING in self.event_types or event_type in self.event_types


@dataclass(frozen=True)
class NewSecret:
    """An endpoint at one of the moments when its secret is shown."""

    webhook: Webhook
    secret: str = field(repr=False)


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint; its id is the `webhook-id` of every attempt."""

    id: WebhookDeliveryId
    webhook_id: WebhookId
    event_id: UUID | None
    event_type: str
    payload: str
    status: DeliveryStatus
    attempts: int
    tries: int
    next_attempt_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Attempt:
    """What one call came to; without a duration nothing is known of it: our process died meanwhile."""

    number: int
    started_at: datetime
    duration_ms: int | None
    response_status: int | None
    response_body: str
    error: str


@dataclass(frozen=True)
class Call:
    """One attempt in hand: what to send where, signed by which secrets."""

    delivery_id: WebhookDeliveryId
    webhook_id: WebhookId
    number: int
    url: str
    payload: str
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What came back. Without a status nothing did, and `error` says why."""

    duration_ms: int
    status: int | None = None
    body: str = ""
    error: str = ""
    retry_after_seconds: float = 0.0

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410
