"""A seat with a leased run, for every test of tools."""

import pytest

from core.db import Database
from core.principal import Principal
from tests.support.seats import Seat, make_seat


@pytest.fixture
async def seat(database: Database, organization: Principal) -> Seat:
    return await make_seat(database, organization)
