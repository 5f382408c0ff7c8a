"""A peer and the real channel that talks to it."""

from collections.abc import AsyncIterator

import pytest

from channels.base import Credentials
from channels.telegram.client import TelegramClient
from channels.telegram.outbound import TelegramChannel
from core.ids import uuid7
from core.settings import Settings
from tests.support.telegram_peer import TOKEN, Peer, running_peer


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with running_peer() as running:
        yield running


@pytest.fixture
async def channel(peer: Peer) -> AsyncIterator[TelegramChannel]:
    settings = Settings(
        telegram_api_base=peer.base, channel_timeout_seconds=0.5, telegram_file_limit_bytes=50_000
    )
    made = TelegramChannel(TelegramClient(settings))
    yield made
    await made.close()


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(uuid7(), TOKEN)
