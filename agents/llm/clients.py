"""The clients of a process, one an endpoint: kept while they are in use, closed when they are not."""

import asyncio
import weakref
from collections import OrderedDict

import httpx2

from agents.llm.endpoint import Endpoint
from agents.llm.openai_compatible import OpenAICompatible

KEPT = 64


class Clients:
    """The newest clients by endpoint. Endpoints are values: while nothing about one changes, its connections stay."""

    def __init__(self, kept: int = KEPT) -> None:
        self._limit = kept
        self._kept: OrderedDict[Endpoint, OpenAICompatible] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def at(self, endpoint: Endpoint) -> OpenAICompatible:
        """The client of an endpoint; past the limit, the one that was not asked for longest is let go."""
        found = self._kept.pop(endpoint, None) or OpenAICompatible(endpoint)
        self._kept[endpoint] = found
        if len(self._kept) > self._limit:
            _, oldest = self._kept.popitem(last=False)
            # A run may still be asking it: the connections are closed once nobody holds it any more.
            weakref.finalize(oldest, self._close_soon, oldest.connections)
        return found

    async def close(self) -> None:
        """Close every client, also those that were let go."""
        kept, self._kept = self._kept, OrderedDict()
        for client in kept.values():
            await client.close()
        await asyncio.gather(*self._closing)

    def _close_soon(self, connections: httpx2.AsyncClient) -> None:
        try:
            closing = asyncio.get_running_loop().create_task(connections.aclose())
        except RuntimeError:  # the loop has ended, and every connection with it
            return
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
