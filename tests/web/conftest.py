"""The web process in this test's own event loop, and somebody signed in to it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest

from api.cookies import SESSION_COOKIE
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.identity.sessions import open_session
from tests.support.site import running_site
from tests.support.world import World
from tests.support.world import make_world as make_world_of


@dataclass
class Browser:
    """A browser without scripts: cookies, links and forms."""

    client: httpx2.AsyncClient
    token: str

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(
            path, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )

    async def post(
        self, path: str, /, headers: dict[str, str] | None = None, **fields: str
    ) -> httpx2.Response:
        return await self.client.post(path, data={"csrf_token": self.token, **fields}, headers=headers)


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[str]:
    """The address of a running web process."""
    async with running_site(settings) as address:
        yield address


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    """A contact has written and nobody has answered."""
    made = await make_world_of(database, organization)
    await made.receive("Hello, what does it cost?")
    return made


@asynccontextmanager
async def signed_in(site: str, database: Database, person: Principal) -> AsyncIterator[Browser]:
    async with database.transaction(person, "test") as tx:
        session = await open_session(tx)
    async with httpx2.AsyncClient(base_url=site, timeout=20) as client:
        client.cookies.set(SESSION_COOKIE, session)
        page = await client.get("/preferences")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found, page.text
        yield Browser(client, found.group(1))


@pytest.fixture
async def browser(site: str, database: Database, organization: Principal) -> AsyncIterator[Browser]:
    async with signed_in(site, database, organization) as opened:
        yield opened
