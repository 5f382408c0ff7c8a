"""Channel accounts and their states."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core import crypto
from core.db import Tx
from core.envelopes import Place
from events.ids import ChannelAccountId, OrganizationId


class AccountStatus(StrEnum):
    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FLOOD_WAIT = "flood_wait"
    SPAM_RESTRICTED = "spam_restricted"
    ERROR = "error"
    REAUTH_REQUIRED = "reauth_required"


@dataclass(frozen=True)
class ChannelAccount:
    """A connected account; the secret is opened only where it is used."""

    id: ChannelAccountId
    organization_id: OrganizationId
    channel: str
    name: str
    address: str
    delivery: str
    status: AccountStatus
    status_reason: str
    blocked_until: datetime | None
    cursor: int
    created_at: datetime

    @property
    def can_send(self) -> bool:
        """Whether there is a connection behind it; an imported account only keeps what was said."""
        return self.delivery != "import"


def webhook_secret(key: str, account_id: ChannelAccountId) -> str:
    """The secret token that Telegram repeats in every call of this account's webhook, derived, never stored."""
    return crypto.sign(key, f"webhook {account_id}")


def place_of(tx: Tx, account_id: ChannelAccountId) -> Place:
    """Where the account's secret opens."""
    return Place(tx.organization_id, "channel_accounts", account_id, "secret")
