"""One suite for both graph adapters, on real servers."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from core import clock
from core.db import Database
from core.errors import Forbidden
from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from crm.facts import actions as facts
from events.types import FactAsserted, FactRetracted
from graph.neo4j import Neo4jAddress, Neo4jGraph, connect
from graph.postgres import PostgresGraph
from graph.projector import diff, read_changes, rebuild, repair
from graph.schema import EdgeType, Label
from graph.store import Changes, Edge, Node, Path, Projection, Snapshot
from infra.servers.neo4j import Neo4jConfig
from tests.support.graphs import edge, knows, make_world, node, works_at


@pytest.fixture(scope="session")
async def neo4j_graph(neo4j: Neo4jConfig) -> AsyncIterator[Neo4jGraph]:
    graph = await connect(Neo4jAddress(neo4j.uri, neo4j.user, neo4j.password))
    yield graph
    await graph.close()


@pytest.fixture(params=["postgres", "neo4j"])
def store(request: pytest.FixtureRequest, database: Database) -> Projection:
    if request.param == "postgres":
        return PostgresGraph(database)
    graph: Neo4jGraph = request.getfixturevalue("neo4j_graph")
    return graph


def stranger() -> Principal:
    """Somebody who may read everything in an organization of their own."""
    return Principal(PrincipalKind.USER, uuid7(), uuid7(), scopes=frozenset({"*"}))


def chain(*nodes: Node) -> tuple[Edge, ...]:
    return tuple(knows(one, other) for one, other in pairwise(nodes))


def names(path: Path | None) -> list[str]:
    return [found.name for found in path.nodes] if path else []


async def test_a_neighbourhood_is_what_was_written(store: Projection) -> None:
    me, anna, user, acme = stranger(), node("Анна"), node("Me", Label.USER), node("Acme", Label.COMPANY)
    tie = edge(EdgeType.INTERACTED, user, anna, weight=0.25)
    job = works_at(anna, acme)
    await store.apply(me, Changes(nodes=(anna, user, acme), edges=(tie, job)))

    found = await store.neighbourhood(me, anna.id)

    assert set(found.nodes) == {anna, user, acme}
    assert set(found.edges) == {tie, job}
    assert found.edges[0] == job, "the strongest first"
    assert (found.is_cut, found.answered_by, found.is_copy) == (False, store.adapter, False)


async def test_an_unknown_node_has_no_neighbourhood_and_no_path(store: Projection) -> None:
    me, nobody = stranger(), uuid7()

    found = await store.neighbourhood(me, nobody)
    answer = await store.warm_path(me, nobody)

    assert (found.nodes, found.edges, answer.path) == ((), (), None)


async def test_a_node_without_relations_is_its_own_neighbourhood(store: Projection) -> None:
    me, anna = stranger(), node("Anna")
    await store.apply(me, Changes(nodes=(anna,)))

    found = await store.neighbourhood(me, anna.id, hops=2)

    assert (found.nodes, found.edges) == ((anna,), ())


async def test_two_hops_reach_what_is_behind_the_neighbours(store: Projection) -> None:
    me, people = stranger(), [node(name) for name in ("Anna", "Bo", "Cy", "Di")]
    await store.apply(me, Changes(nodes=tuple(people), edges=chain(*people)))

    one = await store.neighbourhood(me, people[0].id)
    two = await store.neighbourhood(me, people[0].id, hops=2)

    assert {found.name for found in one.nodes} == {"Anna", "Bo"}
    assert {found.name for found in two.nodes} == {"Anna", "Bo", "Cy"}
    assert len(two.edges) == 2


async def test_the_fan_out_of_a_hub_is_bounded_by_weight(store: Projection) -> None:
    me, hub = stranger(), node("Hub", Label.COMPANY)
    people = [node(f"P{number}") for number in range(300)]
    jobs = tuple(works_at(person, hub, weight=number / 1000) for number, person in enumerate(people))
    await store.apply(me, Changes(nodes=(hub, *people), edges=jobs))

    found = await store.neighbourhood(me, hub.id, limit=10)
    greedy = await store.neighbourhood(me, hub.id, limit=100_000)

    assert [found_edge.weight for found_edge in found.edges] == [
        number / 1000 for number in range(299, 289, -1)
    ]
    assert (len(found.nodes), found.is_cut) == (11, True)
    assert len(greedy.edges) == 100


async def test_a_path_leads_through_a_hub_in_bounded_time(store: Projection) -> None:
    me, hub, user = stranger(), node("Hub", Label.COMPANY), node("Me", Label.USER)
    people = [node(f"P{number}") for number in range(2000)]
    jobs = tuple(works_at(person, hub, weight=1 - number / 4000) for number, person in enumerate(people))
    tie = knows(user, people[-1])
    await store.replace(me, Snapshot((hub, user, *people), (*jobs, tie)))
    started = time.monotonic()

    answer = await store.warm_path(me, people[-2].id)

    assert names(answer.path) == ["Me", "P1999", "Hub", "P1998"]
    assert time.monotonic() - started < 1.0


async def test_writing_twice_is_writing_once(store: Projection) -> None:
    me, anna, bo = stranger(), node("Anna"), node("Bo")
    changes = Changes(nodes=(anna, bo), edges=(knows(anna, bo),))

    await store.apply(me, changes)
    await store.apply(me, changes)

    snapshot = await store.snapshot(me)
    assert (set(snapshot.nodes), snapshot.edges) == ({anna, bo}, changes.edges)


async def test_a_second_write_replaces_the_first(store: Projection) -> None:
    me, anna, bo = stranger(), node("Anna"), node("Bo")
    tie = knows(anna, bo, weight=0.1)
    await store.apply(me, Changes(nodes=(anna, bo), edges=(tie,)))
    ended = replace(tie, weight=0.9, trust="quarantined", valid_to=clock.now())

    await store.apply(me, Changes(nodes=(replace(anna, name="Anna Berg"),), edges=(ended,)))

    snapshot = await store.snapshot(me)
    assert snapshot.edges == (ended,)
    assert {found.name for found in snapshot.nodes} == {"Anna Berg", "Bo"}


async def test_ends_are_made_where_missing_and_never_renamed(store: Projection) -> None:
    me, anna, bo = stranger(), node("Anna"), node("Bo")
    await store.apply(me, Changes(nodes=(anna,)))

    await store.apply(me, Changes(ends=(replace(anna, name="Old"), bo), edges=(knows(anna, bo),)))

    snapshot = await store.snapshot(me)
    assert {found.name for found in snapshot.nodes} == {"Anna", "Bo"}


async def test_a_removed_relation_is_gone_from_every_answer(store: Projection) -> None:
    me, user, anna = stranger(), node("Me", Label.USER), node("Anna")
    tie = knows(user, anna)
    await store.apply(me, Changes(nodes=(user, anna), edges=(tie,)))

    await store.apply(me, Changes(gone_edges=(tie.fact_id, uuid7())))

    assert (await store.neighbourhood(me, anna.id)).edges == ()
    assert (await store.warm_path(me, anna.id)).path is None
    assert (await store.snapshot(me)).edges == ()


async def test_a_removed_node_takes_its_relations_along(store: Projection) -> None:
    me, anna, bo = stranger(), node("Anna"), node("Bo")
    await store.apply(me, Changes(nodes=(anna, bo), edges=(knows(anna, bo),)))

    await store.apply(me, Changes(gone_nodes=(anna.id,)))

    assert await store.snapshot(me) == Snapshot((bo,), ())


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
async def test_a_warm_path_is_found_up_to_four_hops(store: Projection, hops: int) -> None:
    me, user = stranger(), node("Me", Label.USER)
    people = [user, *(node(f"P{number}") for number in range(hops))]
    ties = chain(*people)
    await store.apply(me, Changes(nodes=tuple(people), edges=ties))

    answer = await store.warm_path(me, people[-1].id)

    assert answer.path == Path(tuple(people), ties)
    assert answer.path.strength == pytest.approx(0.5**hops)


async def test_there_is_no_warm_path_of_five_hops(store: Projection) -> None:
    me, user = stranger(), node("Me", Label.USER)
    people = [user, *(node(f"P{number}") for number in range(5))]
    await store.apply(me, Changes(nodes=tuple(people), edges=chain(*people)))

    answer = await store.warm_path(me, people[-1].id)
    longer = await store.warm_path(me, people[-1].id, max_hops=9)

    assert (answer.path, longer.path) == (None, None)


async def test_a_shorter_limit_is_kept(store: Projection) -> None:
    me, user = stranger(), node("Me", Label.USER)
    people = [user, *(node(f"P{number}") for number in range(3))]
    await store.apply(me, Changes(nodes=tuple(people), edges=chain(*people)))

    assert (await store.warm_path(me, people[-1].id, max_hops=2)).path is None


async def test_of_the_shortest_paths_the_strongest_is_taken(store: Projection) -> None:
    me, user, target = stranger(), node("Me", Label.USER), node("Target")
    weak, strong, far = node("Weak"), node("Strong"), node("Far")
    edges = (
        knows(user, weak, 0.9), knows(weak, target, 0.1),
        knows(target, strong, 0.5), knows(user, strong, 0.5),
        knows(user, far, 1.0), knows(far, strong, 1.0),
    )  # fmt: skip
    await store.apply(me, Changes(nodes=(user, target, weak, strong, far), edges=edges))

    answer = await store.warm_path(me, target.id)

    assert names(answer.path) == ["Me", "Strong", "Target"]


async def test_a_path_starts_at_the_sources_that_were_named(store: Projection) -> None:
    me, target = stranger(), node("Target")
    near, far, between = node("Near", Label.USER), node("Far", Label.USER), node("Between")
    edges = (knows(near, target), knows(far, between), knows(between, target))
    await store.apply(me, Changes(nodes=(target, near, far, between), edges=edges))

    anybody = await store.warm_path(me, target.id)
    named = await store.warm_path(me, target.id, sources=[far.id])
    unknown = await store.warm_path(me, target.id, sources=[uuid7()])

    assert names(anybody.path) == ["Near", "Target"]
    assert names(named.path) == ["Far", "Between", "Target"]
    assert unknown.path is None


async def test_a_path_leads_to_a_company(store: Projection) -> None:
    me, user, anna, acme = stranger(), node("Me", Label.USER), node("Anna"), node("Acme", Label.COMPANY)
    await store.apply(me, Changes(nodes=(user, anna, acme), edges=(knows(user, anna), works_at(anna, acme))))

    assert names((await store.warm_path(me, acme.id)).path) == ["Me", "Anna", "Acme"]


async def test_nobody_needs_a_path_to_themselves(store: Projection) -> None:
    me, user, anna = stranger(), node("Me", Label.USER), node("Anna")
    await store.apply(me, Changes(nodes=(user, anna), edges=(knows(user, anna),)))

    assert (await store.warm_path(me, user.id, sources=[user.id])).path is None


async def test_quarantined_relations_are_shown_but_carry_no_path(store: Projection) -> None:
    me, user, anna = stranger(), node("Me", Label.USER), node("Anna")
    acme = node("Acme", Label.COMPANY)
    claim = edge(EdgeType.KNOWS, user, anna, trust="quarantined")
    await store.apply(me, Changes(nodes=(user, anna, acme), edges=(claim, works_at(anna, acme))))

    found = await store.neighbourhood(me, anna.id)

    assert claim in found.edges
    assert (await store.warm_path(me, anna.id)).path is None
    assert (await store.who_knows(me, acme.id)).found == ()


async def test_an_ended_employment_is_not_current(store: Projection) -> None:
    me, user, anna, acme = stranger(), node("Me", Label.USER), node("Anna"), node("Acme", Label.COMPANY)
    former = replace(works_at(anna, acme), valid_to=clock.now() - timedelta(days=1))
    await store.apply(me, Changes(nodes=(user, anna, acme), edges=(knows(user, anna), former)))

    assert (await store.neighbourhood(me, acme.id)).edges == ()
    assert (await store.warm_path(me, acme.id)).path is None
    assert (await store.who_knows(me, acme.id)).found == ()


async def test_what_ends_later_or_begins_later_is_judged_by_now(store: Projection) -> None:
    me, user, anna = stranger(), node("Me", Label.USER), node("Anna")
    tie = replace(knows(user, anna), valid_to=clock.now() + timedelta(days=1))
    await store.apply(me, Changes(nodes=(user, anna), edges=(tie,)))

    today = await store.warm_path(me, anna.id)
    with clock.frozen(clock.now() + timedelta(days=2)):
        later = await store.warm_path(me, anna.id)
    with clock.frozen(tie.valid_from - timedelta(days=1)):
        before = await store.neighbourhood(me, anna.id)

    assert names(today.path) == ["Me", "Anna"]
    assert later.path is None
    assert before.edges == ()


async def test_who_knows_somebody_at_a_company_closest_first(store: Projection) -> None:
    me, acme, other = stranger(), node("Acme", Label.COMPANY), node("Other", Label.COMPANY)
    olga, pavel = node("Olga", Label.USER), node("Pavel", Label.USER)
    anna, bo, cy = node("Anna"), node("Bo"), node("Cy")
    edges = (
        works_at(anna, acme), works_at(bo, acme), works_at(cy, other),
        knows(olga, anna, 0.3), edge(EdgeType.INTERACTED, pavel, bo, weight=0.75), knows(olga, cy, 0.9),
        knows(anna, bo, 1.0),
    )  # fmt: skip
    await store.apply(me, Changes(nodes=(acme, other, olga, pavel, anna, bo, cy), edges=edges))

    answer = await store.who_knows(me, acme.id)
    first = await store.who_knows(me, acme.id, limit=1)

    assert [(one.user, one.person) for one in answer.found] == [(pavel, bo), (olga, anna)]
    assert (answer.found[0].tie, answer.found[0].employment) == (edges[4], edges[1])
    assert len(first.found) == 1


async def test_another_organization_sees_nothing_though_the_ids_are_the_same(store: Projection) -> None:
    me, them = stranger(), stranger()
    user, anna, acme = node("Me", Label.USER), node("Anna"), node("Acme", Label.COMPANY)
    edges = (knows(user, anna), works_at(anna, acme))
    await store.apply(me, Changes(nodes=(user, anna, acme), edges=edges))

    assert (await store.neighbourhood(them, anna.id, hops=2)).nodes == ()
    assert (await store.warm_path(them, acme.id)).path is None
    assert (await store.warm_path(them, acme.id, sources=[user.id])).path is None
    assert (await store.who_knows(them, acme.id)).found == ()
    assert await store.snapshot(them) == Snapshot()


async def test_organizations_with_the_same_ids_do_not_touch_each_other(store: Projection) -> None:
    me, them = stranger(), stranger()
    anna, bo = node("Anna"), node("Bo")
    mine = Changes(nodes=(anna, bo), edges=(knows(anna, bo),))
    await store.apply(me, mine)
    before = await store.snapshot(me)

    await store.apply(them, Changes(nodes=(replace(anna, name="Theirs"),)))
    await store.apply(them, Changes(gone_edges=(mine.edges[0].fact_id,), gone_nodes=(bo.id,)))
    await store.apply(them, Changes(edges=mine.edges)) if store.adapter == "neo4j" else None
    await store.replace(them, Snapshot())

    after = await store.snapshot(me)
    assert (set(after.nodes), after.edges) == (set(before.nodes), before.edges)


async def test_a_principal_who_may_not_read_facts_is_refused(store: Projection) -> None:
    nosy = replace(stranger(), scopes=frozenset({"deals:read"}))

    for question in (store.neighbourhood, store.warm_path, store.who_knows):
        with pytest.raises(Forbidden):
            await question(nosy, uuid7())


# the graph and the facts -----------------------------------------------------------------------------------------


async def test_a_rebuilt_graph_does_not_differ_from_the_facts(
    store: Projection, database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    await store.apply(organization, Changes(nodes=(node("Left over"),)))

    differences = await rebuild(database, organization, store)

    assert (differences, await diff(database, organization, store)) == ([], [])
    answer = await store.warm_path(organization, world.brindle)
    assert names(answer.path) == ["Olga Owner", "Anna", "Tomas", "Brindle"]


async def test_planted_differences_are_found_and_repaired(
    store: Projection, database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    await rebuild(database, organization, store)
    good = await store.snapshot(organization)
    wrong = replace(
        next(found for found in good.edges if found.fact_id == world.anna_knows_tomas), weight=0.01
    )
    extra, ghost = knows(good.nodes[0], good.nodes[1]), node("Ghost")
    planted = Changes(
        nodes=(Node(world.anna, Label.PERSON, "Anne"), ghost),
        edges=(wrong, extra),
        gone_edges=(world.user_knows_anna,),
    )
    await store.apply(organization, planted)

    differences = await diff(database, organization, store)

    assert {found.id for found in differences} == {
        world.anna, ghost.id, world.anna_knows_tomas, extra.fact_id, world.user_knows_anna
    }  # fmt: skip
    assert await repair(database, organization, store) == []
    assert await diff(database, organization, store) == []


async def test_an_edge_that_leads_elsewhere_is_found_and_repaired(
    store: Projection, database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    await rebuild(database, organization, store)
    astray = Edge(
        world.anna_knows_tomas, EdgeType.KNOWS, world.user, world.tomas, 0.8, "confirmed", clock.now()
    )
    await store.apply(organization, Changes(edges=(astray,), gone_edges=(world.anna_knows_tomas,)))

    assert [found.id for found in await diff(database, organization, store)] == [world.anna_knows_tomas]
    assert await repair(database, organization, store) == []


async def test_a_retracted_fact_leaves_the_graph_and_a_repeated_event_changes_nothing(
    store: Projection, database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    await rebuild(database, organization, store)
    async with database.transaction(organization, "test") as tx:
        await facts.retract_fact(tx, world.anna_knows_tomas)
        changes = await read_changes(tx, FactRetracted(world.anna_knows_tomas))
        # a late delivery of the assertion reads the fact as it is now
        late = await read_changes(tx, FactAsserted(world.anna_knows_tomas))

    for _ in range(2):
        await store.apply(organization, changes)
        await store.apply(organization, late)

    assert (await store.warm_path(organization, world.tomas)).path is None
    assert await diff(database, organization, store) == []


async def test_facts_in_words_never_reach_the_graph(
    store: Projection, database: Database, organization: Principal
) -> None:
    world = await make_world(database, organization)
    async with database.transaction(organization, "test") as tx:
        fact = await facts.assert_text(
            tx, subject=("contact", world.anna), predicate="budget", text="canary-7f3 budget"
        )
        changes = await read_changes(tx, FactAsserted(fact.id))
    await store.apply(organization, changes)

    await rebuild(database, organization, store)

    assert "canary-7f3" not in repr(await store.snapshot(organization))
    assert UUID(str(fact.id)) not in {found.fact_id for found in (await store.snapshot(organization)).edges}
