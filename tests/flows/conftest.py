"""Who acts in the flows."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stage import Stage
from tests.support.visitor import Visitor, signed_in


@pytest.fixture
async def anna(stage: Stage) -> AsyncIterator[Visitor]:
    """The owner, signed in over HTTP."""
    async with signed_in(stage.fleet.base, stage.email) as visitor:
        yield visitor
