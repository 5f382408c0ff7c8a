"""What an open page hears of its organization, as far as its reader sees it, until its session has ended."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from api.deps import Services
from core.principal import Visibility
from core.pubsub import Subscription
from crm.conversations.changes import is_seen
from crm.identity.models import Account

# The end of a session is seen within this of when it is told.
_LOOK_SECONDS = 1.0
# The last record of a stream: the page leads to the door.
END = "event: end\ndata: signed out\n\n"


class Hearing:
    """A subscription that ends with its session."""

    def __init__(
        self, services: Services, account: Account, subscription: Subscription, shown: UUID | None
    ) -> None:
        self._services, self._account, self._subscription = services, account, subscription
        self._shown = shown
        self.is_over = False

    def end(self) -> None:
        self.is_over = True

    async def next(self, timeout_seconds: float) -> dict[str, str] | None:
        """The next message; None when none came in time, or the session has ended. Raises: RedisError."""
        until = time.monotonic() + timeout_seconds
        while not self.is_over:
            left = until - time.monotonic()
            message = await self._subscription.next(max(0.0, min(left, _LOOK_SECONDS)))
            if message is not None and not await self._is_seen(message):
                continue
            if message is not None or left <= _LOOK_SECONDS:
                return message
        return None

    async def _is_seen(self, message: dict[str, str]) -> bool:
        """Whether the reader may know of an event; what tells of none is sent to them alone.

        What the page shows may be out of sight by this very event: the page is to see that.
        """
        principal = self._account.principal
        if principal.visibility is Visibility.ALL or "event_id" not in message:
            return True
        if self._shown is not None and message.get("conversation_id") == str(self._shown):
            return True
        async with self._services.db.transaction(principal, "live") as tx:
            return await is_seen(tx, UUID(message["event_id"]))


@asynccontextmanager
async def hearing(
    services: Services, account: Account, *about: UUID | None, shown: UUID | None = None
) -> AsyncIterator[Hearing]:
    """What is published to the account's organization, or about these things of it; `shown` is the conversation that
    the page has open. Raises: RedisError."""
    async with services.pubsub.subscribe(account.organization_id, *about) as subscription:
        heard = Hearing(services, account, subscription, shown)
        with services.hub.watch.over(account.session_id, heard.end):
            yield heard
