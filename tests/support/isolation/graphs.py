"""Every question that a graph answers, asked on every adapter about the victim's people and companies."""

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TypeVar
from uuid import UUID

from core import clock
from core.errors import AppError
from core.ids import uuid7
from graph.schema import EdgeType, Label
from graph.store import Changes, Edge, GraphAway, GraphStore, Node, Projection
from tests.support.isolation.http import pick
from tests.support.isolation.probes import Probe
from tests.support.isolation.theatre import Theatre

Answer = TypeVar("Answer")
Question = Callable[[Projection, UUID], Awaitable[object]]


def _questions(theatre: Theatre) -> dict[str, list[Question]]:
    """Method of the graph -> how it is asked about an id that may be foreign."""
    me = theatre.attacker.owner
    own = UUID(theatre.attacker.ids["contacts"][0])
    return {
        "neighbourhood": [
            lambda graph, id: graph.neighbourhood(me, id),
            lambda graph, id: graph.neighbourhood(me, id, hops=2, limit=100),
        ],
        "warm_path": [
            lambda graph, id: graph.warm_path(me, id),
            lambda graph, id: graph.warm_path(me, id, sources=(own,)),
            lambda graph, id: graph.warm_path(me, own, sources=(id,)),
            lambda graph, id: graph.warm_path(me, own, sources=(me.id, id)),
        ],
        "who_knows": [lambda graph, id: graph.who_knows(me, id, limit=100)],
        "snapshot": [lambda graph, id: graph.snapshot(me)],
    }


# Methods that write; `_overwrite` tries them with the victim's ids.
WRITES = frozenset({"apply", "replace"})


def methods_without_case(theatre: Theatre) -> set[str]:
    """What the protocols offer and no probe asks."""
    offered = {
        name
        for protocol in (GraphStore, Projection)
        for name, _ in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    }
    return offered - set(_questions(theatre)) - WRITES


def graph_probes(theatre: Theatre, graphs: list[Projection], *, depth: int) -> Iterator[Probe]:
    """Adapter x question x node of the victim."""
    nodes = theatre.victim.ids["graph_nodes"]
    chosen = [UUID(pick(nodes, number, depth=len(nodes))) for number in range(min(len(nodes), 4 * depth))]
    for graph in graphs:
        for method, questions in _questions(theatre).items():
            for number, ask in enumerate(questions):
                for node in chosen:
                    probe = partial(_ask, theatre, graph, ask, node)
                    yield Probe("graph", f"{graph.adapter} {method}", f"way {number} about {node}", probe)
        for node in chosen:
            probe = partial(_overwrite, theatre, graph, node)
            yield Probe("graph", f"{graph.adapter} apply", f"writes over {node}", probe)


async def _ask(theatre: Theatre, graph: Projection, ask: Question, node: UUID) -> list[str]:
    answer, unknown = repr(await patiently(lambda: ask(graph, node))), uuid7()
    found = theatre.leaks(answer, [str(node)])
    other = repr(await patiently(lambda: ask(graph, unknown)))
    if answer.replace(str(node), "") != other.replace(str(unknown), ""):
        found.append(f"a foreign node answers otherwise than an unknown one: {answer[:200]}")
    return found


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """The product gives a slow server up after a second and a half; a probe wants its answer."""
    for _ in range(20):
        with contextlib.suppress(GraphAway):
            return await ask()
    return await ask()


async def _overwrite(theatre: Theatre, graph: Projection, node: UUID) -> list[str]:
    """A node with the victim's id in our own graph: the victim's must stay as it is, whatever we do to ours."""
    me, victim = theatre.attacker.owner, theatre.victim.owner
    before = await patiently(lambda: graph.snapshot(victim))
    mine, fact = Node(uuid7(), Label.PERSON, "Mallory"), uuid7()
    tie = Edge(fact, EdgeType.KNOWS, mine.id, node, 1.0, "confirmed", clock.now())
    facts = tuple(edge.fact_id for edge in before.edges)
    try:
        written = Changes(nodes=(mine, Node(node, Label.PERSON, "Mallory")), edges=(tie,))
        await patiently(lambda: graph.apply(me, written))
        seen = await patiently(lambda: graph.neighbourhood(me, mine.id, hops=2))
        found = theatre.leaks(repr(seen), [str(node)])
    except AppError as err:
        found = theatre.leaks(err.detail, [str(node)])
    finally:
        gone = Changes(gone_edges=(fact, *facts), gone_nodes=(mine.id, node))
        await patiently(lambda: graph.apply(me, gone))
    after = await patiently(lambda: graph.snapshot(victim))
    if (set(before.nodes), set(before.edges)) != (set(after.nodes), set(after.edges)):
        found.append("the victim's graph changed")
    return found
