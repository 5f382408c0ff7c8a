"""What stands in the graph: three kinds of nodes, three kinds of relations between them."""

from enum import StrEnum
from typing import assert_never

from crm.facts.models import EntityKind, Relation


class Label(StrEnum):
    PERSON = "Person"
    COMPANY = "Company"
    USER = "User"


class EdgeType(StrEnum):
    """WORKS_AT leads from a person to a company, KNOWS and INTERACTED from a user or person to a person."""

    WORKS_AT = "WORKS_AT"
    KNOWS = "KNOWS"
    INTERACTED = "INTERACTED"


def label_of(kind: EntityKind) -> Label | None:
    """The label of an entity; None for what has no place in the graph."""
    match EntityKind(kind):
        case EntityKind.CONTACT:
            return Label.PERSON
        case EntityKind.COMPANY:
            return Label.COMPANY
        case EntityKind.USER:
            return Label.USER
        case EntityKind.DEAL:
            return None
        case never:
            assert_never(never)


def edge_type_of(relation: Relation) -> EdgeType:
    match Relation(relation):
        case Relation.WORKS_AT:
            return EdgeType.WORKS_AT
        case Relation.KNOWS:
            return EdgeType.KNOWS
        case Relation.INTERACTED:
            return EdgeType.INTERACTED
        case never:
            assert_never(never)
