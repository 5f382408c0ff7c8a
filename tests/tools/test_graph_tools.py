"""The tools over the graph, over the Postgres adapter, and what they say when no graph answers."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import pytest

from core.principal import Principal
from crm.bidi.models import Autonomy
from crm.facts.actions import assert_relation
from graph.postgres import PostgresGraph
from graph.schema import EdgeType, Label
from graph.store import (
    Acquaintances,
    Changes,
    Edge,
    GraphAway,
    GraphStore,
    Neighbourhood,
    Node,
    PathAnswer,
)
from tests.support.seats import Seat
from tools.dispatch import Dispatcher


class Away(GraphStore):
    """A graph that never answers."""

    async def neighbourhood(
        self, principal: Principal, node_id: UUID, *, hops: int = 1, limit: int = 25
    ) -> Neighbourhood:
        raise GraphAway

    async def warm_path(
        self, principal: Principal, target: UUID, *, sources: Sequence[UUID] = (), max_hops: int = 4
    ) -> PathAnswer:
        raise GraphAway

    async def who_knows(self, principal: Principal, company_id: UUID, *, limit: int = 10) -> Acquaintances:
        raise GraphAway


async def known(seat: Seat) -> GraphStore:
    """Our owner knows the contact, who works at Acme."""
    owner, contact, company = UUID(str(seat.owner.id)), UUID(str(seat.contact.id)), UUID(str(seat.company.id))
    async with seat.db.transaction(seat.owner, "test") as tx:
        knows = await assert_relation(
            tx,
            subject=("user", owner),
            predicate="knows",
            object=("contact", contact),
            source_label="Expo 2026",
        )
        works = await assert_relation(
            tx, subject=("contact", contact), predicate="works_at", object=("company", company)
        )
    graph = PostgresGraph(seat.db)
    nodes = (
        Node(owner, Label.USER, "Olga"),
        Node(contact, Label.PERSON, "Vera"),
        Node(company, Label.COMPANY, "Acme"),
    )
    edges = (
        Edge(knows.id, EdgeType.KNOWS, owner, contact, 0.5, "confirmed", knows.valid_from),
        Edge(works.id, EdgeType.WORKS_AT, contact, company, 0.5, "confirmed", works.valid_from),
    )
    await graph.apply(seat.owner, Changes(nodes=nodes, edges=edges))
    return graph


async def test_the_neighbourhood_names_people_and_the_facts_between_them(seat: Seat) -> None:
    dispatcher = Dispatcher(seat.db, await known(seat))

    result = await dispatcher.call(
        seat.ctx, "relationship_neighbourhood", {"entity_id": str(seat.contact.id)}, "1"
    )

    content = cast(dict[str, Any], result.content)
    assert {node["name"] for node in content["nodes"]} == {"Olga", "Vera", "Acme"}
    assert {edge["type"] for edge in content["edges"]} == {"KNOWS", "WORKS_AT"}
    assert {edge["source"]["kind"] for edge in content["edges"]} == {"fact"}


async def test_an_introduction_says_what_it_rests_on(seat: Seat) -> None:
    dispatcher = Dispatcher(seat.db, await known(seat))

    result = await dispatcher.call(seat.ctx, "find_introduction", {"target_id": str(seat.company.id)}, "1")

    content = cast(dict[str, Any], result.content)
    assert [node["name"] for node in content["nodes"]] == ["Olga", "Vera", "Acme"]
    assert [fact["source_label"] for fact in content["facts"]] == ["Expo 2026", ""]


async def test_who_knows_names_the_colleague_and_the_person(seat: Seat) -> None:
    dispatcher = Dispatcher(seat.db, await known(seat))

    result = await dispatcher.call(seat.ctx, "who_knows", {"company_id": str(seat.company.id)}, "1")

    (found,) = cast(dict[str, Any], result.content)["acquaintances"]
    assert (found["user"]["name"], found["person"]["name"]) == ("Olga", "Vera")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("relationship_neighbourhood", "entity_id"),
        ("find_introduction", "target_id"),
        ("who_knows", "company_id"),
    ],
)
async def test_a_graph_that_is_away_is_a_failure_with_a_way_out(seat: Seat, name: str, field: str) -> None:
    dispatcher = Dispatcher(seat.db, Away())

    result = await dispatcher.call(seat.at(Autonomy.OBSERVE), name, {field: str(seat.company.id)}, "1")

    assert (result.status, result.error) == (
        "failed",
        "The relationship graph does not answer; go on without it.",
    )
