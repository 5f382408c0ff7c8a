"""A small world of facts for graph tests, written through the facts' own actions."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Database
from core.ids import uuid7
from core.principal import Principal
from crm.facts import actions as facts
from crm.facts.models import NewFact
from events.ids import FactId
from graph.schema import EdgeType, Label
from graph.store import Edge, Node

START = datetime.fromisoformat("2024-01-01T00:00:00+00:00")


def node(name: str, label: Label = Label.PERSON, id: UUID | None = None) -> Node:
    return Node(id or uuid7(), label, name)


def edge(
    type: EdgeType,
    source: Node,
    target: Node,
    *,
    weight: float = 0.5,
    trust: str = "confirmed",
    valid_to: datetime | None = None,
) -> Edge:
    return Edge(uuid7(), type, source.id, target.id, weight, trust, START, valid_to)


def knows(source: Node, target: Node, weight: float = 0.5) -> Edge:
    return edge(EdgeType.KNOWS, source, target, weight=weight)


def works_at(person: Node, company: Node, weight: float = 1.0) -> Edge:
    return edge(EdgeType.WORKS_AT, person, company, weight=weight)


@dataclass(frozen=True)
class World:
    """Contacts and companies of one organization; the user is its owner."""

    user: UUID
    anna: UUID
    tomas: UUID
    brindle: UUID
    user_knows_anna: FactId
    anna_knows_tomas: FactId


async def make_contact(db: Database, principal: Principal, name: str) -> UUID:
    contact_id = uuid7()
    async with db.transaction(principal, "test_contact") as tx:
        await tx.execute(
            "INSERT INTO contacts (organization_id, id, name) VALUES (%(organization_id)s, %(id)s, %(name)s)",
            organization_id=principal.organization_id,
            id=contact_id,
            name=name,
        )
    return contact_id


async def make_company(db: Database, principal: Principal, name: str) -> UUID:
    company_id = uuid7()
    async with db.transaction(principal, "test_company") as tx:
        await tx.execute(
            "INSERT INTO companies (organization_id, id, name) VALUES (%(organization_id)s, %(id)s, %(name)s)",
            organization_id=principal.organization_id,
            id=company_id,
            name=name,
        )
    return company_id


async def relate(
    db: Database,
    principal: Principal,
    subject: tuple[str, UUID],
    predicate: str,
    object: tuple[str, UUID],
    strength: float = 0.8,
) -> FactId:
    async with db.transaction(principal, "test_fact") as tx:
        fact = await facts.assert_fact(
            tx, NewFact(subject, predicate, object, strength=strength, valid_from=START)
        )
    return fact.id


async def make_world(db: Database, principal: Principal) -> World:
    """The user knows Anna, Anna knows Tomas, Tomas works at Brindle."""
    anna = await make_contact(db, principal, "Anna")
    tomas = await make_contact(db, principal, "Tomas")
    brindle = await make_company(db, principal, "Brindle")
    user_knows_anna = await relate(db, principal, ("user", principal.id), "knows", ("contact", anna))
    anna_knows_tomas = await relate(db, principal, ("contact", anna), "knows", ("contact", tomas))
    await relate(db, principal, ("contact", tomas), "works_at", ("company", brindle), 1.0)
    return World(principal.id, anna, tomas, brindle, user_knows_anna, anna_knows_tomas)
