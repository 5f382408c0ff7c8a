"""How a chain becomes an introduction that can be said in a sentence."""

from collections.abc import Sequence
from uuid import UUID

from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from graph.queries import LinkKind, introduction
from graph.schema import EdgeType, Label
from graph.store import Acquaintances, Adapter, Edge, Neighbourhood, Node, Path, PathAnswer
from tests.support.graphs import edge, knows, node, works_at

ME = Principal(PrincipalKind.USER, uuid7(), uuid7(), scopes=frozenset({"facts:read"}))


class Fixed:
    """A graph with one answer."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    async def neighbourhood(
        self, principal: Principal, node_id: UUID, *, hops: int = 1, limit: int = 25
    ) -> Neighbourhood:
        return Neighbourhood(node_id, (), (), False, Adapter.POSTGRES)

    async def warm_path(
        self, principal: Principal, target: UUID, *, sources: Sequence[UUID] = (), max_hops: int = 4
    ) -> PathAnswer:
        return PathAnswer(self._path, Adapter.POSTGRES, is_copy=True)

    async def who_knows(self, principal: Principal, company_id: UUID, *, limit: int = 10) -> Acquaintances:
        return Acquaintances((), Adapter.POSTGRES)


def graph(nodes: Sequence[Node], edges: Sequence[Edge]) -> Fixed:
    return Fixed(Path(tuple(nodes), tuple(edges)))


async def test_two_employments_at_one_company_make_colleagues() -> None:
    me, anna, acme, tomas = node("Me", Label.USER), node("Anna"), node("Acme", Label.COMPANY), node("Tomas")
    edges = (knows(me, anna, 0.5), works_at(anna, acme), works_at(tomas, acme))

    found = await introduction(graph((me, anna, acme, tomas), edges), ME, tomas.id)

    assert [(link.kind, link.one.name, link.other.name) for link in found.links] == [
        (LinkKind.KNOWS, "Me", "Anna"),
        (LinkKind.COLLEAGUE_OF, "Anna", "Tomas"),
    ]
    assert found.links[1].at == acme
    assert found.links[1].fact_ids == (edges[1].fact_id, edges[2].fact_id)
    assert (found.strength, found.is_copy) == (0.5, True)


async def test_one_person_with_two_employers_makes_no_colleagues_of_them() -> None:
    acme, anna, bright = node("Acme", Label.COMPANY), node("Anna"), node("Bright", Label.COMPANY)

    found = await introduction(
        graph((acme, anna, bright), (works_at(anna, acme), works_at(anna, bright))), ME, bright.id
    )

    assert [link.kind for link in found.links] == [LinkKind.WORKS_AT, LinkKind.WORKS_AT]


async def test_messages_and_a_company_as_target_are_links_of_their_own() -> None:
    me, anna, acme = node("Me", Label.USER), node("Anna"), node("Acme", Label.COMPANY)
    edges = (edge(EdgeType.INTERACTED, me, anna), works_at(anna, acme))

    found = await introduction(graph((me, anna, acme), edges), ME, acme.id)

    assert [link.kind for link in found.links] == [LinkKind.WRITES_WITH, LinkKind.WORKS_AT]


async def test_no_chain_is_an_empty_introduction() -> None:
    found = await introduction(Fixed(None), ME, uuid7())

    assert (found.links, found.strength) == ((), 0.0)
