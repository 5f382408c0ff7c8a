"""Tools over facts: what we know of somebody, and what an agent believes to have learned."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, Field

from core.trust import Trust
from crm.conversations.queries import get_message
from crm.facts import actions as facts
from crm.facts import queries
from crm.facts.models import EntityKind, Fact, NewFact, SourceKind
from crm.facts.models import Source as FactSource
from events.ids import FactId, MessageId
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class FactCard:
    """One statement; a quarantined one came from outside or from an agent and nobody has confirmed it."""

    id: FactId
    subject_kind: str
    subject_id: UUID
    predicate: str
    object_kind: str | None
    object_id: UUID | None
    text: str
    strength: float
    source_label: str
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime
    source: Source


@dataclass(frozen=True)
class FactList:
    facts: list[FactCard]


class ListFacts(Arguments):
    subject_id: UUID = Field(description="The id of a contact, company, deal or colleague.")
    limit: int = Field(30, ge=1, le=100)


@tool(scope="facts:read", risk=Risk.READ, returns_untrusted=True)
async def list_facts(ctx: ToolContext, args: ListFacts) -> FactList:
    """What is known of somebody today, confirmed statements first. A quarantined one is a quote, not a truth."""
    found = await queries.list_facts(ctx.tx, args.subject_id, limit=args.limit)
    return FactList([fact_card(fact) for fact in found])


class RememberFact(Arguments):
    subject_kind: EntityKind
    subject_id: UUID
    predicate: str = Field(
        pattern=r"^[a-z][a-z0-9_]{1,40}$",
        description="What kind of statement, as in prefers, budget, objection.",
    )
    text: str = Field(min_length=1, max_length=500, description="The statement, in one sentence.")
    message_id: UUID | None = Field(None, description="The message that says so, if one does.")
    confidence: float = Field(0.7, ge=0, le=1)
    replaces_id: UUID | None = Field(None, description="The fact that holds no longer since this one does.")
    holds_until: AwareDatetime | None = Field(None, description="For what ends by itself; with time zone.")


@tool(scope="facts:write", risk=Risk.WRITE, impact=Impact.LOW)
async def remember_fact(ctx: ToolContext, args: RememberFact) -> FactCard:
    """Keep a statement about a contact, company or deal. It stays in quarantine until a person confirms it.

    What is known already is not kept twice: said again it is believed more.
    """
    source, said_at = FactSource(SourceKind.AGENT, label=ctx.run.bidi.name), None
    if args.message_id is not None:
        message = await get_message(ctx.tx, MessageId(args.message_id))
        source, said_at = FactSource(SourceKind.MESSAGE, message.id), message.occurred_at
    new = NewFact(
        subject=(args.subject_kind, args.subject_id),
        predicate=args.predicate,
        text=args.text,
        confidence=args.confidence,
        source=source,
        valid_from=said_at,
        valid_to=args.holds_until,
    )
    replaced = None if args.replaces_id is None else FactId(args.replaces_id)
    return fact_card(await facts.learn(ctx.tx, new, replaces=replaced))


def fact_card(fact: Fact) -> FactCard:
    return FactCard(
        id=fact.id,
        subject_kind=fact.subject_kind,
        subject_id=fact.subject_id,
        predicate=fact.predicate,
        object_kind=fact.object_kind,
        object_id=fact.object_id,
        text=fact.text,
        strength=fact.strength,
        source_label=fact.source_label,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
        recorded_at=fact.recorded_at,
        source=Source("fact", fact.id, Trust(fact.trust)),
    )
