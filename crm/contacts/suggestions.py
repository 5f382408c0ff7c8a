"""Who may be whom: contacts that share a key are compared, and likely pairs are kept for a person to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.errors import NotFound
from core.ids import uuid7
from core.pagination import Page, decode_score, encode_cursor, page_size
from crm.matching.blocking import LARGEST_BLOCK, Pairs, keys_of
from crm.matching.comparing import LEVELS, MISSING, Compared, Field, Table
from crm.matching.linking import THRESHOLD
from crm.matching.model import Model, fit, random_pairs, usual
from crm.matching.people import Person, split_name, traits_of
from events import due
from events.ids import ContactId

# One transaction of the nightly look: some seconds of work, and memory that does not grow with the organization.
BATCH = 500
# From so many pairs on, the organization's own records say how people agree in it.
_ENOUGH_TO_LEARN_FROM = 2_000
_SEED = 1
NIGHTLY = "contacts.match"
_NIGHT_HOUR = 2
_FIRST = UUID(int=0)


@dataclass(frozen=True)
class Reason:
    """What one field says: `level` as in crm/matching/comparing.py, `bits` for (or against, below 0) one person."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True)
class Suggestion:
    """A pair that may be one person, with the best score of all that speaks for it."""

    id: UUID
    contact_id: ContactId
    other_contact_id: ContactId
    name: str
    other_name: str
    score: float
    evidence: str
    reason: str
    why: list[dict[str, str | float]]


@dataclass(frozen=True)
class _Row:
    id: UUID
    name: str
    company: str
    phones: list[str]
    emails: list[str]


@dataclass(frozen=True)
class _Pair:
    one: UUID
    other: UUID


async def look_for_matches(tx: Tx, contact_ids: Sequence[ContactId]) -> int:
    """Compare these contacts with all that share a key with them; returns how many likely pairs there are.

    A pair that is known or was dismissed stays as it is, but for its score; one that is no longer likely goes.
    """
    people = await _load(tx, contact_ids)
    await _keep_keys(tx, contact_ids, people)
    pairs = await _candidates(tx, [person.id for person in people])
    others = {id for pair in pairs for id in (pair.one, pair.other)} - {person.id for person in people}
    people += await _load(tx, sorted(others))
    place = {person.id: number for number, person in enumerate(people)}
    known = [(place[p.one], place[p.other]) for p in pairs if p.one in place and p.other in place]
    positions = np.array(known, dtype=np.int64).reshape(-1, 2)
    table = Table([traits_of(_person(person)) for person in people])
    compared = table.compare(positions)
    model = await _model(tx, table, compared, len(contact_ids))
    likely = np.flatnonzero(model.probability(compared) >= THRESHOLD)
    ids = [person.id for person in people]
    await _forget_unlikely(tx, contact_ids)
    await _keep_likely(tx, ids, positions[likely], _only(compared, likely), model)
    return len(likely)


def _only(compared: Compared, places: np.ndarray) -> Compared:
    return Compared(compared.levels[places], compared.shares[places])


async def _load(tx: Tx, ids: Sequence[UUID]) -> list[_Row]:
    return await tx.all(
        _Row,
        """
        SELECT c.id, c.name, coalesce(o.name, '') AS company,
               coalesce(array_agg(h.value ORDER BY h.created_at) FILTER (WHERE h.kind = 'phone'), '{}') AS phones,
               coalesce(array_agg(h.value ORDER BY h.created_at) FILTER (WHERE h.kind = 'email'), '{}') AS emails
          FROM contacts c
          LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
          LEFT JOIN contact_handles h ON h.organization_id = c.organization_id AND h.contact_id = c.id
         WHERE c.id = ANY(%(ids)s)
           AND c.deleted_at IS NULL
         GROUP BY c.organization_id, c.id, o.name
        """,
        ids=list(ids),
    )


def _person(row: _Row) -> Person:
    given, surname = split_name(row.name)
    return Person(
        str(row.id), given, surname, phones=tuple(row.phones), emails=tuple(row.emails), company=row.company
    )


async def _keep_keys(tx: Tx, ids: Sequence[UUID], people: Sequence[_Row]) -> None:
    await tx.execute("DELETE FROM contact_match_keys WHERE contact_id = ANY(%(ids)s)", ids=list(ids))
    keys = [(person.id, key) for person in people for key in keys_of(traits_of(_person(person)))]
    await tx.execute(
        """
        INSERT INTO contact_match_keys (organization_id, key, contact_id)
        SELECT %(organization_id)s, key, contact_id
          FROM unnest(%(ids)s::uuid[], %(keys)s::text[]) AS given (contact_id, key)
         ORDER BY key, contact_id
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        ids=[id for id, _ in keys],
        keys=[key for _, key in keys],
    )


async def _candidates(tx: Tx, ids: Sequence[UUID]) -> list[_Pair]:
    """Pairs of these with all others that share a key; one that too many share is passed over."""
    return await tx.all(
        _Pair,
        """
        SELECT DISTINCT least(a.contact_id, b.contact_id) AS one, greatest(a.contact_id, b.contact_id) AS other
          FROM contact_match_keys a
          JOIN contact_match_keys b ON b.organization_id = a.organization_id AND b.key = a.key
         WHERE a.contact_id = ANY(%(ids)s)
           AND b.contact_id <> a.contact_id
           AND (SELECT count(*)
                  FROM (SELECT FROM contact_match_keys k
                         WHERE k.organization_id = a.organization_id
                           AND k.key = a.key
                         LIMIT %(crowd)s + 1) AS members) <= %(crowd)s
        """,
        ids=list(ids),
        crowd=LARGEST_BLOCK,
    )


async def _model(tx: Tx, table: Table, compared: Compared, looked_at: int) -> Model:
    records: int = await tx.value("SELECT count(*) FROM contacts WHERE deleted_at IS NULL")
    if len(compared.levels) < _ENOUGH_TO_LEARN_FROM:
        return usual(records, records * (records - 1) / 2)
    drawn: Pairs = random_pairs(table.size, table.size, 100_000, _SEED, inside=True)
    return fit(compared, table.compare(drawn), looked_at, looked_at * records)


async def _forget_unlikely(tx: Tx, ids: Sequence[UUID]) -> None:
    """What was likely before one of the two changed; the likely ones are written again right after."""
    await tx.execute(
        """
        DELETE FROM contact_matches
         WHERE reason = 'alike'
           AND status = 'open'
           AND (contact_id = ANY(%(ids)s) OR other_contact_id = ANY(%(ids)s))
        """,
        ids=list(ids),
    )


async def _keep_likely(tx: Tx, ids: Sequence[UUID], pairs: Pairs, compared: Compared, model: Model) -> None:
    scores = model.probability(compared).tolist()
    reasons = _reasons(compared, model)
    await tx.execute_many(
        """
        INSERT INTO contact_matches (organization_id, id, contact_id, other_contact_id, reason, score, evidence, why)
        VALUES (%(organization_id)s, %(id)s, %(one)s, %(other)s, 'alike', %(score)s, '', %(why)s)
        ON CONFLICT (organization_id, contact_id, other_contact_id, reason)
        DO UPDATE SET score = EXCLUDED.score, why = EXCLUDED.why
        """,
        [
            {
                "organization_id": tx.organization_id,
                "id": uuid7(),
                "one": min(ids[one], ids[other]),
                "other": max(ids[one], ids[other]),
                "score": score,
                "why": Jsonb([{"field": r.field, "level": r.level, "bits": r.bits} for r in why]),
            }
            for (one, other), score, why in zip(pairs.tolist(), scores, reasons, strict=True)
        ],
    )


def _reasons(compared: Compared, model: Model) -> list[list[Reason]]:
    """For each pair what every field that both have says, the strongest first."""
    weights = model.weights(compared)
    found = []
    for levels, bits in zip(compared.levels.tolist(), weights.tolist(), strict=True):
        reasons = [
            Reason(field.name.lower(), LEVELS[field][levels[field]], round(bits[field], 1))
            for field in Field
            if levels[field] != MISSING
        ]
        found.append(sorted(reasons, key=lambda reason: -abs(reason.bits)))
    return found


# the nightly look -----------------------------------------------------------------------------------------------------
async def ask_for_nightly_look(tx: Tx) -> None:
    """See to it that the organization's contacts are all compared in the next night."""
    await due.schedule_missing(tx, NIGHTLY, [tx.organization_id], _next_night())


async def look_at_batch(tx: Tx) -> bool:
    """Compare the next few hundred contacts; returns whether there are more. A kill repeats one batch at most."""
    after = await tx.value("SELECT after_contact_id FROM match_sweeps") or _FIRST
    batch = await tx.all(
        _Id,
        """
        SELECT id
          FROM contacts
         WHERE id > %(after)s
           AND deleted_at IS NULL
         ORDER BY id
         LIMIT %(limit)s
        """,
        after=after,
        limit=BATCH,
    )
    if batch:
        await look_for_matches(tx, [ContactId(row.id) for row in batch])
    has_more = len(batch) == BATCH
    await tx.execute(
        """
        INSERT INTO match_sweeps AS s (organization_id, after_contact_id, looked_at, started_at, finished_at)
        VALUES (%(organization_id)s, %(last)s, %(count)s, %(now)s, %(finished_at)s)
        ON CONFLICT (organization_id) DO UPDATE
           SET after_contact_id = EXCLUDED.after_contact_id,
               looked_at = CASE WHEN s.finished_at IS NULL THEN s.looked_at ELSE 0 END + EXCLUDED.looked_at,
               started_at = CASE WHEN s.finished_at IS NULL THEN s.started_at ELSE EXCLUDED.started_at END,
               finished_at = EXCLUDED.finished_at
        """,
        organization_id=tx.organization_id,
        last=batch[-1].id if has_more else _FIRST,
        count=len(batch),
        now=clock.now(),
        finished_at=None if has_more else clock.now(),
    )
    await due.schedule(tx, NIGHTLY, tx.organization_id, clock.now() if has_more else _next_night())
    return has_more


@dataclass(frozen=True)
class _Id:
    id: UUID


def _next_night() -> datetime:
    tomorrow = clock.now() + timedelta(days=1)
    return tomorrow.replace(hour=_NIGHT_HOUR, minute=0, second=0, microsecond=0)


# what people see and decide -------------------------------------------------------------------------------------------
async def list_suggestions(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Suggestion]:
    """Pairs that may be one person and that nobody has decided on, the likeliest first."""
    tx.principal.require("contacts:read")
    size = page_size(limit)
    after_score, after_id = decode_score(cursor) if cursor else (2.0, UUID(int=2**128 - 1))
    found = await tx.all(
        Suggestion,
        """
        SELECT m.id, m.contact_id, m.other_contact_id, c.name, o.name AS other_name, m.score, m.evidence, m.reason, m.why
          FROM contact_matches m
          JOIN contacts c ON c.organization_id = m.organization_id AND c.id = m.contact_id
          JOIN contacts o ON o.organization_id = m.organization_id AND o.id = m.other_contact_id
         WHERE m.status = 'open'
           AND m.score >= %(threshold)s
           AND (m.score, m.id) < (%(after_score)s::real, %(after_id)s::uuid)
           AND c.deleted_at IS NULL
           AND o.deleted_at IS NULL
           AND NOT EXISTS (
               SELECT FROM contact_matches better
                WHERE better.organization_id = m.organization_id
                  AND better.contact_id = m.contact_id
                  AND better.other_contact_id = m.other_contact_id
                  AND (better.status = 'dismissed'
                       OR better.status = 'open' AND (better.score, better.id) > (m.score, m.id)))
         ORDER BY m.score DESC, m.id DESC
         LIMIT %(limit)s
        """,
        threshold=THRESHOLD,
        after_score=after_score,
        after_id=after_id,
        limit=size + 1,
    )
    page = found[:size]
    return Page(page, encode_cursor(str(page[-1].score), page[-1].id) if len(found) > size else None)


async def dismiss_suggestion(tx: Tx, match_id: UUID) -> None:
    """Say that the two are not one person; they are not suggested again, whatever else speaks for it.

    Raises: NotFound.
    """
    tx.principal.require("contacts:write")
    dismissed = await tx.execute(
        """
        UPDATE contact_matches AS m
           SET status = 'dismissed'
          FROM contact_matches one
         WHERE one.id = %(match_id)s
           AND m.organization_id = one.organization_id
           AND m.contact_id = one.contact_id
           AND m.other_contact_id = one.other_contact_id
        """,
        match_id=match_id,
    )
    if not dismissed:
        raise NotFound("No such suggestion in this organization.")
