"""Looking again until there is something to see."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


async def until(look: Callable[[], Awaitable[Found | None]], seconds: float = 30) -> Found:
    """Look again until there is something to see."""
    for _ in range(int(seconds / 0.05)):
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise TimeoutError(f"nothing came of {look.__qualname__} in {seconds} s")
