"""What is remembered about a question: by words in both languages, by meaning, by time, and by who is near whom."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from uuid import UUID

from prometheus_client import Histogram

from core.db import Tx
from core.principal import Principal
from core.tokens import estimated_tokens
from graph.store import GraphAway, GraphStore
from memory import ranking, search
from memory.embeddings.base import Embedder, EmbeddingsAway, Vectors
from memory.models import Memory, MemoryKind
from memory.search import Candidate, Scope, Speaker

Transaction = Callable[[], AbstractAsyncContextManager[Tx]]
LIMITS = {MemoryKind.TURN: 8, MemoryKind.CHUNK: 6, MemoryKind.SUMMARY: 2}
MAX_TOKENS = 2000
_NEIGHBOURS = 15
_seconds = Histogram("getsale_recall_seconds", "Duration of recalls in seconds")


@dataclass(frozen=True)
class Recall:
    """What is asked, for whom, and how much may come back.

    `contact_id` is whom it is about. With `only_contact` nothing of anybody else's conversations is found, and with
    `only_publishable` no document that outsiders may not read: together they make a counterpart-scoped recall.
    """

    question: str
    contact_id: UUID | None = None
    only_contact: bool = False
    only_publishable: bool = False
    shown: tuple[UUID, ...] = ()
    limits: Mapping[MemoryKind, int] = field(default_factory=lambda: dict(LIMITS))
    max_tokens: int = MAX_TOKENS

    @property
    def scope(self) -> Scope:
        only = self.contact_id if self.only_contact else None
        return Scope(tuple(self.limits), only, self.only_publishable, self.shown)


@dataclass(frozen=True)
class Recalled:
    memory: Memory
    score: float


@dataclass(frozen=True)
class Recollection:
    """What came to mind, the best of each kind first; `is_by_words` says that the embedding model was away."""

    found: tuple[Recalled, ...]
    is_by_words: bool = False


class Memories:
    """Recall over one embedder and one graph, either of which may be away."""

    def __init__(self, embedder: Embedder, graph: GraphStore | None = None) -> None:
        self._embedder = embedder
        self._graph = graph

    async def recall(self, principal: Principal, transaction: Transaction, asked: Recall) -> Recollection:
        """Find what was said or written about a question, under the principal's own eyes.

        No transaction is open while the model or the graph is asked.
        """
        with _seconds.time():
            named = await _named(transaction, ranking.capitalised_stems(asked.question))
            question = ranking.understand(asked.question, named, contact_id=asked.contact_id)
            vector, near = await asyncio.gather(
                self._vector(question.text), self._near(principal, asked.contact_id)
            )
            question = ranking.understand(asked.question, named, contact_id=asked.contact_id, near=near)
            async with transaction() as tx:
                candidates = await search.list_candidates(
                    tx, asked.scope, terms=question.terms, model=self._embedder.name, vector=vector
                )
                best = _within_limits(ranking.rank(question, candidates), asked.limits)
                memories = await search.load_memories(tx, [UUID(str(one.id)) for one, _ in best])
        scores = {one.id: score for one, score in best}
        found = [Recalled(memory, scores[memory.id]) for memory in memories]
        return Recollection(tuple(_within_budget(found, asked.max_tokens)), vector is None)

    async def _vector(self, text: str) -> Vectors | None:
        try:
            vector: Vectors = (await self._embedder.embed_queries([text]))[0]
        except EmbeddingsAway:
            return None
        return vector

    async def _near(self, principal: Principal, contact_id: UUID | None) -> Mapping[UUID, float]:
        """People and companies around the contact, with the weight of the strongest way to each."""
        if self._graph is None or contact_id is None:
            return {}
        try:
            around = await self._graph.neighbourhood(principal, contact_id, hops=2, limit=_NEIGHBOURS)
        except GraphAway:
            return {}
        near: dict[UUID, float] = {}
        for edge in around.edges:
            for end in (edge.source, edge.target):
                near[end] = max(near.get(end, 0.0), edge.weight)
        near.pop(contact_id, None)
        return near


async def _named(transaction: Transaction, stems: Sequence[str]) -> list[Speaker]:
    """Who is named; most questions name nobody and cost nothing here."""
    if not stems:
        return []
    async with transaction() as tx:
        return await search.find_speakers(tx, stems)


def _within_limits(
    ranked: Sequence[tuple[Candidate, float]], limits: Mapping[MemoryKind, int]
) -> list[tuple[Candidate, float]]:
    """The best of each kind, in the order of the limits."""
    return [
        pair
        for kind, limit in limits.items()
        for pair in [pair for pair in ranked if pair[0].kind is kind][:limit]
    ]


def _within_budget(found: Sequence[Recalled], max_tokens: int) -> list[Recalled]:
    """As many as fit, each kind's best before any kind's next: a budget takes the weakest away first."""
    places: dict[MemoryKind, int] = {}
    ordered = []
    for one in found:
        places[one.memory.kind] = places.get(one.memory.kind, 0) + 1
        ordered.append((places[one.memory.kind], one))
    kept: set[UUID] = set()
    left = max_tokens
    for _, one in sorted(ordered, key=lambda pair: pair[0]):
        left -= estimated_tokens(one.memory.text)
        if left >= 0:
            kept.add(one.memory.id)
    return [one for one in found if one.memory.id in kept]
