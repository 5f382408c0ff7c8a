"""The graph in PostgreSQL tables: answers every question while Neo4j is not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import clock
from core.db import Database, Tx
from core.principal import Principal
from graph.schema import EdgeType, Label
from graph.store import (
    MAX_HOPS,
    MAX_NEIGHBOURS,
    Acquaintance,
    Acquaintances,
    Adapter,
    Changes,
    Edge,
    Neighbourhood,
    Node,
    Path,
    PathAnswer,
    Snapshot,
    batches,
)

# How many relations of one node a path search looks at, the strongest first.
_FAN_OUT = 1000


@dataclass(frozen=True)
class _Hop:
    """One relation as found from its center; without a relation only the center itself."""

    level: int
    place: int
    node_id: UUID
    node_label: Label
    node_name: str
    fact_id: UUID | None
    type: EdgeType | None
    source: UUID | None
    target: UUID | None
    weight: float | None
    trust: str | None
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True)
class _Tie:
    user_id: UUID
    user_name: str
    person_id: UUID
    person_name: str
    tie_id: UUID
    tie_type: EdgeType
    tie_weight: float
    tie_from: datetime
    tie_to: datetime | None
    job_id: UUID
    job_weight: float
    job_from: datetime
    job_to: datetime | None


class PostgresGraph:
    """Relations stand in both directions in one table, each question is one statement."""

    adapter = Adapter.POSTGRES

    def __init__(self, db: Database) -> None:
        self._db = db

    async def neighbourhood(
        self, principal: Principal, node_id: UUID, *, hops: int = 1, limit: int = 25
    ) -> Neighbourhood:
        principal.require("facts:read")
        limit = max(1, min(limit, MAX_NEIGHBOURS))
        async with self._db.transaction(principal, "graph.neighbourhood") as tx:
            rows = await _read_neighbourhood(tx, node_id, 2 if hops > 1 else 1, limit + 1)
        kept = [row for row in rows if row.place <= limit]
        nodes = {row.node_id: Node(row.node_id, Label(row.node_label), row.node_name) for row in kept}
        edges = {edge.fact_id: edge for edge in map(_edge, kept) if edge is not None}
        return Neighbourhood(
            node_id, tuple(nodes.values()), tuple(edges.values()), len(kept) < len(rows), self.adapter
        )

    async def warm_path(
        self, principal: Principal, target: UUID, *, sources: Sequence[UUID] = (), max_hops: int = MAX_HOPS
    ) -> PathAnswer:
        principal.require("facts:read")
        async with self._db.transaction(principal, "graph.warm_path") as tx:
            steps = await _read_path(tx, target, list(sources), min(max_hops, MAX_HOPS))
        if not steps:
            return PathAnswer(None, self.adapter)
        nodes = tuple(Node(step.node_id, Label(step.node_label), step.node_name) for step in steps)
        edges = tuple(edge for edge in map(_edge, steps) if edge is not None)
        return PathAnswer(Path(nodes, edges), self.adapter)

    async def who_knows(self, principal: Principal, company_id: UUID, *, limit: int = 10) -> Acquaintances:
        principal.require("facts:read")
        async with self._db.transaction(principal, "graph.who_knows") as tx:
            ties = await _read_ties(tx, company_id, max(1, min(limit, MAX_NEIGHBOURS)))
        return Acquaintances(tuple(_acquaintance(tie, company_id) for tie in ties), self.adapter)

    async def apply(self, principal: Principal, changes: Changes) -> None:
        async with self._db.transaction(principal, "graph.apply") as tx:
            await write(tx, changes)

    async def replace(self, principal: Principal, snapshot: Snapshot) -> None:
        async with self._db.transaction(principal, "graph.replace") as tx:
            await tx.execute("DELETE FROM graph_edges WHERE organization_id = current_organization_id()")
            await tx.execute("DELETE FROM graph_nodes WHERE organization_id = current_organization_id()")
            for changes in batches(snapshot):
                await write(tx, changes)

    async def snapshot(self, principal: Principal) -> Snapshot:
        async with self._db.transaction(principal, "graph.snapshot") as tx:
            nodes = await tx.all(Node, "SELECT id, label, name FROM graph_nodes")
            edges = await tx.all(
                Edge,
                """
                SELECT fact_id, type, src AS source, dst AS target, weight, trust, valid_from, valid_to
                  FROM graph_edges
                 WHERE is_forward
                """,
            )
        return Snapshot(tuple(nodes), tuple(edges))


def _edge(row: _Hop) -> Edge | None:
    if (
        row.fact_id is None
        or row.type is None
        or row.source is None
        or row.target is None
        or row.weight is None
        or row.trust is None
        or row.valid_from is None
    ):
        return None
    return Edge(
        row.fact_id,
        EdgeType(row.type),
        row.source,
        row.target,
        row.weight,
        row.trust,
        row.valid_from,
        row.valid_to,
    )


def _acquaintance(tie: _Tie, company_id: UUID) -> Acquaintance:
    return Acquaintance(
        Node(tie.user_id, Label.USER, tie.user_name),
        Node(tie.person_id, Label.PERSON, tie.person_name),
        Edge(
            tie.tie_id, EdgeType(tie.tie_type), tie.user_id, tie.person_id, tie.tie_weight, "confirmed",
            tie.tie_from, tie.tie_to,
        ),
        Edge(
            tie.job_id, EdgeType.WORKS_AT, tie.person_id, company_id, tie.job_weight, "confirmed",
            tie.job_from, tie.job_to,
        ),
    )  # fmt: skip


async def _read_neighbourhood(tx: Tx, node_id: UUID, hops: int, limit: int) -> list[_Hop]:
    return await tx.all(
        _Hop,
        """
        WITH center AS (
            SELECT id, label, name
              FROM graph_nodes
             WHERE organization_id = current_organization_id()
               AND id = %(node_id)s
        ), first AS (
            SELECT e.src, e.dst, e.is_forward, e.type, e.fact_id, e.weight, e.trust, e.valid_from, e.valid_to,
                   row_number() OVER (ORDER BY e.weight DESC, e.dst) AS place
              FROM center c
             CROSS JOIN LATERAL (
                   SELECT src, dst, is_forward, type, fact_id, weight, trust, valid_from, valid_to
                     FROM graph_edges
                    WHERE organization_id = current_organization_id()
                      AND src = c.id
                      AND valid_from <= %(at)s
                      AND (valid_to IS NULL OR valid_to > %(at)s)
                    ORDER BY weight DESC, dst
                    LIMIT %(limit)s) AS e
        ), second AS (
            SELECT e.src, e.dst, e.is_forward, e.type, e.fact_id, e.weight, e.trust, e.valid_from, e.valid_to,
                   row_number() OVER (PARTITION BY e.src ORDER BY e.weight DESC, e.dst) AS place
              FROM (SELECT DISTINCT dst AS id FROM first WHERE place < %(limit)s) AS f
             CROSS JOIN LATERAL (
                   SELECT src, dst, is_forward, type, fact_id, weight, trust, valid_from, valid_to
                     FROM graph_edges
                    WHERE organization_id = current_organization_id()
                      AND src = f.id
                      AND valid_from <= %(at)s
                      AND (valid_to IS NULL OR valid_to > %(at)s)
                    ORDER BY weight DESC, dst
                    LIMIT %(limit)s) AS e
             WHERE %(hops)s > 1
        )
        SELECT 0 AS level, 0 AS place, id AS node_id, label AS node_label, name AS node_name,
               NULL::uuid AS fact_id, NULL AS type, NULL::uuid AS source, NULL::uuid AS target,
               NULL::real AS weight, NULL AS trust, NULL::timestamptz AS valid_from, NULL::timestamptz AS valid_to
          FROM center
        UNION ALL
        SELECT h.level, h.place, n.id, n.label, n.name, h.fact_id, h.type,
               CASE WHEN h.is_forward THEN h.src ELSE h.dst END,
               CASE WHEN h.is_forward THEN h.dst ELSE h.src END,
               h.weight, h.trust, h.valid_from, h.valid_to
          FROM (SELECT 1 AS level, place, src, dst, is_forward, type, fact_id, weight, trust, valid_from, valid_to
                  FROM first
                UNION ALL
                SELECT 2, place, src, dst, is_forward, type, fact_id, weight, trust, valid_from, valid_to
                  FROM second) AS h
          JOIN graph_nodes n ON n.organization_id = current_organization_id() AND n.id = h.dst
         ORDER BY level, weight DESC, node_id
        """,
        node_id=node_id,
        hops=hops,
        limit=limit,
        at=clock.now(),
    )


async def _read_path(tx: Tx, target: UUID, sources: list[UUID], max_hops: int) -> list[_Hop]:
    return await tx.all(
        _Hop,
        """
        SELECT p.place AS level, p.place, n.id AS node_id, n.label AS node_label, n.name AS node_name, e.fact_id,
               e.type, e.src AS source, e.dst AS target, e.weight, e.trust, e.valid_from, e.valid_to
          FROM graph_warm_path(
                   ARRAY(SELECT id
                           FROM graph_nodes
                          WHERE organization_id = current_organization_id()
                            AND CASE WHEN %(sources)s::uuid[] = '{}' THEN label = 'User'
                                     ELSE id = ANY(%(sources)s) END),
                   %(target)s, %(max_hops)s, %(fan_out)s, %(at)s) AS p
          JOIN graph_nodes n ON n.organization_id = current_organization_id() AND n.id = p.node_id
          LEFT JOIN graph_edges e
                 ON e.organization_id = current_organization_id() AND e.fact_id = p.fact_id AND e.is_forward
         ORDER BY p.place
        """,
        sources=sources,
        target=target,
        max_hops=max_hops,
        fan_out=_FAN_OUT,
        at=clock.now(),
    )


async def _read_ties(tx: Tx, company_id: UUID, limit: int) -> list[_Tie]:
    return await tx.all(
        _Tie,
        """
        SELECT u.id AS user_id, u.name AS user_name, p.id AS person_id, p.name AS person_name,
               tie.fact_id AS tie_id, tie.type AS tie_type, tie.weight AS tie_weight, tie.valid_from AS tie_from,
               tie.valid_to AS tie_to,
               job.fact_id AS job_id, job.weight AS job_weight, job.valid_from AS job_from, job.valid_to AS job_to
          FROM graph_edges job
          JOIN graph_nodes p ON p.organization_id = job.organization_id AND p.id = job.dst
          JOIN graph_edges tie ON tie.organization_id = job.organization_id AND tie.src = p.id AND NOT tie.is_forward
          JOIN graph_nodes u ON u.organization_id = job.organization_id AND u.id = tie.dst AND u.label = 'User'
         WHERE job.organization_id = current_organization_id()
           AND job.src = %(company_id)s
           AND job.type = 'WORKS_AT'
           AND job.trust = 'confirmed'
           AND job.valid_from <= %(at)s
           AND (job.valid_to IS NULL OR job.valid_to > %(at)s)
           AND tie.trust = 'confirmed'
           AND tie.valid_from <= %(at)s
           AND (tie.valid_to IS NULL OR tie.valid_to > %(at)s)
         ORDER BY tie.weight DESC, u.id, p.id, tie.fact_id
         LIMIT %(limit)s
        """,
        company_id=company_id,
        limit=limit,
        at=clock.now(),
    )


async def write(tx: Tx, changes: Changes) -> None:
    """Write changes in the caller's transaction, each statement for all rows at once."""
    await _write_nodes(tx, changes.nodes)
    await _write_missing_nodes(tx, changes.ends)
    await tx.execute(
        "DELETE FROM graph_edges WHERE organization_id = current_organization_id() AND fact_id = ANY(%(ids)s)",
        ids=list(changes.gone_edges),
    )
    await _write_edges(tx, changes.edges)
    await _remove_nodes(tx, changes.gone_nodes)


async def _write_nodes(tx: Tx, nodes: Sequence[Node]) -> None:
    await tx.execute(
        """
        INSERT INTO graph_nodes (organization_id, id, label, name)
        SELECT current_organization_id(), id, label, name
          FROM unnest(%(ids)s::uuid[], %(labels)s::text[], %(names)s::text[]) AS given (id, label, name)
         ORDER BY id
        ON CONFLICT (organization_id, id) DO UPDATE SET label = EXCLUDED.label, name = EXCLUDED.name
        """,
        ids=[node.id for node in nodes],
        labels=[node.label.value for node in nodes],
        names=[node.name for node in nodes],
    )


async def _write_missing_nodes(tx: Tx, nodes: Sequence[Node]) -> None:
    await tx.execute(
        """
        INSERT INTO graph_nodes (organization_id, id, label, name)
        SELECT current_organization_id(), id, label, name
          FROM unnest(%(ids)s::uuid[], %(labels)s::text[], %(names)s::text[]) AS given (id, label, name)
         ORDER BY id
        ON CONFLICT (organization_id, id) DO NOTHING
        """,
        ids=[node.id for node in nodes],
        labels=[node.label.value for node in nodes],
        names=[node.name for node in nodes],
    )


async def _write_edges(tx: Tx, edges: Sequence[Edge]) -> None:
    await tx.execute(
        """
        INSERT INTO graph_edges (organization_id, src, dst, type, is_forward, fact_id, weight, trust, valid_from,
                                 valid_to)
        SELECT current_organization_id(),
               CASE WHEN way.is_forward THEN given.source ELSE given.target END,
               CASE WHEN way.is_forward THEN given.target ELSE given.source END,
               given.type, way.is_forward, given.fact_id, given.weight, given.trust, given.valid_from, given.valid_to
          FROM unnest(%(fact_ids)s::uuid[], %(types)s::text[], %(sources)s::uuid[], %(targets)s::uuid[],
                      %(weights)s::real[], %(trusts)s::text[], %(valid_from)s::timestamptz[],
                      %(valid_to)s::timestamptz[])
               AS given (fact_id, type, source, target, weight, trust, valid_from, valid_to)
         CROSS JOIN (VALUES (true), (false)) AS way (is_forward)
         ORDER BY given.fact_id, way.is_forward
        ON CONFLICT (organization_id, fact_id, is_forward)
        DO UPDATE SET src = EXCLUDED.src, dst = EXCLUDED.dst, type = EXCLUDED.type, weight = EXCLUDED.weight,
                      trust = EXCLUDED.trust, valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to
        """,
        fact_ids=[edge.fact_id for edge in edges],
        types=[edge.type.value for edge in edges],
        sources=[edge.source for edge in edges],
        targets=[edge.target for edge in edges],
        weights=[edge.weight for edge in edges],
        trusts=[edge.trust for edge in edges],
        valid_from=[edge.valid_from for edge in edges],
        valid_to=[edge.valid_to for edge in edges],
    )


async def _remove_nodes(tx: Tx, node_ids: Sequence[UUID]) -> None:
    """Nodes go with whatever hangs on them."""
    await tx.execute(
        """
        DELETE FROM graph_edges
         WHERE organization_id = current_organization_id()
           AND (src = ANY(%(ids)s) OR dst = ANY(%(ids)s))
        """,
        ids=list(node_ids),
    )
    await tx.execute(
        "DELETE FROM graph_nodes WHERE organization_id = current_organization_id() AND id = ANY(%(ids)s)",
        ids=list(node_ids),
    )
