"""The theatre of the isolation harness and its doors: one per session, on servers of its own."""

from collections.abc import AsyncIterator

import pytest

from graph.neo4j import Neo4jAddress
from infra.servers.neo4j import Neo4jConfig
from tests.support.isolation.harness import Harness, open_harness
from tests.support.isolation.theatre import Theatre, open_theatre


@pytest.fixture(scope="session")
async def theatre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    async with open_theatre(tmp_path_factory.mktemp("isolation")) as opened:
        yield opened


@pytest.fixture(scope="session")
async def harness(theatre: Theatre, neo4j: Neo4jConfig) -> AsyncIterator[Harness]:
    async with open_harness(theatre, Neo4jAddress(neo4j.uri, neo4j.user, neo4j.password)) as opened:
        yield opened
