"""Neo4j comes, goes, hangs and comes back empty; the graph goes on answering and says who answered."""

import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from neo4j import AsyncGraphDatabase
from psycopg import sql

from core.blobs import Blobs
from core.db import Database
from core.errors import Unavailable
from core.principal import Principal, Visibility
from core.settings import Settings
from crm.facts import actions as facts
from crm.identity.queries import find_member_id
from crm.privacy.actions import make_request
from crm.privacy.models import RequestKind
from events.ids import ContactId, FactId
from events.types import ContactCreated, FactAsserted, FactRetracted
from graph.active import ActiveGraph
from graph.neo4j import Neo4jAddress, Neo4jGraph, connect, discover
from graph.postgres import PostgresGraph
from graph.projector import diff, rebuild
from graph.store import Adapter, GraphSlow, Snapshot
from infra.servers import neo4j as servers
from infra.servers.neo4j import Neo4jServer
from tests.support.graphs import World, make_contact, make_world, relate
from worker.erasing import Desk, erase


class Machine:
    """A Neo4j of these tests' own, which they may stop; announced in the data folder as `getsale up` does it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._server: Neo4jServer | None = None

    def start(self) -> None:
        if self._server is None:
            self._server = servers.start(self._home, servers.fetch_jars(), heap="512m")
            servers.await_ready(self._server)

    def stop(self) -> None:
        if self._server is not None:
            self._server.process.kill()
            self._server.process.wait()
            self._server = None

    def announce(self, data: Path) -> None:
        assert self._server is not None
        servers.announce(data, self._server.config)

    def signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        pid = self._server.process.pid
        os.kill(pid, number)
        # on a busy machine it may answer once more before it stops
        while number == signal.SIGSTOP and "State:\tT" not in Path(f"/proc/{pid}/status").read_text():
            time.sleep(0.01)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("neo4j"))
    yield machine
    machine.stop()


@pytest.fixture
async def world(database: Database, organization: Principal) -> World:
    """Facts, and their copy in PostgreSQL."""
    world = await make_world(database, organization)
    await rebuild(database, organization, PostgresGraph(database))
    return world


@pytest.fixture
async def graph(settings: Settings, worker_database: Database) -> AsyncIterator[ActiveGraph]:
    """The graph as a worker holds it, without its background probing: the tests call `probe`."""
    active = ActiveGraph(settings, worker_database)
    yield active
    await active.close()


async def test_without_neo4j_postgres_is_the_graph_and_no_copy(
    graph: ActiveGraph, organization: Principal, world: World
) -> None:
    await graph.probe()

    found = await graph.neighbourhood(organization, world.anna)

    assert (len(found.edges), found.answered_by, found.is_copy) == (2, Adapter.POSTGRES, False)
    assert await graph.catch_up() == 0


async def test_neo4j_takes_over_once_it_is_there_and_caught_up(
    graph: ActiveGraph, settings: Settings, machine: Machine, organization: Principal, world: World
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    before = await graph.warm_path(organization, world.brindle)

    completed = await graph.catch_up()

    after = await graph.warm_path(organization, world.brindle)
    assert completed >= 1
    assert (before.answered_by, before.is_copy) == (Adapter.POSTGRES, True)
    assert (after.answered_by, after.is_copy) == (Adapter.NEO4J, False)
    assert after.path == before.path
    assert await graph.catch_up() == 0


async def test_neo4j_stopped_midway_is_only_a_copy_that_says_so(
    graph: ActiveGraph,
    settings: Settings,
    machine: Machine,
    database: Database,
    organization: Principal,
    world: World,
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    await graph.catch_up_organization(organization.organization_id)
    assert (await graph.who_knows(organization, world.brindle)).answered_by == Adapter.NEO4J

    machine.stop()
    away = await graph.warm_path(organization, world.tomas)
    vera = await make_contact(database, organization, "Vera")
    fact_id = await relate(database, organization, ("contact", world.tomas), "knows", ("contact", vera))
    await graph.project(organization, FactAsserted(fact_id))
    missed = await graph.warm_path(organization, vera)

    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    behind = await graph.warm_path(organization, vera)
    await graph.catch_up()
    back = await graph.warm_path(organization, vera)

    assert away.path is not None
    assert (away.answered_by, away.is_copy) == (Adapter.POSTGRES, True)
    assert missed.path is not None
    assert (behind.answered_by, behind.path) == (Adapter.POSTGRES, missed.path)
    assert (back.answered_by, back.is_copy, back.path) == (Adapter.NEO4J, False, missed.path)


async def test_a_neo4j_that_hangs_costs_one_question_little_and_the_next_nothing(
    graph: ActiveGraph, settings: Settings, machine: Machine, organization: Principal, world: World
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    await graph.catch_up_organization(organization.organization_id)
    assert (await graph.neighbourhood(organization, world.anna)).answered_by == Adapter.NEO4J

    machine.signal(signal.SIGSTOP)
    try:
        times = []
        for _ in range(3):
            started = time.monotonic()
            found = await graph.neighbourhood(organization, world.anna)
            times.append(time.monotonic() - started)
            assert (found.answered_by, found.is_copy) == (Adapter.POSTGRES, True)
    finally:
        machine.signal(signal.SIGCONT)
    await graph.probe()

    assert times[0] < 4.0
    assert max(times[1:]) < 0.5
    assert (await graph.neighbourhood(organization, world.anna)).answered_by == Adapter.NEO4J


async def test_one_slow_question_does_not_make_neo4j_away(
    graph: ActiveGraph,
    settings: Settings,
    machine: Machine,
    organization: Principal,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    await graph.catch_up_organization(organization.organization_id)

    async def give_up(*_: object, **__: object) -> None:
        raise GraphSlow("too many paths")

    with monkeypatch.context() as patched:
        patched.setattr(Neo4jGraph, "warm_path", give_up)
        slow = await graph.warm_path(organization, world.tomas)
    next_one = await graph.warm_path(organization, world.tomas)

    assert (slow.answered_by, slow.path) == (Adapter.POSTGRES, next_one.path)
    assert next_one.answered_by == Adapter.NEO4J


async def test_an_emptied_neo4j_is_not_believed(
    graph: ActiveGraph, settings: Settings, machine: Machine, organization: Principal, world: World
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    await graph.catch_up_organization(organization.organization_id)
    address = discover(settings)
    assert address is not None
    server = await connect(address)
    await server.replace(organization, Snapshot())

    graph.forget()
    emptied = await graph.warm_path(organization, world.tomas)
    await graph.catch_up()
    filled = await graph.warm_path(organization, world.tomas)

    await server.close()
    assert (emptied.answered_by, emptied.path is not None) == (Adapter.POSTGRES, True)
    assert (filled.answered_by, filled.path) == (Adapter.NEO4J, emptied.path)


async def test_events_reach_both_graphs(
    graph: ActiveGraph,
    settings: Settings,
    machine: Machine,
    database: Database,
    organization: Principal,
    world: World,
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    await graph.catch_up_organization(organization.organization_id)
    vera = await make_contact(database, organization, "Vera")
    fact_id = await relate(database, organization, ("user", organization.id), "knows", ("contact", vera))
    async with database.transaction(organization, "test") as tx:
        await facts.retract_fact(tx, world.anna_knows_tomas)

    for _ in range(2):
        await graph.project(organization, FactAsserted(fact_id))
        await graph.project(organization, FactRetracted(FactId(world.anna_knows_tomas)))
        await graph.project(organization, ContactCreated(vera))  # type: ignore[arg-type]

    address = discover(settings)
    assert address is not None
    neo4j = await connect(address)
    assert await diff(database, organization, PostgresGraph(database)) == []
    assert await diff(database, organization, neo4j) == []
    assert (await graph.warm_path(organization, vera)).answered_by == Adapter.NEO4J
    await neo4j.close()


@pytest.mark.parametrize("is_away", [False, True], ids=["there", "away"])
async def test_an_erased_person_is_in_no_copy(
    graph: ActiveGraph,
    settings: Settings,
    machine: Machine,
    database: Database,
    worker_database: Database,
    organization: Principal,
    world: World,
    is_away: bool,
) -> None:
    """What could not be told to Neo4j while it was away is gone before it answers again."""
    machine.start()
    machine.announce(settings.data)
    canary = await make_contact(database, organization, "Vera Canary")
    await relate(database, organization, ("user", organization.id), "knows", ("contact", canary))
    await relate(database, organization, ("contact", canary), "knows", ("contact", world.tomas))
    await graph.probe()
    await graph.catch_up_organization(organization.organization_id)
    address = discover(settings)
    assert address is not None
    before = await _named(address, "Canary")
    if is_away:
        machine.stop()
    desk = Desk(
        settings, organization, partial(database.transaction, organization), Blobs(settings.data), graph
    )
    async with database.transaction(organization, "test") as tx:
        asked = await make_request(tx, RequestKind.ERASURE, ContactId(canary), "Asked by mail.")
    left = await erase(desk, asked.id, {canary})
    if is_away:
        machine.start()
        machine.announce(settings.data)
        address = discover(settings)
        assert address is not None
        await graph.probe()
        await graph.catch_up_organization(organization.organization_id)
    neo4j = await connect(address)

    assert before == 1
    assert left.total == 0
    assert await _named(address, "Canary") == 0
    assert await diff(database, organization, neo4j) == []
    await neo4j.close()


async def _named(address: Neo4jAddress, word: str) -> int:
    """How many nodes have this word in any property; what is no text has no words."""
    async with AsyncGraphDatabase.driver(address.uri, auth=(address.user, address.password)) as driver:
        found, _, _ = await driver.execute_query(
            "MATCH (n) WHERE any(key IN keys(n) WHERE toStringOrNull(n[key]) CONTAINS $word) RETURN count(n) AS found",
            word=word,
        )
    return int(found[0]["found"])


async def test_a_write_missed_during_a_catch_up_is_not_forgotten(
    graph: ActiveGraph,
    settings: Settings,
    machine: Machine,
    database: Database,
    worker_database: Database,
    organization: Principal,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine.start()
    machine.announce(settings.data)
    await graph.probe()
    blind = ActiveGraph(Settings(data=settings.data / "elsewhere"), worker_database)
    vera = await make_contact(database, organization, "Vera")
    write_stamp = Neo4jGraph.write_stamp

    async def stamp_late(self: Neo4jGraph, *args: object) -> None:
        fact_id = await relate(database, organization, ("contact", world.anna), "knows", ("contact", vera))
        await blind.project(organization, FactAsserted(fact_id))
        await write_stamp(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Neo4jGraph, "write_stamp", stamp_late)
        await graph.catch_up_organization(organization.organization_id)
    raced = await graph.warm_path(organization, vera)
    await graph.catch_up()
    caught_up = await graph.warm_path(organization, vera)

    assert (raced.answered_by, raced.path is not None) == (Adapter.POSTGRES, True)
    assert (caught_up.answered_by, caught_up.path) == (Adapter.NEO4J, raced.path)


async def test_a_rebuild_leaves_no_difference_and_needs_neo4j_when_there_is_one(
    graph: ActiveGraph, settings: Settings, machine: Machine, organization: Principal, world: World
) -> None:
    machine.start()
    machine.announce(settings.data)

    differences = await graph.rebuild(organization)
    answer = await graph.warm_path(organization, world.tomas)
    machine.stop()
    with pytest.raises(Unavailable):
        await graph.rebuild(organization)

    assert differences == {Adapter.POSTGRES: [], Adapter.NEO4J: []}
    assert answer.answered_by == Adapter.NEO4J


async def test_a_seat_that_sees_only_what_it_is_assigned_gets_nothing_else(
    graph: ActiveGraph, database: Database, organization: Principal, world: World
) -> None:
    """The database's policies decide what is visible: Anna and the company, and not Tomas, who leads from one to the other."""
    async with database.transaction(organization, "test") as tx:
        for table, id in (("contacts", world.anna), ("companies", world.brindle)):
            await tx.execute(
                sql.SQL("UPDATE {} SET owner_id = %(owner)s WHERE id = %(id)s").format(sql.Identifier(table)),
                owner=await find_member_id(tx, organization.id),
                id=id,
            )
    partner = replace(organization, visibility=Visibility.ASSIGNED)

    around = await graph.neighbourhood(partner, world.anna)

    assert world.tomas not in {node.id for node in around.nodes}
    assert len(around.edges) == 1
    assert (await graph.neighbourhood(partner, world.tomas)).nodes == ()
    assert (await graph.warm_path(partner, world.brindle)).path is None
    assert (await graph.who_knows(partner, world.brindle)).found == ()


async def test_a_wrong_address_is_a_neo4j_that_is_away(
    worker_database: Database, tmp_path: Path, organization: Principal, world: World
) -> None:
    for uri in ("bolt://127.0.0.1:9", "nonsense"):
        settings = Settings(data=tmp_path, neo4j_uri=uri)
        async with ActiveGraph.open(settings, worker_database) as graph:
            answer = await graph.warm_path(organization, world.tomas)

        assert (answer.answered_by, answer.is_copy, answer.path is not None) == (Adapter.POSTGRES, True, True)


def test_the_operators_address_comes_before_the_announced_one(tmp_path: Path) -> None:
    tmp_path.joinpath("neo4j.json").write_text('{"uri": "bolt://a:1", "user": "u", "password": "p"}')

    announced = discover(Settings(data=tmp_path))
    named = discover(Settings(data=tmp_path, neo4j_uri="bolt://b:2", neo4j_user="me"))

    assert announced == Neo4jAddress("bolt://a:1", "u", "p")
    assert named == Neo4jAddress("bolt://b:2", "me", "")
    assert discover(Settings(data=tmp_path / "nowhere")) is None
