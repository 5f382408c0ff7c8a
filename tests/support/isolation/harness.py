"""All doors of the product at once: what is probed, in which order, and how much of it."""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx2
from fastapi import FastAPI

from api.cookies import SESSION_COOKIE
from api.main import create_app
from api.routes.tools import TOOLS
from crm.identity.models import Role
from graph.neo4j import Neo4jAddress, connect
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from graph.store import Projection
from tests.support.isolation import functions, graphs, http, mcp, recalls, sql, stores, streams
from tests.support.isolation import tools as tool_calls
from tests.support.isolation.http import Caller
from tests.support.isolation.probes import Probe
from tests.support.isolation.surface import Surface, read_surface
from tests.support.isolation.theatre import Theatre
from tests.support.site import running_app
from tools import registry
from tools.base import Tool


@dataclass
class Harness:
    """The theatre with its doors open. `tools` are the registry's, unless a planted leak has put others there."""

    theatre: Theatre
    app: FastAPI
    surface: Surface
    people: list[Caller]
    victim: Caller
    graphs: list[Projection]
    tools: Sequence[Tool[Any]] = field(default_factory=lambda: registry.TOOLS)

    async def warm_up(self) -> None:
        await http.warm_up(self.theatre, self.surface, self.victim)

    def probes(self, *, depth: int) -> Iterator[Probe]:
        """Every ordinary probe; `depth` is how many of the victim's ids of a kind are tried in a slot."""
        yield from sql.sql_probes(self.theatre)
        yield from functions.function_probes(self.theatre)
        yield from http.http_probes(self.theatre, self.surface, self.people, depth=depth)
        yield from http.search_probes(self.theatre, self.surface, self.people)
        yield from graphs.graph_probes(self.theatre, self.graphs, depth=depth)
        yield from streams.stream_probes(self.theatre, self.people, depth=depth)
        yield from recalls.recall_probes(self.theatre, self.graphs[0], depth=depth)
        yield from stores.store_probes(self.theatre)
        yield from tool_calls.tool_probes(self.theatre, self.graphs[0], self.tools, depth=depth)
        yield from mcp.mcp_probes(self.theatre, self.people, TOOLS, depth=depth)

    def only(self, kind: str, subjects: Collection[str] = (), *, depth: int = 2) -> Iterator[Probe]:
        """The ordinary probes of one door, or of some subjects behind it."""
        for probe in self.probes(depth=depth):
            if probe.kind == kind and (not subjects or probe.subject in subjects):
                yield probe


@asynccontextmanager
async def open_harness(theatre: Theatre, neo4j: Neo4jAddress) -> AsyncIterator[Harness]:
    """The web process, its visitors, and both graphs with both organizations in them."""
    app = create_app(theatre.settings)
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(running_app(app))
        people = await http.callers(theatre, site)
        client = httpx2.AsyncClient(base_url=site, timeout=20)
        client.cookies.set(SESSION_COOKIE, theatre.victim.sessions[Role.OWNER])
        victim = Caller("the victim", client)
        for caller in (*people, victim):
            stack.push_async_callback(caller.client.aclose)
        server = await graphs.patiently(lambda: connect(neo4j))
        stack.push_async_callback(server.close)
        for tenant in (theatre.attacker, theatre.victim):
            await graphs.patiently(partial(rebuild, theatre.db, tenant.owner, server))
        adapters: list[Projection] = [PostgresGraph(theatre.db), server]
        await theatre.take_stock()
        yield Harness(theatre, app, read_surface(app), people, victim, adapters)
