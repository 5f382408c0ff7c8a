"""A channel in memory, for unit tests: it keeps what was sent and fails on demand."""

import asyncio
from collections import deque

from channels.base import ChannelError, Credentials, Permanent, Receipt
from crm.conversations.models import Attempt


class FakeChannel:
    """Faults are used up in the order in which they were asked for; then every call succeeds."""

    def __init__(self, name: str = "telegram") -> None:
        self.name = name
        self.accepted: list[Attempt] = []
        self.files: dict[str, bytes] = {}
        self.delay_seconds = 0.0
        self.calls = 0
        self.is_closed = False
        self._before: deque[ChannelError] = deque()
        self._after: deque[ChannelError] = deque()

    def refuse(self, *errors: ChannelError) -> None:
        """Let the next calls fail, one error each, before anything is accepted."""
        self._before.extend(errors)

    def lose(self, *errors: ChannelError) -> None:
        """Let the next sends be accepted and fail all the same, as when an answer gets lost."""
        self._after.extend(errors)

    async def send(self, credentials: Credentials, attempt: Attempt) -> Receipt:
        await self._begin()
        self.accepted.append(attempt)
        if self._after:
            raise self._after.popleft()
        return Receipt(provider_id=str(len(self.accepted)))

    async def fetch_file(self, credentials: Credentials, provider_id: str) -> bytes:
        await self._begin()
        if provider_id not in self.files:
            raise Permanent("The file is gone")
        return self.files[provider_id]

    async def close(self) -> None:
        self.is_closed = True

    async def _begin(self) -> None:
        self.calls += 1
        await asyncio.sleep(self.delay_seconds)
        if self._before:
            raise self._before.popleft()
