"""Reading memories: what a question may mean, how well each memory fits it, and the memories themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Tx
from memory.embeddings.base import Vectors
from memory.models import Memory, MemoryId, MemoryKind
from memory.store import as_halfvec

# How many of each kind are looked at closely; with 600 recall is the same within half a point.
CANDIDATES = 200


@dataclass(frozen=True)
class Scope:
    """What may be found: of turns and summaries those of one contact or of everybody, of documents all or those
    that may be quoted to outsiders. `shown` are sources that the asker has in view already."""

    kinds: tuple[MemoryKind, ...]
    contact_id: UUID | None = None
    only_publishable: bool = False
    shown: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Speaker:
    """Somebody who is known to speak, by one stem of the name."""

    stem: str
    speaker: str


@dataclass(frozen=True)
class Candidate:
    """A memory and how well it fits, in standard deviations from the mean of its kind: by meaning and by words.

    `follows_question` says that it comes right after somebody else's question.
    """

    id: MemoryId
    kind: MemoryKind
    thread_id: UUID
    ordinal: int
    episode: int
    contact_id: UUID | None
    speaker: str
    length: int
    is_question: bool
    names_time: bool
    follows_question: bool
    occurred_at: datetime
    meaning: float
    words: float


async def find_speakers(tx: Tx, stems: Sequence[str]) -> list[Speaker]:
    """Who is named by these stems, in conversations that the asker may see."""
    return await tx.all(
        Speaker,
        "SELECT DISTINCT stem, speaker FROM memory_speakers WHERE stem = ANY(%(stems)s)",
        stems=list(stems),
    )


async def list_candidates(
    tx: Tx, scope: Scope, *, terms: Sequence[str], model: str, vector: Vectors | None
) -> list[Candidate]:
    """The memories of each kind that fit best by meaning and words together; without a vector by words alone.

    A turn is searched together with the one before and the one after it.

    Source: BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with k1 = 1.2 and no
    correction for length, which three turns together hardly need.
    """
    await tx.execute(
        """
        -- a generic plan, made for a large tenant, would serve a small one with too few rows
        SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
        -- the planner takes the rows of a tenant for a handful and would compare each with each
               set_config('enable_nestloop', 'off', true),
               set_config('enable_mergejoin', 'off', true)
        """
    )
    return await tx.all(
        Candidate,
        """
        WITH scope AS MATERIALIZED (
            SELECT id, kind, thread_id, ordinal, episode, contact_id, speaker, length, is_question, names_time,
                   occurred_at, count(*) OVER (PARTITION BY kind) AS size,
                   CASE WHEN model = %(model)s
                        THEN (1 - (embedding <=> %(vector)s::halfvec))::float8 END AS cosine
              FROM memories
             WHERE superseded_at IS NULL
               AND kind = ANY(%(kinds)s)
               AND (kind = 'chunk' OR %(contact_id)s::uuid IS NULL OR contact_id = %(contact_id)s::uuid)
               AND (kind <> 'chunk' OR is_publishable OR NOT %(only_publishable)s)
               AND source_id <> ALL(%(shown)s::uuid[])
        ), posting AS (
            SELECT t.kind, t.thread_id, t.ordinal + near.step AS ordinal, t.term, sum(t.tf)::float8 AS tf
              FROM memory_terms AS t
             CROSS JOIN (VALUES (-1), (0), (1)) AS near (step)
             WHERE t.term = ANY(%(terms)s)
               AND t.kind = ANY(%(kinds)s)
               AND (near.step = 0 OR t.kind = 'turn')
             GROUP BY t.kind, t.thread_id, t.ordinal + near.step, t.term
        ), hit AS (
            SELECT s.id, p.tf, s.size, count(*) OVER (PARTITION BY s.kind, p.term) AS frequency
              FROM posting AS p
              JOIN scope AS s USING (kind, thread_id, ordinal)
        ), lexical AS (
            SELECT id, sum(ln(1 + (size - frequency + 0.5) / (frequency + 0.5)) * tf * 2.2 / (tf + 1.2)) AS bm25
              FROM hit
             GROUP BY id
        ), scored AS (
            SELECT s.*,
                   coalesce((cosine - avg(cosine) OVER of_kind)
                            / nullif(stddev_pop(cosine) OVER of_kind, 0), 0) AS meaning,
                   coalesce((coalesce(bm25, 0) - avg(coalesce(bm25, 0)) OVER of_kind)
                            / nullif(stddev_pop(coalesce(bm25, 0)) OVER of_kind, 0), 0) AS words
              FROM scope AS s
              LEFT JOIN lexical USING (id)
            WINDOW of_kind AS (PARTITION BY kind)
        ), best AS (
            SELECT scored.*, row_number() OVER (PARTITION BY kind ORDER BY 2 * meaning + words DESC, id) AS place
              FROM scored
        )
        SELECT b.id, b.kind, b.thread_id, b.ordinal, b.episode, b.contact_id, b.speaker, b.length, b.is_question,
               b.names_time, coalesce(before.is_question AND before.speaker <> b.speaker, false) AS follows_question,
               b.occurred_at, b.meaning, b.words::float8 AS words
          FROM best AS b
          LEFT JOIN scope AS before
            ON before.kind = 'turn'
           AND b.kind = 'turn'
           AND before.thread_id = b.thread_id
           AND before.ordinal = b.ordinal - 1
           AND before.episode = b.episode
         WHERE b.place <= %(candidates)s
         ORDER BY b.kind, b.place
        """,
        kinds=[kind.value for kind in scope.kinds],
        contact_id=scope.contact_id,
        only_publishable=scope.only_publishable,
        shown=list(scope.shown),
        terms=list(terms),
        model=model if vector is not None else "",
        vector=None if vector is None else as_halfvec(vector.tolist()),
        candidates=CANDIDATES,
    )


async def load_memories(tx: Tx, ids: Sequence[UUID]) -> list[Memory]:
    """The memories of these ids, in their order; those that are gone meanwhile are left out."""
    found = await tx.all(
        Memory,
        """
        SELECT id, kind, source_kind, source_id, thread_id, ordinal, conversation_id, contact_id, speaker, is_ours,
               title, heading, page, line, text, trust, is_publishable, occurred_at, superseded_at
          FROM memories
         WHERE id = ANY(%(ids)s)
        """,
        ids=list(ids),
    )
    by_id = {UUID(str(memory.id)): memory for memory in found}
    return [by_id[id] for id in ids if id in by_id]
