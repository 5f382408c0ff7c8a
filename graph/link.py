"""The standing connection to Neo4j: looked for in the background, dropped at the first failure."""

import asyncio

import structlog

from core.settings import Settings
from graph.neo4j import Neo4jGraph, connect, discover
from graph.store import GraphAway

log = structlog.get_logger()


class Neo4jLink:
    """At most one connection, made by `probe` and given up by `lose`: the circuit breaker of the graph.

    `graph` is None while Neo4j does not answer. `connection` counts the connections that were made, so that who
    remembers something about the server can tell that it may be another one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._standing: Neo4jGraph | None = None
        self._probing = asyncio.Lock()
        self._abandoned: list[Neo4jGraph] = []
        self.connection = 0
        self.is_expected = discover(settings) is not None

    @property
    def graph(self) -> Neo4jGraph | None:
        return self._standing

    async def probe(self) -> None:
        """Connect, if Neo4j is there now and was not before; let go of one that answers no more."""
        async with self._probing:
            await self._close_abandoned()
            address = discover(self._settings)
            self.is_expected = address is not None or self.is_expected
            if self._standing is not None and self._standing.address != address:
                self.lose(self._standing, "it moved")
            standing = self._standing
            try:
                if standing is not None:
                    await standing.ping()
                elif address is not None:
                    self._standing = await connect(address)
                    self.connection += 1
                    log.info("graph.connected", uri=address.uri)
            except GraphAway as err:
                if standing is not None:
                    self.lose(standing, str(err))

    def lose(self, graph: Neo4jGraph, reason: str) -> None:
        """Stop asking this server until a probe finds it again; a late failure of an earlier one changes nothing."""
        if self._standing is graph:
            log.warning("graph.lost", reason=reason)
            self._abandoned.append(graph)
            self._standing = None

    async def _close_abandoned(self) -> None:
        """Close what nobody asks any more; a question that is still under way fails over like any other."""
        while self._abandoned:
            await self._abandoned.pop().close()

    async def close(self) -> None:
        if self._standing is not None:
            self._abandoned.append(self._standing)
            self._standing = None
        await self._close_abandoned()
