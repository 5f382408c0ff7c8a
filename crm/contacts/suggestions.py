"""Who may be whom: contacts that share a key are compared, and likely pairs are kept for a person to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb

from core.db import Tx
from core.ids import uuid7
from crm.companies import sweeps
from crm.matching.blocking import LARGEST_BLOCK, Pairs, keys_of
from crm.matching.comparing import LEVELS, MISSING, Compared, Field, Table
from crm.matching.linking import THRESHOLD
from crm.matching.model import Model, fit, random_pairs, usual
from crm.matching.people import Person, split_name, traits_of
from events.ids import ContactId, RecordKind

# One transaction of the nightly look: some seconds of work, and memory that does not grow with the organization.
BATCH = 500
# From so many pairs on, the organization's own records say how people agree in it.
_ENOUGH_TO_LEARN_FROM = 2_000
_SEED = 1
NIGHTLY = "contacts.match"


@dataclass(frozen=True)
class Reason:
    """What one field says: `level` as in crm/matching/comparing.py, `bits` for (or against, below 0) one person."""

    field: str
    level: str
    bits: float


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


async def look_at_batch(tx: Tx) -> bool:
    """Compare the next few hundred contacts; returns whether there are more."""
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
        after=await sweeps.find_place(tx, RecordKind.CONTACT),
        limit=BATCH,
    )
    if batch:
        await look_for_matches(tx, [ContactId(row.id) for row in batch])
    last_id = batch[-1].id if len(batch) == BATCH else None
    await sweeps.keep_place(tx, RecordKind.CONTACT, last_id=last_id, count=len(batch))
    return last_id is not None


@dataclass(frozen=True)
class _Id:
    id: UUID
