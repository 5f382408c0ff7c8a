"""Writing memories: remembered, superseded, forgotten; every function is safe to repeat."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from core.db import Tx
from core.ids import uuid7
from core.trust import Trust
from crm.conversations.models import Conversation
from events.ids import ConversationId, DocumentId
from memory import words
from memory.documents.models import Chunk
from memory.embeddings.base import Vectors
from memory.models import MemoryId, MemoryKind, NewTurn, SourceKind, Unembedded, Version

# A silence after which a conversation takes up something new.
EPISODE_GAP = timedelta(hours=6)


async def remember_turns(tx: Tx, conversation: Conversation, turns: Sequence[NewTurn]) -> int:
    """Remember messages of one conversation, in order; returns how many were new or had another text."""
    if not turns:
        return 0
    episodes = await _episodes(tx, conversation.id, turns)
    common = {
        "kind": MemoryKind.TURN,
        "source_kind": SourceKind.MESSAGE,
        "thread_id": conversation.id,
        "conversation_id": conversation.id,
        "contact_id": conversation.contact_id,
    }
    rows = [
        common
        | {
            "source_id": turn.message_id,
            "ordinal": turn.ordinal,
            "episode": episode,
            "speaker": turn.speaker,
            "is_ours": turn.is_ours,
            "text": turn.text,
            "trust": turn.trust,
            "occurred_at": turn.occurred_at,
            "is_question": words.is_question(turn.text),
            "names_time": words.names_time(turn.text),
        }
        for turn, episode in zip(turns, episodes, strict=True)
        if turn.text.strip()
    ]
    await _remember_speakers(tx, conversation.id, {turn.speaker for turn in turns if turn.speaker})
    changed = await _write(tx, rows)
    await _forget_vectors_after(tx, conversation.id, [turn.ordinal for turn in turns])
    return changed


async def _episodes(tx: Tx, conversation_id: ConversationId, turns: Sequence[NewTurn]) -> list[int]:
    """The number of each turn's episode: it goes up by one after every long silence."""
    async with tx.connection.cursor() as cursor:
        await cursor.execute(
            """
            SELECT episode, occurred_at
              FROM memories
             WHERE thread_id = %(thread_id)s
               AND kind = 'turn'
               AND ordinal < %(ordinal)s
             ORDER BY ordinal DESC
             LIMIT 1
            """,
            {"thread_id": conversation_id, "ordinal": turns[0].ordinal},
        )
        before = await cursor.fetchone()
    episode, last = (before["episode"], before["occurred_at"]) if before else (0, turns[0].occurred_at)
    found = []
    for turn in turns:
        if turn.occurred_at - last > EPISODE_GAP:
            episode += 1
        last = turn.occurred_at
        found.append(episode)
    return found


async def _remember_speakers(tx: Tx, conversation_id: ConversationId, speakers: Iterable[str]) -> None:
    rows = [(stem, speaker) for speaker in speakers for stem in words.name_stems(speaker)]
    await tx.execute(
        """
        INSERT INTO memory_speakers (organization_id, stem, thread_id, speaker)
        SELECT %(organization_id)s, stem, %(conversation_id)s, speaker
          FROM unnest(%(stems)s::text[], %(speakers)s::text[]) AS named (stem, speaker)
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        conversation_id=conversation_id,
        stems=[stem for stem, _ in rows],
        speakers=[speaker for _, speaker in rows],
    )


async def _forget_vectors_after(tx: Tx, thread_id: UUID, ordinals: Sequence[int]) -> None:
    """The vector of a turn holds the one before it: when that came late or was edited, it is made again."""
    await tx.execute(
        """
        UPDATE memories AS later
           SET embedding = NULL, model = ''
          FROM memories AS earlier
         WHERE earlier.thread_id = %(thread_id)s
           AND earlier.kind = 'turn'
           AND earlier.ordinal = ANY(%(ordinals)s)
           AND earlier.embedding IS NULL
           AND later.thread_id = earlier.thread_id
           AND later.kind = 'turn'
           AND later.ordinal = earlier.ordinal + 1
           AND later.embedding IS NOT NULL
        """,
        thread_id=thread_id,
        ordinals=list(ordinals),
    )


async def remember_summary(
    tx: Tx, conversation: Conversation, *, episode: int, text: str, occurred_at: datetime
) -> int:
    """Remember what one episode of a conversation was about; a later summary of the episode takes its place."""
    row = {
        "kind": MemoryKind.SUMMARY,
        "source_kind": SourceKind.CONVERSATION,
        "source_id": conversation.id,
        "thread_id": conversation.id,
        "conversation_id": conversation.id,
        "contact_id": conversation.contact_id,
        "ordinal": episode,
        "episode": episode,
        "text": text,
        # it quotes what the contact wrote
        "trust": Trust.UNTRUSTED,
        "occurred_at": occurred_at,
    }
    return await _write(tx, [row])


@dataclass(frozen=True)
class PastTurn:
    """A turn of an episode, as it is summed up."""

    message_id: UUID
    ordinal: int
    episode: int
    speaker: str
    is_ours: bool
    text: str
    occurred_at: datetime

    def as_turn(self) -> NewTurn:
        return NewTurn(self.message_id, self.ordinal, self.speaker, self.is_ours, self.text, self.occurred_at)


async def list_unsummarized(
    tx: Tx, conversation_id: ConversationId, *, min_turns: int, from_ordinal: int
) -> list[PastTurn]:
    """The turns of the episodes that are over, long enough and not summed up, in order.

    Episodes that were over before a turn are left out; so this is no more work in a long conversation.
    """
    return await tx.all(
        PastTurn,
        """
        WITH ended AS (
            SELECT episode
              FROM memories
             WHERE thread_id = %(thread_id)s
               AND kind = 'turn'
               AND episode >= coalesce((SELECT episode
                                          FROM memories
                                         WHERE thread_id = %(thread_id)s
                                           AND kind = 'turn'
                                           AND ordinal < %(from_ordinal)s
                                         ORDER BY ordinal DESC
                                         LIMIT 1), 0)
               AND episode < (SELECT max(episode)
                                FROM memories
                               WHERE thread_id = %(thread_id)s
                                 AND kind = 'turn')
             GROUP BY episode
            HAVING count(*) >= %(min_turns)s
        )
        SELECT t.source_id AS message_id, t.ordinal, t.episode, t.speaker, t.is_ours, t.text, t.occurred_at
          FROM memories AS t
         WHERE t.thread_id = %(thread_id)s
           AND t.kind = 'turn'
           AND t.episode = ANY(ARRAY(SELECT episode FROM ended))
           AND NOT EXISTS (SELECT
                             FROM memories AS s
                            WHERE s.thread_id = %(thread_id)s
                              AND s.kind = 'summary'
                              AND s.ordinal = t.episode)
         ORDER BY t.ordinal
        """,
        thread_id=conversation_id,
        min_turns=min_turns,
        from_ordinal=from_ordinal,
    )


async def insert_chunks(
    tx: Tx, version: Version, chunks: Sequence[Chunk], *, trust: Trust = Trust.CONFIRMED
) -> int:
    """Make one version of a document findable, and the versions before it no more; returns how many are new."""
    await supersede(tx, version.document_id, but_version=version.version_id)
    common = {
        "kind": MemoryKind.CHUNK,
        "source_kind": SourceKind.DOCUMENT,
        "source_id": version.document_id,
        "thread_id": version.version_id,
        "title": version.title,
        "is_publishable": version.is_publishable,
        "trust": trust,
        "occurred_at": version.uploaded_at,
    }
    rows = [
        common
        | {
            "ordinal": ordinal,
            "heading": list(chunk.heading),
            "page": chunk.page,
            "line": chunk.number,
            "text": chunk.text,
        }
        for ordinal, chunk in enumerate(chunks)
    ]
    return await _write(tx, rows)


async def supersede(tx: Tx, document_id: DocumentId, *, but_version: UUID | None = None) -> int:
    """Find a document no more, except for one version of it; what was cited stays readable."""
    superseded = await tx.all(
        _Superseded,
        """
        UPDATE memories
           SET superseded_at = now(), embedding = NULL, model = ''
         WHERE source_kind = 'document'
           AND source_id = %(document_id)s
           AND thread_id IS DISTINCT FROM %(but_version)s
           AND superseded_at IS NULL
        RETURNING id
        """,
        document_id=document_id,
        but_version=but_version,
    )
    await _forget_terms(tx, [row.id for row in superseded])
    return len(superseded)


async def set_publishable(tx: Tx, document_id: DocumentId, *, is_publishable: bool) -> None:
    """Whether replies that nobody looks at may rest on a document."""
    await tx.execute(
        """
        UPDATE memories
           SET is_publishable = %(is_publishable)s
         WHERE source_kind = 'document'
           AND source_id = %(document_id)s
        """,
        is_publishable=is_publishable,
        document_id=document_id,
    )


async def forget_document(tx: Tx, document_id: DocumentId) -> int:
    """Remove all that was made from a document; returns how many memories went.

    What was said needs no such thing: with its message or its conversation the database removes it by itself.
    """
    return await tx.execute(
        "DELETE FROM memories WHERE source_kind = 'document' AND source_id = %(document_id)s",
        document_id=document_id,
    )


async def list_threads_to_embed(tx: Tx) -> list[UUID]:
    """The threads in which something waits for its vector."""
    found = await tx.value(
        """
        SELECT array_agg(DISTINCT thread_id)
          FROM memories
         WHERE embedding IS NULL
           AND superseded_at IS NULL
        """
    )
    return list(found or ())


async def list_unembedded(tx: Tx, thread_id: UUID, *, limit: int) -> list[Unembedded]:
    """What of a thread waits for its vector, oldest first."""
    return await tx.all(
        Unembedded,
        """
        SELECT m.id, m.kind, m.speaker, m.title, m.heading, m.text,
               coalesce(earlier.speaker || ': ' || earlier.text, '') AS before
          FROM memories AS m
          LEFT JOIN memories AS earlier
            ON m.kind = 'turn'
           AND earlier.kind = 'turn'
           AND earlier.thread_id = m.thread_id
           AND earlier.ordinal = m.ordinal - 1
           AND earlier.episode = m.episode
         WHERE m.thread_id = %(thread_id)s
           AND m.embedding IS NULL
           AND m.superseded_at IS NULL
         ORDER BY m.kind, m.ordinal
         LIMIT %(limit)s
        """,
        thread_id=thread_id,
        limit=limit,
    )


async def store_vectors(tx: Tx, model: str, waiting: Sequence[Unembedded], vectors: Vectors) -> None:
    """Keep vectors with the name of the model that made them, unless a text has changed meanwhile."""
    await tx.execute_many(
        """
        UPDATE memories
           SET embedding = %(vector)s::halfvec, model = %(model)s
         WHERE id = %(id)s
           AND text = %(text)s
           AND superseded_at IS NULL
        """,
        [
            {"id": memory.id, "text": memory.text, "model": model, "vector": as_halfvec(vector)}
            for memory, vector in zip(waiting, vectors.tolist(), strict=True)
        ],
    )


def as_halfvec(vector: Sequence[float]) -> str:
    """A vector as pgvector reads it."""
    return f"[{','.join(f'{value:.5g}' for value in vector)}]"


@dataclass(frozen=True)
class _Superseded:
    id: UUID


async def _write(tx: Tx, rows: list[dict[str, object]]) -> int:
    """Insert rows or give them their new text; only what changed is stemmed and loses its vector."""
    for row in rows:
        row |= {"id": uuid7(), "length": len(words.stems(_searched(row)))}
    changed = await tx.all(
        _Changed,
        """
        INSERT INTO memories (organization_id, id, kind, source_kind, source_id, thread_id, ordinal, episode,
                              conversation_id, contact_id, speaker, is_ours, title, heading, page, line, text, length,
                              is_question, names_time, trust, is_publishable, occurred_at)
        SELECT %(organization_id)s, id, kind, source_kind, source_id, thread_id, ordinal, coalesce(episode, 0),
               conversation_id, contact_id, coalesce(speaker, ''), coalesce(is_ours, false), coalesce(title, ''),
               coalesce(heading, '{}'), page, line, text, length, coalesce(is_question, false),
               coalesce(names_time, false), trust, coalesce(is_publishable, false), occurred_at
          FROM jsonb_to_recordset(%(rows)s) AS given (
               id uuid, kind text, source_kind text, source_id uuid, thread_id uuid, ordinal int, episode int,
               conversation_id uuid, contact_id uuid, speaker text, is_ours boolean, title text, heading text[],
               page int, line int, text text, length int, is_question boolean, names_time boolean, trust text,
               is_publishable boolean, occurred_at timestamptz)
            ON CONFLICT (organization_id, thread_id, kind, ordinal) DO UPDATE
           SET text = EXCLUDED.text, length = EXCLUDED.length, is_question = EXCLUDED.is_question,
               names_time = EXCLUDED.names_time, embedding = NULL, model = '', superseded_at = NULL
         WHERE memories.text IS DISTINCT FROM EXCLUDED.text
            OR memories.superseded_at IS NOT NULL
        RETURNING id, ordinal
        """,
        organization_id=tx.organization_id,
        rows=Jsonb(rows),
    )
    by_ordinal = {row["ordinal"]: row for row in rows}
    await _forget_terms(tx, [row.id for row in changed])
    await _insert_terms(tx, [(row.id, by_ordinal[row.ordinal]) for row in changed])
    return len(changed)


@dataclass(frozen=True)
class _Changed:
    id: MemoryId
    ordinal: int


def _searched(row: dict[str, object]) -> str:
    heading = row.get("heading", ())
    above = " ".join(heading) if isinstance(heading, list) else ""
    return f"{row.get('title', '')} {above} {row['text']}"


async def _forget_terms(tx: Tx, ids: Sequence[UUID]) -> None:
    await tx.execute("DELETE FROM memory_terms WHERE memory_id = ANY(%(ids)s)", ids=list(ids))


async def _insert_terms(tx: Tx, rows: Sequence[tuple[UUID, dict[str, object]]]) -> None:
    counted = [
        {
            "memory_id": memory_id,
            "kind": row["kind"],
            "thread_id": row["thread_id"],
            "ordinal": row["ordinal"],
            "term": term,
            "tf": tf,
        }
        for memory_id, row in rows
        for term, tf in Counter(words.stems(_searched(row))).items()
    ]
    await tx.execute(
        """
        INSERT INTO memory_terms (organization_id, memory_id, kind, thread_id, ordinal, term, tf)
        SELECT %(organization_id)s, memory_id, kind, thread_id, ordinal, term, tf
          FROM jsonb_to_recordset(%(counted)s) AS counted (
               memory_id uuid, kind text, thread_id uuid, ordinal int, term text, tf int)
        """,
        organization_id=tx.organization_id,
        counted=Jsonb(counted),
    )
