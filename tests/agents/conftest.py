"""The office that tests of agents work in."""

from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from infra.embedded import Urls
from tests.support.isolation.catalogue import Admin
from tests.support.office import Office, make_office


@pytest.fixture
async def office(database: Database, organization: Principal, settings: Settings) -> Office:
    return await make_office(database, organization, settings)


@pytest.fixture
async def russian_office(database: Database, organization: Principal, settings: Settings) -> Office:
    return await make_office(database, organization, settings, language="ru")


@pytest.fixture
async def admin(migrated: Urls) -> AsyncIterator[Admin]:
    """Above the policies, so that it sees every row."""
    url = make_conninfo(migrated.database_url, user="postgres")
    async with await AsyncConnection.connect(url, autocommit=True, row_factory=dict_row) as connection:
        yield connection
