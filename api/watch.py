"""Who may still follow: one question to the database for every open stream and socket of this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import psycopg

from core.db import Database
from core.errors import AppError
from crm.api_keys.queries import list_credentials_in_force

# A session that ended or a revoked key closes what it opened within this and one question to the database.
CHECK_SECONDS = 2.0


@dataclass(eq=False)
class _Follower:
    credential_id: UUID
    end: Callable[[], None]


class Watch:
    """The watch over the sessions and keys behind what stays open."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._followers: set[_Follower] = set()

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[Self]:
        """Keep asking until the block ends."""
        task = asyncio.create_task(self._keep_asking())
        try:
            yield self
        finally:
            task.cancel()

    @contextlib.contextmanager
    def over(self, credential_id: UUID, end: Callable[[], None]) -> Iterator[None]:
        """Inside the block `end` is called, once or more, after the session or key has ended."""
        follower = _Follower(credential_id, end)
        self._followers.add(follower)
        try:
            yield
        finally:
            self._followers.discard(follower)

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            with contextlib.suppress(AppError, psycopg.OperationalError):
                await self._ask()

    async def _ask(self) -> None:
        asked = list(self._followers)
        ids = {follower.credential_id for follower in asked}
        if not ids:
            return
        in_force = {credential.id for credential in await list_credentials_in_force(self._db, ids)}
        for follower in asked:
            if follower.credential_id not in in_force:
                follower.end()
