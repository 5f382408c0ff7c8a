"""The Neo4j of the session answers under its own password and under no other."""

import neo4j as driver
import pytest
from neo4j.exceptions import AuthError

from infra.servers.neo4j import Neo4jConfig


async def test_it_answers_in_the_version_of_the_pom(neo4j: Neo4jConfig) -> None:
    async with driver.AsyncGraphDatabase.driver(neo4j.uri, auth=(neo4j.user, neo4j.password)) as connected:
        records, _, _ = await connected.execute_query(
            "CALL dbms.components() YIELD versions RETURN versions[0] AS v"
        )

    assert records[0]["v"].startswith("5.26")


async def test_the_first_password_is_gone(neo4j: Neo4jConfig) -> None:
    async with driver.AsyncGraphDatabase.driver(neo4j.uri, auth=("neo4j", "neo4j")) as connected:
        with pytest.raises(AuthError):
            await connected.verify_connectivity()
