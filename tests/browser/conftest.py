"""One Chromium for all browser tests of a session; every person in them has a context of their own."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
from playwright.async_api import Browser

from tests.support.browser import Prospect, running_chromium
from tests.support.stage import Stage

_chats = count(760000001)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with running_chromium() as browser:
        yield browser


@pytest.fixture
def vera(stage: Stage) -> Prospect:
    """A prospect nobody has heard of yet."""
    return Prospect(stage, next(_chats))


@pytest.fixture(autouse=True)
async def _closed_contexts(chromium: Browser) -> AsyncIterator[None]:
    """Close what a test opened: a page that stays keeps its live connection."""
    yield
    for context in chromium.contexts:
        await context.close()
