"""The office that tests of agents work in."""

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from tests.support.office import Office, make_office


@pytest.fixture
async def office(database: Database, organization: Principal, settings: Settings) -> Office:
    return await make_office(database, organization, settings)


@pytest.fixture
async def russian_office(database: Database, organization: Principal, settings: Settings) -> Office:
    return await make_office(database, organization, settings, language="ru")
