"""The graph in Neo4j: one database for all tenants, so every query goes through a gateway that binds the tenant."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import neo4j
from neo4j import READ_ACCESS, AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction, Query
from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError

from core import clock
from core.principal import Principal, system
from core.settings import Settings
from graph.schema import EdgeType, Label
from graph.store import (
    MAX_HOPS,
    MAX_NEIGHBOURS,
    Acquaintance,
    Acquaintances,
    Adapter,
    Changes,
    Edge,
    GraphAway,
    GraphSlow,
    Neighbourhood,
    Node,
    Path,
    PathAnswer,
    Snapshot,
    batches,
)

_CONNECT_SECONDS = 1.0
_READ_SECONDS = 1.5
_WRITE_SECONDS = 5.0
_WARM_UP_SECONDS = 30.0
_LONG_SECONDS = 600.0

_CONSTRAINTS: Final[tuple[LiteralString, ...]] = (
    """
    CREATE CONSTRAINT entity_key IF NOT EXISTS
       FOR (n:Entity) REQUIRE (n.organization_id, n.id) IS UNIQUE
    """,
    """
    CREATE CONSTRAINT projection_key IF NOT EXISTS
       FOR (p:Projection) REQUIRE p.organization_id IS UNIQUE
    """,
    """
    CREATE INDEX users_of_organization IF NOT EXISTS
       FOR (n:User) ON (n.organization_id)
    """,
    """
    CREATE INDEX works_at_fact IF NOT EXISTS
       FOR ()-[r:WORKS_AT]-() ON (r.organization_id, r.fact_id)
    """,
    """
    CREATE INDEX knows_fact IF NOT EXISTS
       FOR ()-[r:KNOWS]-() ON (r.organization_id, r.fact_id)
    """,
    """
    CREATE INDEX interacted_fact IF NOT EXISTS
       FOR ()-[r:INTERACTED]-() ON (r.organization_id, r.fact_id)
    """,
)

_NEIGHBOURHOOD: Final = """
MATCH (c:Entity {organization_id: $organization_id, id: $node_id})
CALL (c) {
    MATCH (c)-[r {organization_id: $organization_id}]-(n:Entity {organization_id: $organization_id})
    WHERE r.valid_from <= $at AND (r.valid_to IS NULL OR r.valid_to > $at)
    WITH r, n
    ORDER BY r.weight DESC, n.id
    LIMIT $limit
    RETURN collect({edge: r {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(r),
                             source: startNode(r).id, target: endNode(r).id}, node: n}) AS first
}
CALL (first) {
    UNWIND CASE WHEN $hops > 1 THEN first[..$limit - 1] ELSE [] END AS found
    WITH DISTINCT found.node AS m
    CALL (m) {
        MATCH (m)-[r {organization_id: $organization_id}]-(n:Entity {organization_id: $organization_id})
        WHERE r.valid_from <= $at AND (r.valid_to IS NULL OR r.valid_to > $at)
        WITH r, n
        ORDER BY r.weight DESC, n.id
        LIMIT $limit
        RETURN collect({edge: r {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(r),
                                 source: startNode(r).id, target: endNode(r).id}, node: n}) AS found
    }
    RETURN collect(found) AS second
}
RETURN c, first, second
"""

_WARM_PATH: Final = """
MATCH (t:Entity {organization_id: $organization_id, id: $target})
MATCH (s:Entity {organization_id: $organization_id})
WHERE s.id IN $sources AND s <> t
MATCH p = allShortestPaths((s)-[:WORKS_AT|KNOWS|INTERACTED*..4]-(t))
WHERE all(r IN relationships(p) WHERE r.organization_id = $organization_id AND r.trust = 'confirmed'
              AND r.valid_from <= $at AND (r.valid_to IS NULL OR r.valid_to > $at))
  AND length(p) <= $max_hops
WITH p, reduce(strength = 1.0, r IN relationships(p) | strength * r.weight) AS strength
ORDER BY length(p), strength DESC, [n IN nodes(p) | n.id]
LIMIT 1
RETURN nodes(p) AS nodes,
       [r IN relationships(p) | r {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(r),
                                   source: startNode(r).id, target: endNode(r).id}] AS edges
"""

_WARM_PATH_FROM_ANYBODY: Final = """
MATCH (t:Entity {organization_id: $organization_id, id: $target})
MATCH (s:User {organization_id: $organization_id})
WHERE s <> t
MATCH p = allShortestPaths((s)-[:WORKS_AT|KNOWS|INTERACTED*..4]-(t))
WHERE all(r IN relationships(p) WHERE r.organization_id = $organization_id AND r.trust = 'confirmed'
              AND r.valid_from <= $at AND (r.valid_to IS NULL OR r.valid_to > $at))
  AND length(p) <= $max_hops
WITH p, reduce(strength = 1.0, r IN relationships(p) | strength * r.weight) AS strength
ORDER BY length(p), strength DESC, [n IN nodes(p) | n.id]
LIMIT 1
RETURN nodes(p) AS nodes,
       [r IN relationships(p) | r {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(r),
                                   source: startNode(r).id, target: endNode(r).id}] AS edges
"""

_WHO_KNOWS: Final = """
MATCH (c:Entity {organization_id: $organization_id, id: $company_id})
      <-[job:WORKS_AT {organization_id: $organization_id, trust: 'confirmed'}]-
      (p:Person {organization_id: $organization_id})
      <-[tie:KNOWS|INTERACTED {organization_id: $organization_id, trust: 'confirmed'}]-
      (u:User {organization_id: $organization_id})
WHERE job.valid_from <= $at AND (job.valid_to IS NULL OR job.valid_to > $at)
  AND tie.valid_from <= $at AND (tie.valid_to IS NULL OR tie.valid_to > $at)
WITH u, p, c, tie, job
ORDER BY tie.weight DESC, u.id, p.id, tie.fact_id
LIMIT $limit
RETURN u, p,
       tie {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(tie), source: u.id, target: p.id} AS tie,
       job {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(job), source: p.id, target: c.id} AS job
"""

_SET_NODES: Final = """
UNWIND $nodes AS node
MERGE (n:Entity {organization_id: $organization_id, id: node.id})
  SET n.name = node.name, n:$(node.label)
"""

_MAKE_MISSING_NODES: Final = """
UNWIND $nodes AS node
MERGE (n:Entity {organization_id: $organization_id, id: node.id})
   ON CREATE SET n.name = node.name, n:$(node.label)
"""

_SET_EDGES: Final = """
UNWIND $edges AS edge
MATCH (a:Entity {organization_id: $organization_id, id: edge.source})
MATCH (b:Entity {organization_id: $organization_id, id: edge.target})
MERGE (a)-[r:$(edge.type) {organization_id: $organization_id, fact_id: edge.fact_id}]->(b)
  SET r.weight = edge.weight, r.trust = edge.trust, r.valid_from = edge.valid_from, r.valid_to = edge.valid_to
"""

_REMOVE_EDGES: Final = """
UNWIND $fact_ids AS fact_id
MATCH ()-[r:WORKS_AT|KNOWS|INTERACTED {organization_id: $organization_id, fact_id: fact_id}]->()
DELETE r
"""

_REMOVE_NODES: Final = """
MATCH (n:Entity {organization_id: $organization_id})
WHERE n.id IN $node_ids
DETACH DELETE n
"""

_DROP: Final = """
MATCH (n {organization_id: $organization_id})
WHERE n:Entity OR n:Projection
CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS
"""

_ALL_NODES: Final = "MATCH (n:Entity {organization_id: $organization_id}) RETURN n"

_ALL_EDGES: Final = """
MATCH (a:Entity {organization_id: $organization_id})-[r]->(b:Entity)
RETURN r {.fact_id, .weight, .trust, .valid_from, .valid_to, type: type(r), source: a.id, target: b.id} AS edge
"""

_READ_STAMP: Final = "MATCH (p:Projection {organization_id: $organization_id}) RETURN p.token AS token"

_WRITE_STAMP: Final = "MERGE (p:Projection {organization_id: $organization_id}) SET p.token = $token"

# Every query of this adapter; a test holds that each is bound to the organization.
QUERIES: Final[tuple[LiteralString, ...]] = (
    _NEIGHBOURHOOD,
    _WARM_PATH,
    _WARM_PATH_FROM_ANYBODY,
    _WHO_KNOWS,
    _SET_NODES,
    _MAKE_MISSING_NODES,
    _SET_EDGES,
    _REMOVE_EDGES,
    _REMOVE_NODES,
    _DROP,
    _ALL_NODES,
    _ALL_EDGES,
    _READ_STAMP,
    _WRITE_STAMP,
)


@dataclass(frozen=True)
class Neo4jAddress:
    """Where the server is and how to log in."""

    uri: str
    user: str
    password: str


def discover(settings: Settings) -> Neo4jAddress | None:
    """The server that the operator named, else the one that `getsale up` announced in the data folder, else None."""
    if settings.neo4j_uri:
        return Neo4jAddress(
            settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password.get_secret_value()
        )
    try:
        announced = json.loads(settings.data.joinpath("neo4j.json").read_text())
        return Neo4jAddress(announced["uri"], announced["user"], announced["password"])
    except (OSError, ValueError, KeyError):
        return None


def _driver(address: Neo4jAddress) -> AsyncDriver:
    return AsyncGraphDatabase.driver(
        address.uri,
        auth=(address.user, address.password),
        connection_timeout=_CONNECT_SECONDS,
        connection_acquisition_timeout=_READ_SECONDS,
        max_transaction_retry_time=_WRITE_SECONDS / 2,
        keep_alive=True,
        notifications_min_severity="OFF",
        telemetry_disabled=True,
    )


async def connect(address: Neo4jAddress) -> "Neo4jGraph":
    """Log in, make the constraints and indexes, and ask every question once, since a fresh server plans slowly.

    Raises: GraphAway, also when the address or login is wrong.
    """
    try:
        graph = Neo4jGraph(address)
    except (DriverError, ValueError) as err:
        raise GraphAway(f"{address.uri} is no address of a Neo4j: {type(err).__name__}") from err
    try:
        async with _translated(_WARM_UP_SECONDS):
            await graph.ping()
            await graph.prepare()
            await graph.warm_up()
    except (GraphAway, Neo4jError) as err:
        await graph.close()
        raise GraphAway(str(err)) from err
    return graph


@asynccontextmanager
async def _translated(seconds: float) -> AsyncIterator[None]:
    """Bound the time, and say in our words that the server does not answer; a malformed query stays a bug."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (TimeoutError, OSError, DriverError, AuthError) as err:
        raise GraphAway(f"Neo4j does not answer: {type(err).__name__}") from err
    except ClientError as err:
        if "TransactionTimedOut" not in (err.code or ""):
            raise
        raise GraphSlow("Neo4j gave up on a question that took too long") from err
    except Neo4jError as err:
        raise GraphAway(f"Neo4j cannot answer now: {err.code}") from err


class _Gateway:
    """The only way to the server: every query carries its tenant, and one that forgets it is refused."""

    def __init__(self, address: Neo4jAddress) -> None:
        self._driver = _driver(address)

    async def read(
        self, principal: Principal, query: LiteralString, **params: object
    ) -> list[dict[str, Any]]:
        return await self._read(principal, query, params, _READ_SECONDS)

    async def read_all(
        self, principal: Principal, query: LiteralString, **params: object
    ) -> list[dict[str, Any]]:
        """As `read`, for what may take long."""
        return await self._read(principal, query, params, _LONG_SECONDS)

    async def _read(
        self, principal: Principal, query: LiteralString, params: dict[str, object], seconds: float
    ) -> list[dict[str, Any]]:
        """One round trip: the query commits by itself, and is not tried again, since the copy can answer."""
        bound = _bound(principal, query, params)
        async with _translated(seconds), self._driver.session(default_access_mode=READ_ACCESS) as session:
            # The server gives up first, if it is well: a slow question is no reason to think it away.
            result = await session.run(Query(query, timeout=seconds * 0.8), bound)
            return [dict(record) async for record in result]

    async def write(self, principal: Principal, *steps: tuple[LiteralString, dict[str, object]]) -> None:
        """Run the steps in one transaction."""
        bound = [(query, _bound(principal, query, params)) for query, params in steps]
        async with _translated(_WRITE_SECONDS), self._driver.session() as session:
            await session.execute_write(_run_all, bound)

    async def write_in_batches(self, principal: Principal, query: LiteralString) -> None:
        """For a query that commits by itself as it goes."""
        async with _translated(_LONG_SECONDS), self._driver.session() as session:
            result = await session.run(query, _bound(principal, query, {}))
            await result.consume()

    async def prepare(self) -> None:
        """Make the constraints and indexes; they belong to no tenant. Two processes may do so at once."""
        async with _translated(_WRITE_SECONDS), self._driver.session() as session:
            for statement in _CONSTRAINTS:
                try:
                    # a managed transaction is tried again when the two lock each other out
                    await session.execute_write(_run_all, [(statement, {})])
                except ClientError as err:
                    # IF NOT EXISTS looks before the other one has committed
                    if "AlreadyExists" not in (err.code or ""):
                        raise

    async def ping(self) -> None:
        async with _translated(_READ_SECONDS):
            await self._driver.verify_connectivity()

    async def close(self) -> None:
        await self._driver.close()


def _bound(principal: Principal, query: LiteralString, params: dict[str, object]) -> dict[str, object]:
    if "organization_id: $organization_id" not in query:
        raise RuntimeError("a graph query must name the organization it reads")
    return {**params, "organization_id": str(principal.organization_id)}


async def _run_all(
    tx: AsyncManagedTransaction, steps: Sequence[tuple[LiteralString, dict[str, object]]]
) -> None:
    for query, params in steps:
        result = await tx.run(query, params)
        await result.consume()


class Neo4jGraph:
    """The product's graph wherever Neo4j runs. Every call raises GraphAway when the server does not answer."""

    adapter = Adapter.NEO4J

    def __init__(self, address: Neo4jAddress) -> None:
        self.address = address
        self._gateway = _Gateway(address)

    async def close(self) -> None:
        await self._gateway.close()

    async def prepare(self) -> None:
        await self._gateway.prepare()

    async def ping(self) -> None:
        await self._gateway.ping()

    async def warm_up(self) -> None:
        """Ask each question in the name of an organization that does not exist."""
        nobody, at = system(UUID(int=0)), clock.now()
        await self._gateway.read_all(nobody, _NEIGHBOURHOOD, node_id="", hops=1, limit=1, at=at)
        await self._gateway.read_all(nobody, _WARM_PATH, target="", sources=[], max_hops=1, at=at)
        await self._gateway.read_all(nobody, _WARM_PATH_FROM_ANYBODY, target="", max_hops=1, at=at)
        await self._gateway.read_all(nobody, _WHO_KNOWS, company_id="", limit=1, at=at)
        await self._gateway.read_all(nobody, _READ_STAMP)

    async def neighbourhood(
        self, principal: Principal, node_id: UUID, *, hops: int = 1, limit: int = 25
    ) -> Neighbourhood:
        principal.require("facts:read")
        limit = max(1, min(limit, MAX_NEIGHBOURS))
        rows = await self._gateway.read(
            principal, _NEIGHBOURHOOD, node_id=str(node_id), hops=hops, limit=limit + 1, at=clock.now()
        )
        if not rows:
            return Neighbourhood(node_id, (), (), False, self.adapter)
        levels = [rows[0]["first"], *rows[0]["second"]]
        kept = [found for level in levels for found in level[:limit]]
        nodes = {node.id: node for node in [_node(rows[0]["c"]), *(_node(found["node"]) for found in kept)]}
        edges = {edge.fact_id: edge for edge in (_edge(found["edge"]) for found in kept)}
        is_cut = any(len(level) > limit for level in levels)
        return Neighbourhood(node_id, tuple(nodes.values()), tuple(edges.values()), is_cut, self.adapter)

    async def warm_path(
        self, principal: Principal, target: UUID, *, sources: Sequence[UUID] = (), max_hops: int = MAX_HOPS
    ) -> PathAnswer:
        principal.require("facts:read")
        query = _WARM_PATH if sources else _WARM_PATH_FROM_ANYBODY
        rows = await self._gateway.read(
            principal,
            query,
            target=str(target),
            sources=[str(source) for source in sources],
            max_hops=max_hops,
            at=clock.now(),
        )
        if not rows or target in sources:
            return PathAnswer(None, self.adapter)
        path = Path(tuple(map(_node, rows[0]["nodes"])), tuple(map(_edge, rows[0]["edges"])))
        return PathAnswer(path, self.adapter)

    async def who_knows(self, principal: Principal, company_id: UUID, *, limit: int = 10) -> Acquaintances:
        principal.require("facts:read")
        rows = await self._gateway.read(
            principal,
            _WHO_KNOWS,
            company_id=str(company_id),
            limit=max(1, min(limit, MAX_NEIGHBOURS)),
            at=clock.now(),
        )
        found = [
            Acquaintance(_node(row["u"]), _node(row["p"]), _edge(row["tie"]), _edge(row["job"]))
            for row in rows
        ]
        return Acquaintances(tuple(found), self.adapter)

    async def apply(self, principal: Principal, changes: Changes) -> None:
        steps: list[tuple[LiteralString, dict[str, object]]] = []
        if changes.nodes:
            steps.append((_SET_NODES, {"nodes": [_node_params(node) for node in changes.nodes]}))
        if changes.ends:
            steps.append((_MAKE_MISSING_NODES, {"nodes": [_node_params(node) for node in changes.ends]}))
        if changes.gone_edges:
            steps.append((_REMOVE_EDGES, {"fact_ids": [str(fact_id) for fact_id in changes.gone_edges]}))
        if changes.edges:
            steps.append((_SET_EDGES, {"edges": [_edge_params(edge) for edge in changes.edges]}))
        if changes.gone_nodes:
            steps.append((_REMOVE_NODES, {"node_ids": [str(node_id) for node_id in changes.gone_nodes]}))
        if steps:
            await self._gateway.write(principal, *steps)

    async def replace(self, principal: Principal, snapshot: Snapshot) -> None:
        await self._gateway.write_in_batches(principal, _DROP)
        for changes in batches(snapshot):
            await self.apply(principal, changes)

    async def snapshot(self, principal: Principal) -> Snapshot:
        nodes = await self._gateway.read_all(principal, _ALL_NODES)
        edges = await self._gateway.read_all(principal, _ALL_EDGES)
        return Snapshot(
            tuple(_node(row["n"]) for row in nodes),
            tuple(_edge(row["edge"]) for row in edges),
        )

    async def read_stamp(self, principal: Principal) -> UUID | None:
        """The token that the last complete projection of this organization left, or None."""
        rows = await self._gateway.read(principal, _READ_STAMP)
        return UUID(rows[0]["token"]) if rows else None

    async def write_stamp(self, principal: Principal, token: UUID) -> None:
        await self._gateway.write(principal, (_WRITE_STAMP, {"token": str(token)}))


def _node(found: neo4j.graph.Node) -> Node:
    label = next(Label(label) for label in sorted(found.labels) if label != "Entity")
    return Node(UUID(found["id"]), label, found["name"])


def _edge(found: dict[str, Any]) -> Edge:
    return Edge(
        UUID(found["fact_id"]),
        EdgeType(found["type"]),
        UUID(found["source"]),
        UUID(found["target"]),
        found["weight"],
        found["trust"],
        found["valid_from"].to_native(),
        found["valid_to"].to_native() if found["valid_to"] else None,
    )


def _node_params(node: Node) -> dict[str, object]:
    return {"id": str(node.id), "label": Label(node.label).value, "name": node.name}


def _edge_params(edge: Edge) -> dict[str, object]:
    return {
        "fact_id": str(edge.fact_id),
        "type": EdgeType(edge.type).value,
        "source": str(edge.source),
        "target": str(edge.target),
        "weight": edge.weight,
        "trust": str(edge.trust),
        "valid_from": edge.valid_from,
        "valid_to": edge.valid_to,
    }
