"""Keeping what is found in line with the records: looked at again after every change, many at a time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from core import clock
from core.db import Tx
from core.languages import words as words_in
from crm.search.models import FoundKind, Rank, Record
from crm.search.sources import SOURCES, load_records
from crm.search.words import grams_of, stem_of, words_of
from events import due
from events.ids import ConversationId, TagId

BATCH = 500
CATCH_UP = "search.catch_up"
LOOK_AGAIN = "search.look_again"
TIDY = "search.tidy"
FIRST = UUID(int=0)


@dataclass(frozen=True)
class _Entry:
    record_id: UUID
    words: list[str]
    ranks: list[int]


async def index_records(tx: Tx, kind: FoundKind, ids: Sequence[UUID]) -> int:
    """Bring what these records are found by in line with how they are now; returns how many can be found.

    Repeating it does no harm, in any order. A record that is gone is found no more. Some hundreds at a time cost
    six statements together.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return 0
    # The text is read after the entry is locked: of two that look at once, the later one sees the newest.
    entries = {entry.record_id: entry for entry in await _lock_entries(tx, kind, wanted)}
    records = {record.id: record for record in await load_records(tx, kind, wanted)}
    await _write(tx, kind, [entries[id] for id in wanted], records)
    return len(records)


async def _lock_entries(tx: Tx, kind: FoundKind, ids: Sequence[UUID]) -> list[_Entry]:
    """The entries of these records, made where they are missing; in one order for everybody, against deadlocks."""
    await tx.execute(
        """
        INSERT INTO search_entries (organization_id, kind, record_id, at)
        SELECT %(organization_id)s, %(kind)s, record_id, %(now)s
          FROM unnest(%(ids)s::uuid[]) AS record_id
         ORDER BY record_id
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        kind=kind.value,
        ids=list(ids),
        now=clock.now(),
    )
    return await tx.all(
        _Entry,
        """
        SELECT record_id, words, ranks
          FROM search_entries
         WHERE kind = %(kind)s
           AND record_id = ANY(%(ids)s)
         ORDER BY record_id
           FOR UPDATE
        """,
        kind=kind.value,
        ids=list(ids),
    )


async def _write(tx: Tx, kind: FoundKind, entries: Sequence[_Entry], records: dict[UUID, Record]) -> None:
    gone: list[tuple[UUID, str, int]] = []
    added: list[tuple[UUID, str, int]] = []
    kept: list[tuple[Record, dict[str, Rank]]] = []
    for entry in entries:
        record = records.get(entry.record_id)
        now = words_of(kind, record) if record else {}
        before = dict(zip(entry.words, entry.ranks, strict=True))
        gone += [(entry.record_id, word, rank) for word, rank in before.items() if now.get(word) != rank]
        added += [(entry.record_id, word, rank) for word, rank in now.items() if before.get(word) != rank]
        if record:
            kept.append((record, now))
    await _delete_postings(tx, gone)
    await _insert_postings(tx, kind, added, {record.id: record.thread_id for record, _ in kept})
    await _insert_words(tx, sorted({word for _, word, _ in added}))
    await _delete_entries(tx, kind, [entry.record_id for entry in entries if entry.record_id not in records])
    await _update_entries(tx, kind, kept)


async def _delete_postings(tx: Tx, gone: Sequence[tuple[UUID, str, int]]) -> None:
    if not gone:
        return
    await tx.execute(
        """
        DELETE FROM search_postings AS p
         USING unnest(%(ids)s::uuid[], %(words)s::text[], %(ranks)s::smallint[]) AS gone (record_id, word, rank)
         WHERE p.word = gone.word
           AND p.rank = gone.rank
           AND p.record_id = gone.record_id
        """,
        ids=[id for id, _, _ in gone],
        words=[word for _, word, _ in gone],
        ranks=[int(rank) for _, _, rank in gone],
    )
    await _schedule_tidying(tx)


async def _insert_postings(
    tx: Tx, kind: FoundKind, added: Sequence[tuple[UUID, str, int]], threads: dict[UUID, UUID | None]
) -> None:
    if not added:
        return
    ordered = sorted(added, key=lambda posting: posting[1])  # neighbours in the index are written together
    await tx.execute(
        """
        INSERT INTO search_postings (organization_id, record_id, rank, word, kind, thread_id)
        SELECT %(organization_id)s, record_id, rank, word, %(kind)s, thread_id
          FROM unnest(%(ids)s::uuid[], %(words)s::text[], %(ranks)s::smallint[], %(threads)s::uuid[])
               AS added (record_id, word, rank, thread_id)
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        kind=kind.value,
        ids=[id for id, _, _ in ordered],
        words=[word for _, word, _ in ordered],
        ranks=[int(rank) for _, _, rank in ordered],
        threads=[threads[id] for id, _, _ in ordered],
    )


async def _insert_words(tx: Tx, words: Sequence[str]) -> None:
    """Know these words from now on; most are known, so that only new ones are cut into pieces."""
    if not words:
        return
    # A word that is tidied away while it comes into use again would be lost: the two wait for each other.
    await tx.execute("SELECT pg_advisory_xact_lock_shared(%(key)s)", key=_words_key(tx))
    new = await tx.all(
        _Word,
        """
        INSERT INTO search_words (organization_id, word, stem)
        SELECT %(organization_id)s, word, stem
          FROM unnest(%(words)s::text[], %(stems)s::text[]) AS given (word, stem)
            ON CONFLICT DO NOTHING
        RETURNING word
        """,
        organization_id=tx.organization_id,
        words=list(words),
        stems=[stem_of(word) for word in words],
    )
    grams = sorted((gram, word.word) for word in new for gram in grams_of(word.word))
    if not grams:
        return
    await tx.execute(
        """
        INSERT INTO search_grams (organization_id, gram, word)
        SELECT %(organization_id)s, gram, word
          FROM unnest(%(grams)s::text[], %(words)s::text[]) AS given (gram, word)
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        grams=[gram for gram, _ in grams],
        words=[word for _, word in grams],
    )


@dataclass(frozen=True)
class _Word:
    word: str


async def _delete_entries(tx: Tx, kind: FoundKind, ids: Sequence[UUID]) -> None:
    if ids:
        await tx.execute(
            "DELETE FROM search_entries WHERE kind = %(kind)s AND record_id = ANY(%(ids)s)",
            kind=kind.value,
            ids=list(ids),
        )


async def _update_entries(tx: Tx, kind: FoundKind, kept: Sequence[tuple[Record, dict[str, Rank]]]) -> None:
    if not kept:
        return
    await tx.execute(
        """
        UPDATE search_entries AS e
           SET at = given.at,
               thread_id = given.thread_id,
               words = CASE WHEN given.words = '' THEN '{}' ELSE string_to_array(given.words, ' ') END,
               ranks = CASE WHEN given.ranks = '' THEN '{}' ELSE string_to_array(given.ranks, ' ')::smallint[] END
          FROM unnest(%(ids)s::uuid[], %(at)s::timestamptz[], %(threads)s::uuid[], %(words)s::text[], %(ranks)s::text[])
               AS given (record_id, at, thread_id, words, ranks)
         WHERE e.kind = %(kind)s
           AND e.record_id = given.record_id
        """,
        kind=kind.value,
        ids=[record.id for record, _ in kept],
        at=[record.at for record, _ in kept],
        threads=[record.thread_id for record, _ in kept],
        words=[" ".join(words) for _, words in kept],
        ranks=[" ".join(str(int(rank)) for rank in words.values()) for _, words in kept],
    )


async def index_dependents(tx: Tx, kind: FoundKind, ids: Sequence[UUID]) -> None:
    """Bring in line what shows the names of these records: people and deals of a company; deals, leads and meetings
    of a person; what hangs on any of them."""
    for dependent, query in _DEPENDENTS.get(kind, ()):
        await _index_where(tx, dependent, await _list_ids(tx, query, ids, kind))
    if kind is FoundKind.CONTACT:
        # a lead is called as its person is, so what hangs on it shows that name too
        await index_dependents(tx, FoundKind.LEAD, await _list_ids(tx, _LEADS_OF_CONTACTS, ids, kind))


_LEADS_OF_CONTACTS: LiteralString = "SELECT id AS value FROM leads WHERE contact_id = ANY(%(ids)s)"
_HANGING: tuple[tuple[FoundKind, LiteralString], ...] = (
    (
        FoundKind.TASK,
        "SELECT id AS value FROM tasks WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)",
    ),
    (
        FoundKind.NOTE,
        "SELECT id AS value FROM notes WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)",
    ),
    (
        FoundKind.FILE,
        "SELECT id AS value FROM files WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)",
    ),
    (
        FoundKind.MEETING,
        """
        SELECT id AS value FROM meetings WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)
        UNION
        SELECT meeting_id FROM meeting_contacts WHERE %(kind)s = 'contact' AND contact_id = ANY(%(ids)s)
        """,
    ),
)
_DEPENDENTS: dict[FoundKind, tuple[tuple[FoundKind, LiteralString], ...]] = {
    FoundKind.COMPANY: (
        (FoundKind.CONTACT, "SELECT id AS value FROM contacts WHERE company_id = ANY(%(ids)s)"),
        (FoundKind.DEAL, "SELECT id AS value FROM deals WHERE company_id = ANY(%(ids)s)"),
        *_HANGING,
    ),
    FoundKind.CONTACT: (
        (FoundKind.DEAL, "SELECT id AS value FROM deals WHERE contact_id = ANY(%(ids)s)"),
        (FoundKind.LEAD, _LEADS_OF_CONTACTS),
        *_HANGING,
    ),
    FoundKind.DEAL: _HANGING,
    FoundKind.LEAD: _HANGING,
}


@dataclass(frozen=True)
class _Id:
    value: UUID


async def _list_ids(tx: Tx, query: LiteralString, ids: Sequence[UUID], kind: FoundKind) -> list[UUID]:
    if not ids:
        return []
    return [row.value for row in await tx.all(_Id, query, ids=list(ids), kind=kind.value)]


async def _index_where(tx: Tx, kind: FoundKind, ids: Sequence[UUID]) -> None:
    ordered = sorted(ids)
    for start in range(0, len(ordered), BATCH):
        await index_records(tx, kind, ordered[start : start + BATCH])


async def index_conversation(tx: Tx, conversation_id: ConversationId) -> None:
    """Bring in line every message of a conversation, also when the conversation is gone."""
    ids = await tx.all(
        _Id,
        """
        SELECT id AS value FROM messages WHERE conversation_id = %(conversation_id)s
        UNION
        SELECT record_id FROM search_entries WHERE thread_id = %(conversation_id)s
        """,
        conversation_id=conversation_id,
    )
    await _index_where(tx, FoundKind.MESSAGE, [row.value for row in ids])


async def list_once_tagged(tx: Tx, tag_id: TagId) -> dict[FoundKind, list[UUID]]:
    """The records that are found by a name which a tag has, or had: those whose words change with the tag.

    A tag that is gone stands on nothing any more, so its names are what leads to where it stood.
    """
    names = await tx.all(
        _Word,
        """
        SELECT DISTINCT v.changes -> 'name' ->> 0 AS word
          FROM events e
          JOIN event_changes v ON (v.organization_id, v.event_id) = (e.organization_id, e.id)
         WHERE e.subject_kind = 'tag'
           AND e.subject_id = %(tag_id)s
           AND v.changes -> 'name' ->> 0 IS NOT NULL
        """,
        tag_id=tag_id,
    )
    # one word of each name is enough to find them; the longest is the rarest
    words = [max(spoken, key=len) for name in names if (spoken := words_in(name.word))]
    places = await tx.all(
        _Place,
        """
        SELECT DISTINCT kind, record_id
          FROM search_postings
         WHERE word = ANY(%(words)s)
           AND kind IN ('contact', 'company', 'lead', 'deal')
        """,
        words=words,
    )
    found: dict[FoundKind, list[UUID]] = defaultdict(list)
    for place in places:
        found[place.kind].append(place.record_id)
    return found


@dataclass(frozen=True)
class _Place:
    kind: FoundKind
    record_id: UUID


async def look_again_later(tx: Tx) -> None:
    """Have the worker index everything again, for what records are found by has changed for many of them."""
    await due.schedule(tx, LOOK_AGAIN, tx.organization_id, clock.now())


async def catch_up_later(tx: Tx) -> None:
    """Have the worker index whatever is not found yet; a bulk import asks for it once, at its end."""
    await due.schedule(tx, CATCH_UP, tx.organization_id, clock.now())


@dataclass(frozen=True)
class Batch:
    """How many of a batch can be found, and the id behind which the next one begins."""

    found: int
    last: UUID


async def catch_up(tx: Tx, kind: FoundKind, after: UUID = FIRST) -> Batch | None:
    """Index of the next batch behind `after` what has no entry yet; None at the end."""
    ids = await _list_after(tx, kind, after)
    if not ids:
        return None
    known = await tx.all(
        _Id,
        """
        SELECT record_id AS value
          FROM search_entries
         WHERE kind = %(kind)s
           AND record_id = ANY(%(ids)s)
        """,
        kind=kind.value,
        ids=ids,
    )
    return Batch(await index_records(tx, kind, list(set(ids) - {row.value for row in known})), ids[-1])


async def index_next(tx: Tx, kind: FoundKind, after: UUID = FIRST) -> Batch | None:
    """Index the next batch behind `after`, whether it has entries or not; None at the end."""
    ids = await _list_after(tx, kind, after)
    return Batch(await index_records(tx, kind, ids), ids[-1]) if ids else None


async def _list_after(tx: Tx, kind: FoundKind, after: UUID) -> list[UUID]:
    rows = await tx.all(_Id, SOURCES[kind].after, after=after, limit=BATCH)
    return [row.value for row in rows]


async def forget_all(tx: Tx) -> None:
    """Empty the index of this organization; until it is filled again nothing is found."""
    for statement in _FORGETTING:
        await tx.execute(statement)


_FORGETTING: tuple[LiteralString, ...] = (
    "DELETE FROM search_entries",
    "DELETE FROM search_postings",
    "DELETE FROM search_words",
    "DELETE FROM search_grams",
)


async def _schedule_tidying(tx: Tx) -> None:
    """Words that nothing uses any more are forgotten within the hour: they may be of somebody who is deleted."""
    await due.schedule_missing(tx, TIDY, [tx.organization_id], clock.now() + timedelta(hours=1))


async def tidy_words(tx: Tx) -> int:
    """Forget the words that occur nowhere any more, with their pieces; returns how many there were."""
    await tx.execute("SELECT pg_advisory_xact_lock(%(key)s)", key=_words_key(tx))
    unused = await tx.all(
        _Word,
        """
        DELETE FROM search_words AS w
         WHERE NOT EXISTS (SELECT
                             FROM search_postings p
                            WHERE p.organization_id = w.organization_id
                              AND p.word = w.word)
        RETURNING word
        """,
    )
    for start in range(0, len(unused), BATCH):
        pairs = [(gram, one.word) for one in unused[start : start + BATCH] for gram in grams_of(one.word)]
        await tx.execute(
            """
            DELETE FROM search_grams AS g
             USING unnest(%(grams)s::text[], %(words)s::text[]) AS gone (gram, word)
             WHERE g.gram = gone.gram
               AND g.word = gone.word
            """,
            grams=[gram for gram, _ in pairs],
            words=[word for _, word in pairs],
        )
    return len(unused)


def _words_key(tx: Tx) -> int:
    """The advisory lock of an organization's words."""
    return int.from_bytes(tx.organization_id.bytes[-8:], signed=True)
