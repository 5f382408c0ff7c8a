"""The web process, and programs that call its API with a key."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx2
import pytest

from api.cookies import SESSION_COOKIE
from api.forgery import csrf_token
from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.identity.models import Role
from infra.embedded import Urls
from tests.support.callers import Caller, caller_of
from tests.support.desk import SECRET, Desk, make_desk
from tests.support.organizations import add_member, give_password
from tests.support.site import running_site


@pytest.fixture(scope="session")
async def site(migrated: Urls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of the web process that all tests of the API share; it hardly limits anybody."""
    settings = Settings(
        database_url=migrated.database_url,
        redis_url=migrated.redis_url,
        data=tmp_path_factory.mktemp("api"),
        secret_key=SECRET,
        api_key_per_minute=1_000_000,
        api_person_per_minute=1_000_000,
        api_organization_per_minute=1_000_000,
    )
    async with running_site(settings) as address:
        yield address


@pytest.fixture
async def desk(database: Database, organization: Principal) -> Desk:
    """One of everything that the API shows, and an owner who has a password."""
    await give_password(database, organization)
    return await make_desk(database, organization)


@pytest.fixture
async def callers(site: str, database: Database) -> AsyncIterator["Callers"]:
    async with AsyncExitStack() as stack:
        yield Callers(site, database, stack)


class Callers:
    """Connects people to the API by keys of theirs; all are let go when the test ends."""

    def __init__(self, site: str, database: Database, stack: AsyncExitStack) -> None:
        self._site, self._database, self._stack = site, database, stack

    async def of(self, person: Principal) -> Caller:
        return await self._stack.enter_async_context(caller_of(self._site, self._database, person))

    async def member(self, owner: Principal, role: Role) -> Caller:
        return await self.of(await add_member(self._database, owner, role))

    async def page(self, session: str) -> httpx2.AsyncClient:
        """A browser with a session; it sends the page's token."""
        browser = await self.stranger()
        browser.cookies.set(SESSION_COOKIE, session)
        browser.headers["X-CSRF-Token"] = csrf_token(SECRET, session)
        return browser

    async def stranger(self) -> httpx2.AsyncClient:
        """Somebody without a key."""
        return await self._stack.enter_async_context(httpx2.AsyncClient(base_url=self._site, timeout=20))


@pytest.fixture
async def api(callers: Callers, organization: Principal) -> Caller:
    """The owner's program."""
    return await callers.of(organization)
