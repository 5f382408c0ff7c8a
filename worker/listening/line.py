"""One account's line: what a listener of any channel works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from channels.base import Credentials
from core.blobs import Blobs
from core.db import Database, Tx
from core.principal import Principal
from core.settings import Settings
from crm.channel_accounts import actions as accounts
from crm.channel_accounts.models import AccountStatus, ChannelAccount


@dataclass(frozen=True)
class Rest:
    """Nothing more to listen to for now: look again after `delay`."""

    delay: timedelta
    reason: str


@dataclass(frozen=True)
class Line:
    """An account whose lease this process holds."""

    db: Database
    settings: Settings
    blobs: Blobs
    principal: Principal
    account: ChannelAccount
    credentials: Credentials

    @asynccontextmanager
    async def transaction(self, label: str) -> AsyncIterator[Tx]:
        """A short transaction of the system inside the account's organization."""
        async with self.db.transaction(self.principal, label) as tx:
            yield tx

    async def note(self, status: AccountStatus, reason: str = "") -> None:
        """Write down what the channel says about the account."""
        async with self.transaction("listen.note") as tx:
            await accounts.record_status(tx, self.account.id, status, reason)
