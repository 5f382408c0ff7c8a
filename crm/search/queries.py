"""Finding: what each word of a query may mean, which records have all of them, and those as they are now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import clock
from core.db import Tx
from core.languages import words
from core.pagination import MAX_PAGE
from crm.search.marks import mark, mark_first, snippet_of, words_meant
from crm.search.meanings import (
    ENDING_LETTERS,
    Candidate,
    Meaning,
    Sense,
    guesses,
    likely_words,
    understood_as,
)
from crm.search.models import Found, FoundKind, Hit, Marked, Rank, Record
from crm.search.sources import SOURCES, load_records
from crm.search.words import SAID, Term, fewest_shared, letter_grams, parts_of, terms_of

# How far the list of one word is read. Past it lie only records whose words stand in worse places or that are older.
_READ_ALONE, _READ_TOGETHER = 500, 20_000
# So many more of each kind than are wanted are read and looked at closely; whole documents are long.
_MORE, _MOST_DOCUMENTS = 10, 10
_WEIGHT = {
    FoundKind.CONTACT: 1.0,
    FoundKind.COMPANY: 0.98,
    FoundKind.DEAL: 0.94,
    FoundKind.LEAD: 0.9,
    FoundKind.TASK: 0.85,
    FoundKind.MEETING: 0.84,
    FoundKind.FILE: 0.82,
    FoundKind.DOCUMENT: 0.8,
    FoundKind.NOTE: 0.75,
    FoundKind.MESSAGE: 0.7,
}
_PLACE = {Rank.TITLE: 1.0, Rank.HANDLE: 0.95, Rank.DETAIL: 0.7, Rank.BODY: 0.6}
_RECENT = timedelta(days=60)
_FOR_RECENCY, _FOR_WHOLE_TITLE = 0.05, 0.1


async def search(
    tx: Tx,
    text: str,
    *,
    kinds: Collection[FoundKind] = tuple(FoundKind),
    limit: int = MAX_PAGE,
    each: int | None = None,
) -> Found:
    """The records that have all words of `text`, best first, at most `limit` together and `each` of a kind.

    A word may be a beginning, have another ending, be misspelt, be typed with the other layout or in the other
    alphabet. When no record has all of them, those that have all but one are found. Kinds that the principal may not
    read are left out.
    """
    each = min(each or limit, limit)
    allowed = [kind for kind in FoundKind if kind in kinds and tx.principal.may(SOURCES[kind].scope)]
    terms = terms_of(text)
    if not allowed or not terms:
        return Found([])
    meanings = await _understand(tx, terms)
    matches = await _list_matches(tx, meanings, allowed, each + _MORE)
    if not any(match.terms == len(meanings) for match in matches):
        # nothing has all the words: one of them may be a mistake that somebody else made too
        guessed = await _guess(tx, [meaning for meaning in meanings if not meaning.is_guessed])
        meanings = [guessed.get(meaning.term.typed, meaning) for meaning in meanings]
        matches = await _list_matches(tx, meanings, allowed, each + _MORE) if guessed else matches
    hits = await _load_hits(tx, matches, words_meant(meanings))
    is_guessed = any(meaning.is_guessed or not meaning.words for meaning in meanings)
    return Found(_best(hits, limit, each), understood_as(meanings), is_guessed)


async def _understand(tx: Tx, terms: Sequence[Term]) -> list[Meaning]:
    """The words of the organization that each term may stand for; those without any are taken for misspelt."""
    meanings = likely_words(terms, await _list_words(tx, terms))
    parts = {meaning.term.typed: parts_of(meaning.term) for meaning in meanings if not meaning.words}
    if any(parts.values()):
        return await _understand(tx, [one for term in terms for one in parts.get(term.typed) or [term]])
    guessed = await _guess(tx, [meaning for meaning in meanings if not meaning.words])
    return [guessed.get(meaning.term.typed, meaning) for meaning in meanings]


async def _guess(tx: Tx, meanings: Sequence[Meaning]) -> dict[str, Meaning]:
    """The same terms with what they mean if they are misspelt, by what was typed."""
    terms = [meaning.term for meaning in meanings]
    if not terms:
        return {}
    found = guesses(terms, await _list_similar_words(tx, terms))
    return {
        meaning.term.typed: meaning.or_else(guess) for meaning, guess in zip(meanings, found, strict=True)
    }


async def _list_words(tx: Tx, terms: Sequence[Term]) -> list[Candidate]:
    """The words that are a reading, begin with it, or are other forms of it; numbers also by their middle digits."""
    readings = [
        (place, number, reading)
        for place, term in enumerate(terms)
        for number, reading in enumerate(term.readings)
    ]
    return await tx.all(
        Candidate,
        """
        SELECT r.term, r.reading, w.word, w.stem, w.piece
          FROM unnest(%(terms)s::int[], %(readings)s::int[], %(texts)s::text[], %(stems)s::text[],
                      %(is_number)s::boolean[]) AS r (term, reading, text, stem, is_number)
         CROSS JOIN LATERAL (
               (SELECT word, stem, false AS piece
                  FROM search_words
                 WHERE word >= r.text COLLATE "C"
                   AND word < r.text || chr(1114111) COLLATE "C"
                 ORDER BY length(word), word
                 LIMIT %(most)s)
               UNION ALL
               (SELECT word, stem, false
                  FROM search_words
                 WHERE stem = r.stem COLLATE "C"
                 LIMIT %(most)s)
               UNION ALL
               (SELECT word, stem, false
                  FROM search_words
                 WHERE length(r.stem) >= 4
                   AND word >= r.stem COLLATE "C"
                   AND word < r.stem || chr(1114111) COLLATE "C"
                   AND length(word) <= length(r.text) + %(ending)s
                 LIMIT %(most)s)
               UNION ALL
               (SELECT word, NULL, true
                  FROM search_grams
                 WHERE r.is_number
                   AND gram >= '#' || r.text COLLATE "C"
                   AND gram < '#' || r.text || chr(1114111) COLLATE "C"
                 LIMIT %(most)s)
               ) AS w
        """,
        terms=[place for place, _, _ in readings],
        readings=[number for _, number, _ in readings],
        texts=[reading.text for _, _, reading in readings],
        stems=[reading.stem for _, _, reading in readings],
        is_number=[reading.is_number for _, _, reading in readings],
        most=100,
        ending=ENDING_LETTERS,
    )


async def _list_similar_words(tx: Tx, terms: Sequence[Term]) -> list[Candidate]:
    """The words that share the most threes of letters with a reading."""
    readings = [
        (place, number, reading.text, letter_grams(reading.text))
        for place, term in enumerate(terms)
        for number, reading in enumerate(term.readings)
        if reading.stem is not None
    ]
    return await tx.all(
        Candidate,
        """
        SELECT r.term, r.reading, w.word, NULL AS stem
          FROM unnest(%(terms)s::int[], %(readings)s::int[], %(lengths)s::int[], %(least)s::int[], %(grams)s::text[])
               AS r (term, reading, length, least, grams)
         CROSS JOIN LATERAL (
               SELECT g.word
                 FROM unnest(string_to_array(r.grams, '|')) AS piece (gram)
                 JOIN search_grams g ON g.gram = piece.gram COLLATE "C"
                GROUP BY g.word
               HAVING count(*) >= r.least
                ORDER BY count(*) - 0.1::float8 * abs(length(g.word) - r.length) DESC, g.word
                LIMIT %(most)s) AS w
        """,
        terms=[place for place, _, _, _ in readings],
        readings=[number for _, number, _, _ in readings],
        lengths=[len(text) for _, _, text, _ in readings],
        least=[fewest_shared(text, len(grams)) for _, _, text, grams in readings],
        grams=["|".join(grams) for _, _, _, grams in readings],
        most=60,
    )


@dataclass(frozen=True)
class _Match:
    """A record with how well it fits: the sum over the terms that it has."""

    kind: FoundKind
    record_id: UUID
    terms: int
    fit: float


async def _list_matches(
    tx: Tx, meanings: Sequence[Meaning], kinds: Sequence[FoundKind], most: int
) -> list[_Match]:
    """The best `most` records of each kind that have all terms, or all but one when none has all."""
    words = [
        (place, word, sense.fit)
        for place, meaning in enumerate(meanings)
        for word, sense in meaning.words.items()
    ]
    return await tx.all(
        _Match,
        """
        WITH place AS (
            SELECT w.term, p.kind, p.record_id, max(w.fit * (%(places)s::float8[])[p.rank + 1]) AS fit
              FROM unnest(%(terms)s::int[], %(words)s::text[], %(fits)s::float8[]) AS w (term, word, fit)
             CROSS JOIN LATERAL (
                   SELECT kind, record_id, rank
                     FROM search_postings
                    WHERE word = w.word COLLATE "C"
                      AND kind = ANY(%(kinds)s)
                    ORDER BY rank, record_id DESC
                    LIMIT %(read)s) AS p
             GROUP BY w.term, p.kind, p.record_id
        ), whole AS (
            SELECT kind, record_id, count(*)::int AS terms, sum(fit) AS fit, max(count(*)) OVER () AS most
              FROM place
             GROUP BY kind, record_id
        ), best AS (
            SELECT kind, record_id, terms, fit,
                   row_number() OVER (PARTITION BY kind ORDER BY fit DESC, record_id DESC) AS place
              FROM whole
             WHERE terms = most
               AND terms >= greatest(1, %(asked)s - 1)
        )
        SELECT kind, record_id, terms, fit
          FROM best
         WHERE place <= %(most)s
        """,
        terms=[place for place, _, _ in words],
        words=[word for _, word, _ in words],
        fits=[fit for _, _, fit in words],
        places=[_PLACE[rank] for rank in Rank],
        kinds=[kind.value for kind in kinds],
        read=_READ_ALONE if len(meanings) == 1 else _READ_TOGETHER,
        asked=len(meanings),
        most=most,
    )


async def _load_hits(tx: Tx, matches: Sequence[_Match], meant: Mapping[str, Sense]) -> list[Hit]:
    """The records as they are now; what is gone meanwhile or out of the reader's sight is left out."""
    hits = []
    for kind in FoundKind:
        best = sorted((one for one in matches if one.kind is kind), key=lambda match: -match.fit)
        most = _MOST_DOCUMENTS if kind is FoundKind.DOCUMENT else len(best)
        looked_at = {match.record_id: match for match in best[:most]}
        hits += [
            _hit(kind, record, looked_at[record.id], meant)
            for record in await load_records(tx, kind, list(looked_at))
        ]
    return hits


def _hit(kind: FoundKind, record: Record, match: _Match, meant: Mapping[str, Sense]) -> Hit:
    title = mark(record.title, {} if kind in SAID else meant)
    snippet = (
        mark_first(record.handles, meant)
        or next(filter(None, (snippet_of(label, meant) for label in record.labels)), None)
        or snippet_of(record.body, meant)
        or Marked("")
    )
    score = _WEIGHT[kind] * (
        match.fit / match.terms
        + _FOR_WHOLE_TITLE * len(title.ranges) / max(1, len(words(record.title)))
        + _FOR_RECENCY * _recency(record.at)
    )
    detail = mark(record.detail, meant)
    return Hit(
        kind,
        record.id,
        title,
        detail,
        snippet,
        record.at,
        record.thread_id,
        score,
        record.record_kind,
        record.record_id,
    )


def _recency(at: datetime) -> float:
    """1 for now, half of it after sixty days."""
    return 1 / (1 + max(timedelta(0), clock.now() - at) / _RECENT)


def _best(hits: Sequence[Hit], limit: int, each: int) -> list[Hit]:
    taken: dict[FoundKind, int] = dict.fromkeys(FoundKind, 0)
    best = []
    for hit in sorted(hits, key=lambda hit: (-hit.score, -hit.at.timestamp(), str(hit.id))):
        taken[hit.kind] += 1
        if taken[hit.kind] <= each:
            best.append(hit)
    return best[:limit]


async def list_hits(tx: Tx, wanted: Sequence[tuple[FoundKind, UUID]]) -> list[Hit]:
    """These records as they are now, in their order; those that are gone or may not be read are left out."""
    found = {}
    for kind in {kind for kind, _ in wanted if tx.principal.may(SOURCES[kind].scope)}:
        for record in await load_records(tx, kind, [id for of, id in wanted if of is kind]):
            found[kind, record.id] = _hit(kind, record, _Match(kind, record.id, 1, 1.0), {})
    return [found[one] for one in dict.fromkeys(wanted) if one in found]
