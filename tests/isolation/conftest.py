"""The theatre of the isolation harness and its doors: one per session, on servers of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.support.isolation.harness import Harness, open_harness
from tests.support.isolation.theatre import Theatre, open_theatre


@pytest.fixture(scope="session")
async def theatre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    async with open_theatre(tmp_path_factory.mktemp("isolation")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def harness(theatre: Theatre) -> AsyncIterator[Harness]:
    async with open_harness(theatre) as opened:
        yield opened
