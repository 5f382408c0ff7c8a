"""What the pages draw of an agent is the graph that it runs."""

import pytest

from agents import registry
from crm.runs.graphs import SHAPES


@pytest.mark.parametrize("kind", sorted(registry.agents()))
def test_the_shape_of_an_agent_is_that_of_its_graph(kind: str) -> None:
    graph = registry.agents()[kind].graph.get_graph()
    shape = SHAPES[kind]

    assert set(shape.nodes) == graph.nodes.keys() - {"__start__", "__end__"}
    assert set(shape.edges) == {(edge.source, edge.target) for edge in graph.edges}
    assert {shape.calling, *shape.tasks.values()} <= set(shape.nodes)
    assert shape.hears_outside == registry.agents()[kind].starts_tainted
