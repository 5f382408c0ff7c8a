"""A program that calls the API with somebody's key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from core.db import Database
from core.principal import Principal
from crm.api_keys.actions import create_api_key
from crm.api_keys.models import ApiKey
from events.ids import UserId


@dataclass
class Caller:
    """An HTTP client that sends a key; paths are under /api/v1."""

    client: httpx2.AsyncClient
    key: ApiKey
    secret: str
    person: Principal

    async def call(self, method: str, path: str, body: object = None) -> httpx2.Response:
        return await self.client.request(method, path, json=body)

    async def get(self, path: str, **query: str | int) -> httpx2.Response:
        return await self.client.get(path, params=query or None)

    async def post(self, path: str, body: object = None) -> httpx2.Response:
        return await self.client.post(path, json=body)


@asynccontextmanager
async def caller_of(site: str, db: Database, person: Principal) -> AsyncIterator[Caller]:
    """A client with a new key of this person."""
    async with db.transaction(person, "test") as tx:
        made = await create_api_key(tx, UserId(person.id), name="test")
    headers = {"Authorization": f"Bearer {made.secret}"}
    async with httpx2.AsyncClient(base_url=f"{site}/api/v1", headers=headers, timeout=20) as client:
        yield Caller(client, made.key, made.secret, person)
