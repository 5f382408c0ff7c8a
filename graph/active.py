"""Which graph answers: Neo4j when it is there and complete, else its copy in PostgreSQL. Nobody else asks that."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

import structlog

from core.db import Database, Tx
from core.errors import Unavailable
from core.ids import uuid7
from core.principal import Principal, Visibility, system
from core.settings import Settings
from crm.facts.queries import list_named
from events.types import Event
from graph import projections
from graph.link import Neo4jLink
from graph.neo4j import Neo4jGraph
from graph.postgres import PostgresGraph, write
from graph.projections import Claim
from graph.projector import Difference, read_changes, rebuild, repair
from graph.store import (
    MAX_HOPS,
    Acquaintances,
    Adapter,
    GraphAway,
    GraphSlow,
    GraphStore,
    Neighbourhood,
    PathAnswer,
    Projection,
    Snapshot,
)

log = structlog.get_logger()
Answer = TypeVar("Answer", Neighbourhood, PathAnswer, Acquaintances)

PROBE_SECONDS = 2.0
# How long a process goes on reading Neo4j after another one has found that a write did not arrive there.
_BELIEF_SECONDS = 2.0
_SWEEP_SECONDS = 60.0
# How long a process that starts waits for a Neo4j that answers slowly.
_PATIENCE_SECONDS = 3.0
_LEASE_SECONDS = 30.0


class ActiveGraph:
    """The graph of the product, as every process holds it."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._db = db
        self._postgres = PostgresGraph(db)
        self._link = Neo4jLink(settings)
        self._beliefs: dict[UUID, tuple[float, int, bool]] = {}
        self._behind: set[UUID] = set()
        self._swept = (0.0, -1)
        self._probed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, db: Database) -> AsyncIterator["ActiveGraph"]:
        """Look for Neo4j now and every two seconds, until the block ends."""
        graph = cls(settings, db)
        probing = asyncio.create_task(graph._keep_probing())
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(graph._probed.wait(), _PATIENCE_SECONDS)
            yield graph
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)
            await graph.close()

    async def _keep_probing(self) -> None:
        while True:
            await self.probe()
            self._probed.set()
            await asyncio.sleep(PROBE_SECONDS)

    async def probe(self) -> None:
        """Look whether Neo4j is there; questions never wait for a connection, they only use one that stands."""
        await self._link.probe()

    async def close(self) -> None:
        await self._link.close()

    def forget(self) -> None:
        """Ask both servers anew whether Neo4j is complete before the next question."""
        self._beliefs.clear()

    # questions ----------------------------------------------------------------------------------------------------

    async def neighbourhood(
        self, principal: Principal, node_id: UUID, *, hops: int = 1, limit: int = 25
    ) -> Neighbourhood:
        async def ask(store: GraphStore) -> Neighbourhood:
            return await store.neighbourhood(principal, node_id, hops=hops, limit=limit)

        found = await self._answer(principal, ask)
        hidden = await self._hidden(principal, [node.id for node in found.nodes])
        if not hidden:
            return found
        nodes = () if node_id in hidden else tuple(node for node in found.nodes if node.id not in hidden)
        shown = {node.id for node in nodes}
        edges = tuple(edge for edge in found.edges if {edge.source, edge.target} <= shown)
        return replace(found, nodes=nodes, edges=edges)

    async def warm_path(
        self, principal: Principal, target: UUID, *, sources: Sequence[UUID] = (), max_hops: int = MAX_HOPS
    ) -> PathAnswer:
        async def ask(store: GraphStore) -> PathAnswer:
            return await store.warm_path(principal, target, sources=sources, max_hops=max_hops)

        answer = await self._answer(principal, ask)
        ids = [node.id for node in answer.path.nodes] if answer.path else []
        return replace(answer, path=None) if await self._hidden(principal, ids) else answer

    async def who_knows(self, principal: Principal, company_id: UUID, *, limit: int = 10) -> Acquaintances:
        async def ask(store: GraphStore) -> Acquaintances:
            return await store.who_knows(principal, company_id, limit=limit)

        answer = await self._answer(principal, ask)
        people = [one.person.id for one in answer.found]
        hidden = await self._hidden(principal, [company_id, *people] if people else [])
        if not hidden:
            return answer
        found = (
            () if company_id in hidden else tuple(one for one in answer.found if one.person.id not in hidden)
        )
        return replace(answer, found=found)

    async def _answer(self, principal: Principal, ask: Callable[[GraphStore], Awaitable[Answer]]) -> Answer:
        neo4j = self._link.graph
        if neo4j is not None:
            try:
                if await self._is_current(principal, neo4j):
                    return await ask(neo4j)
            except GraphSlow:
                log.warning("graph.slow")
            except GraphAway as err:
                self._link.lose(neo4j, str(err))
        answer = await ask(self._postgres)
        return replace(answer, is_copy=self._link.is_expected)

    async def _is_current(self, principal: Principal, neo4j: Neo4jGraph) -> bool:
        """Whether Neo4j holds all facts of this organization; asked of both servers every two seconds."""
        organization_id = principal.organization_id
        checked_at, connection, belief = self._beliefs.get(organization_id, (0.0, -1, False))
        if connection == self._link.connection and time.monotonic() - checked_at < _BELIEF_SECONDS:
            return belief
        async with self._db.transaction(principal, "graph.currency") as tx:
            token = await projections.find_token(tx, Adapter.NEO4J)
        belief = token is not None and await neo4j.read_stamp(principal) == token
        self._beliefs[organization_id] = (time.monotonic(), self._link.connection, belief)
        if not belief:
            self._behind.add(organization_id)
        return belief

    async def _hidden(self, principal: Principal, ids: Sequence[UUID]) -> set[UUID]:
        """Which of these a seat that sees only what it is assigned may not see: the database's policies decide."""
        if principal.visibility is Visibility.ALL or not ids:
            return set()
        async with self._db.transaction(principal, "graph.visible") as tx:
            return set(ids) - {named.id for named in await list_named(tx, ids)}

    # writes -------------------------------------------------------------------------------------------------------

    async def project(self, principal: Principal, event: Event) -> None:
        """Bring the graphs in step with what the event is about; repeating it changes nothing.

        A Neo4j that is away costs nothing here: its projection is marked as behind and caught up later.
        """
        neo4j = self._link.graph
        async with self._db.transaction(principal, "graph.project") as tx:
            changes = await read_changes(tx, event)
            if changes.is_empty:
                return
            await write(tx, changes)
            if neo4j is None:
                await self._mark_behind(tx)
        if neo4j is None:
            return
        try:
            await neo4j.apply(principal, changes)
        except GraphAway as err:
            self._link.lose(neo4j, str(err))
            async with self._db.transaction(principal, "graph.missed") as tx:
                await self._mark_behind(tx)

    async def _mark_behind(self, tx: Tx) -> None:
        await projections.mark_behind(tx, Adapter.NEO4J)
        self._beliefs.pop(tx.organization_id, None)
        self._behind.add(tx.organization_id)

    async def catch_up(self) -> int:
        """Complete Neo4j for every organization that it is behind with; returns how many were completed.

        Call it every few seconds in a worker, outside any transaction; it costs nothing while Neo4j is away or
        nothing was missed. All organizations are looked at after each new connection, and once a minute.
        """
        neo4j, connection = self._link.graph, self._link.connection
        if neo4j is None:
            return 0
        swept_at, swept_connection = self._swept
        organizations = set(self._behind)
        is_due = swept_connection != connection or time.monotonic() - swept_at > _SWEEP_SECONDS
        if is_due:
            organizations |= set(await self._organizations())
        completed = 0
        for organization_id in organizations:
            completed += await self.catch_up_organization(organization_id)
        if is_due and self._link.connection == connection and self._link.graph is not None:
            self._swept = (time.monotonic(), connection)
        return completed

    async def _organizations(self) -> list[UUID]:
        async with self._db.across_tenants("graph.organizations") as connection:
            cursor = await connection.execute("SELECT all_organizations() AS id")
            return [row["id"] for row in await cursor.fetchall()]

    async def catch_up_organization(self, organization_id: UUID) -> bool:
        """Complete Neo4j for one organization; False when it was complete, is away, or another process is at it."""
        principal, neo4j = system(organization_id), self._link.graph
        if neo4j is None:
            return False
        try:
            self._beliefs.pop(organization_id, None)
            if await self._is_current(principal, neo4j):
                self._behind.discard(organization_id)
                return False
            return await self._complete(principal, neo4j, repair) == []
        except GraphAway as err:
            self._link.lose(neo4j, str(err))
            return False

    async def erase(self, principal: Principal) -> None:
        """Take an organization's graph out of Neo4j; the copy in PostgreSQL is rows. Raises: Unavailable while it is away."""
        await self.probe()
        neo4j = self._link.graph
        if not self._link.is_expected:
            return
        if neo4j is None:
            raise Unavailable("Neo4j is away; the organization's graph is removed once it is back.")
        try:
            await neo4j.replace(principal, Snapshot((), ()))
        except GraphAway as err:
            self._link.lose(neo4j, str(err))
            raise Unavailable(
                "Neo4j went away; the organization's graph is removed once it is back."
            ) from err

    async def rebuild(self, principal: Principal) -> dict[Adapter, list[Difference]]:
        """Drop and make anew the graphs of one organization; returns per adapter what still differs from the facts.

        Raises: Unavailable while Neo4j is expected and does not answer, or is being caught up by a worker.
        """
        await self.probe()
        differences = {Adapter.POSTGRES: await rebuild(self._db, principal, self._postgres)}
        if not self._link.is_expected:
            return differences
        found = await self._rebuild_neo4j(principal)
        if found is None:
            raise Unavailable(
                "Neo4j is away or being caught up; the copy in PostgreSQL was rebuilt. Try again."
            )
        return differences | {Adapter.NEO4J: found}

    async def _rebuild_neo4j(self, principal: Principal) -> list[Difference] | None:
        neo4j = self._link.graph
        if neo4j is None:
            return None
        try:
            return await self._complete(principal, neo4j, rebuild)
        except GraphAway as err:
            self._link.lose(neo4j, str(err))
            return None

    async def _complete(
        self,
        principal: Principal,
        neo4j: Neo4jGraph,
        make: Callable[[Database, Principal, Projection], Awaitable[list[Difference]]],
    ) -> list[Difference] | None:
        """Claim the projection, write it, stamp it; None when somebody else is at it."""
        async with self._db.transaction(principal, "graph.claim") as tx:
            claim = await projections.claim(tx, Adapter.NEO4J, uuid7(), _LEASE_SECONDS)
        if claim is None:
            return None
        is_complete = False
        renewal = asyncio.create_task(self._keep_lease(principal, claim))
        try:
            differences = await make(self._db, principal, neo4j)
            if not differences:
                await neo4j.write_stamp(principal, claim.token)
                is_complete = True
        finally:
            renewal.cancel()
            async with self._db.transaction(principal, "graph.release") as tx:
                is_current = await projections.release(tx, Adapter.NEO4J, claim, is_complete=is_complete)
        if is_current:
            self._behind.discard(principal.organization_id)
        self._beliefs.pop(principal.organization_id, None)
        log.info("graph.caught_up", is_current=is_current, differences=len(differences))
        return differences

    async def _keep_lease(self, principal: Principal, claim: Claim) -> None:
        while True:
            await asyncio.sleep(_LEASE_SECONDS / 3)
            async with self._db.transaction(principal, "graph.renew") as tx:
                await projections.renew(tx, Adapter.NEO4J, claim, _LEASE_SECONDS)
