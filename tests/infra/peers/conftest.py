"""A peer for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.support.telegram_peer import Peer, running_peer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with running_peer() as running:
        yield running
