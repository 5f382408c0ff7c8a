"""Recall, asked in the victim's own words and about the victim's people."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from core.ids import uuid7
from crm.identity.models import Role
from graph.store import GraphStore
from memory.embeddings.fake import FakeEmbedder
from memory.models import MemoryKind
from memory.recall import Memories, Recall
from tests.support.isolation.probes import Probe
from tests.support.isolation.theatre import Theatre

# What both organizations talk about; what only the victim says is read from its memories.
SHARED = ("What do 50 scanners cost?", "What did Vera Lind ask for?", "Сколько стоят сканеры?")


@dataclass(frozen=True)
class _Way:
    """One way to ask: about whom, and whether only them."""

    name: str
    contact_id: UUID | None
    only_contact: bool
    is_foreign: bool = False


def recall_probes(theatre: Theatre, graph: GraphStore, *, depth: int) -> Iterator[Probe]:
    """Role x question x whom it is about."""
    memories = Memories(FakeEmbedder(), graph)
    own, foreign = (UUID(tenant.ids["contacts"][0]) for tenant in (theatre.attacker, theatre.victim))
    ways = (
        _Way("about nobody", None, False),
        _Way("about our contact", own, True),
        _Way("about the victim's contact", foreign, True, is_foreign=True),
        _Way("near the victim's contact", foreign, False, is_foreign=True),
    )
    for role in (Role.OWNER, Role.BIDI) if depth == 1 else Role:
        for question in (*SHARED, *theatre.spoken[: 4 * depth]):
            for way in ways:
                ask = partial(_ask, theatre, memories, role, question, way)
                yield Probe("recall", "memory.recall", f"{question[:40]!r} {way.name} as {role}", ask)


async def _ask(theatre: Theatre, memories: Memories, role: Role, question: str, way: _Way) -> list[str]:
    principal = theatre.attacker.people[role]

    async def answer(contact_id: UUID | None) -> str:
        shown = tuple(UUID(id) for id in theatre.victim.ids["messages"][:2])
        limits = dict.fromkeys(MemoryKind, 50)
        asked = Recall(question, contact_id, way.only_contact, shown=shown, limits=limits, max_tokens=100_000)
        told = await memories.recall(principal, lambda: theatre.db.transaction(principal, "probe"), asked)
        return repr([one.memory for one in told.found])

    text = await answer(way.contact_id)
    found = theatre.leaks(text, [question, str(way.contact_id)])
    if way.is_foreign and text != await answer(uuid7()):
        found.append("a foreign contact answers otherwise than an unknown one")
    return found
