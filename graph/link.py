"""The standing connection to Neo4j: looked for in the background, dropped at the first failure."""

import asyncio

import structlog

from core.settings import Settings
from graph.neo4j import Neo4jGraph, discover
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
            standing = self._standing
            if standing is not None and standing.address != address:
                self.lose("it moved")
                standing = None
            try:
                if standing is not None:
                    await standing.ping()
                elif address is not None:
                    await self._connect(Neo4jGraph(address))
            except GraphAway as err:
                self.lose(str(err))

    async def _connect(self, graph: Neo4jGraph) -> None:
        try:
            await graph.prepare()
        except GraphAway:
            await graph.close()
            return
        self._standing = graph
        self.connection += 1
        log.info("graph.connected", uri=graph.address.uri)

    def lose(self, reason: str) -> None:
        """Stop asking this server until a probe finds it again."""
        if self._standing is not None:
            log.warning("graph.lost", reason=reason)
            self._abandoned.append(self._standing)
            self._standing = None

    async def _close_abandoned(self) -> None:
        """Close what nobody asks any more; a question that is still under way fails over like any other."""
        while self._abandoned:
            await self._abandoned.pop().close()

    async def close(self) -> None:
        self.lose("it is closed")
        await self._close_abandoned()
