"""Neo4j Community has one database: what keeps tenants apart is in the text of every query."""

import re

import pytest

from core.ids import uuid7
from core.principal import Principal, PrincipalKind
from graph import neo4j

NODE = re.compile(r"\((?P<name>\w*)(?P<labels>(?::\w+)+)(?P<properties>\s*\{[^}]*\})?\)")


@pytest.mark.parametrize("query", neo4j.QUERIES)
def test_every_query_is_bound_to_the_organization(query: str) -> None:
    assert "organization_id: $organization_id" in query


@pytest.mark.parametrize("query", neo4j.QUERIES)
def test_every_labelled_node_is_one_of_the_organization(query: str) -> None:
    unbound = [found.group() for found in NODE.finditer(query) if "$organization_id" not in found.group()]

    # the far end of a relation that was matched from a node of the organization
    assert [text for text in unbound if text != "(b:Entity)"] == []


@pytest.mark.parametrize("query", [text for text in neo4j.QUERIES if "ShortestPaths" in text])
def test_every_relation_on_a_path_is_one_of_the_organization(query: str) -> None:
    assert "all(r IN relationships(p) WHERE r.organization_id = $organization_id" in query


def test_no_query_of_the_adapter_is_missing_from_the_list() -> None:
    texts = {
        value
        for name, value in vars(neo4j).items()
        if isinstance(value, str)
        and re.search(r"\b(MATCH|MERGE|CREATE|DELETE)\b", value)
        and name != "__doc__"
    }

    assert texts == set(neo4j.QUERIES)


def test_the_gateway_refuses_a_query_that_names_no_organization() -> None:
    anybody = Principal(PrincipalKind.USER, uuid7(), uuid7())

    with pytest.raises(RuntimeError):
        neo4j._bound(anybody, "MATCH (n) RETURN n", {})


def test_a_parameter_cannot_replace_the_organization() -> None:
    anybody = Principal(PrincipalKind.USER, uuid7(), uuid7())

    bound = neo4j._bound(anybody, neo4j._ALL_NODES, {"organization_id": "another"})

    assert bound["organization_id"] == str(anybody.organization_id)
