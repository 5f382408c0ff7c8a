"""Which companies may be one: those that share a key are compared, and likely pairs are kept for a person to look at."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from core.db import Tx
from core.ids import uuid7
from crm.companies import sweeps
from crm.matching.blocking import LARGEST_BLOCK
from crm.matching.companies import Firm, Likeness, company_keys, likeness, probability
from crm.matching.linking import THRESHOLD
from events.ids import CompanyId, RecordKind

# One transaction of the nightly look.
BATCH = 500
NIGHTLY = "companies.match"


@dataclass(frozen=True)
class _Row:
    id: UUID
    name: str
    domain: str
    phone: str
    city: str

    @property
    def firm(self) -> Firm:
        return Firm(str(self.id), self.name, self.domain, self.phone, self.city)


@dataclass(frozen=True)
class _Pair:
    one: UUID
    other: UUID


@dataclass(frozen=True)
class _Holders:
    key: str
    number: int


async def look_for_matches(tx: Tx, company_ids: Sequence[CompanyId]) -> int:
    """Compare these companies with all that share a key with them; returns how many likely pairs there are.

    A pair that is known or was dismissed stays as it is, but for its score; one that is no longer likely goes.
    """
    firms = {row.id: row.firm for row in await _load(tx, company_ids)}
    await _keep_keys(tx, company_ids, firms)
    pairs = await _candidates(tx, list(firms))
    others = {id for pair in pairs for id in (pair.one, pair.other)} - firms.keys()
    firms |= {row.id: row.firm for row in await _load(tx, sorted(others))}
    companies: int = await tx.value("SELECT count(*) FROM companies WHERE deleted_at IS NULL")
    holders = await _holders(tx, list(firms.values()))
    likely = []
    for pair in pairs:
        if pair.one in firms and pair.other in firms:
            why = likeness(firms[pair.one], firms[pair.other], holders, companies)
            score = probability(why, companies)
            if score >= THRESHOLD:
                likely.append((pair, score, why))
    await _forget_unlikely(tx, company_ids)
    await _keep_likely(tx, likely)
    return len(likely)


async def _load(tx: Tx, ids: Sequence[UUID]) -> list[_Row]:
    return await tx.all(
        _Row,
        """
        SELECT id, name, coalesce(domain, '') AS domain, phone, city
          FROM companies
         WHERE id = ANY(%(ids)s)
           AND deleted_at IS NULL
        """,
        ids=list(ids),
    )


async def _keep_keys(tx: Tx, ids: Sequence[UUID], firms: dict[UUID, Firm]) -> None:
    await tx.execute("DELETE FROM company_match_keys WHERE company_id = ANY(%(ids)s)", ids=list(ids))
    keys = [(id, key) for id, firm in firms.items() for key in company_keys(firm)]
    await tx.execute(
        """
        INSERT INTO company_match_keys (organization_id, key, company_id)
        SELECT %(organization_id)s, key, company_id
          FROM unnest(%(ids)s::uuid[], %(keys)s::text[]) AS given (company_id, key)
         ORDER BY key, company_id
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
        SELECT DISTINCT least(a.company_id, b.company_id) AS one, greatest(a.company_id, b.company_id) AS other
          FROM company_match_keys a
          JOIN company_match_keys b ON b.organization_id = a.organization_id AND b.key = a.key
         WHERE a.company_id = ANY(%(ids)s)
           AND b.company_id <> a.company_id
           AND (SELECT count(*)
                  FROM (SELECT FROM company_match_keys k
                         WHERE k.organization_id = a.organization_id
                           AND k.key = a.key
                         LIMIT %(crowd)s + 1) AS members) <= %(crowd)s
        """,
        ids=list(ids),
        crowd=LARGEST_BLOCK,
    )


async def _holders(tx: Tx, firms: Sequence[Firm]) -> dict[str, int]:
    """How many companies have each key of these."""
    found = await tx.all(
        _Holders,
        """
        SELECT key, count(*)::int AS number
          FROM company_match_keys
         WHERE organization_id = %(organization_id)s
           AND key = ANY(%(keys)s)
         GROUP BY key
        """,
        organization_id=tx.organization_id,
        keys=sorted({key for firm in firms for key in company_keys(firm)}),
    )
    return {one.key: one.number for one in found}


async def _forget_unlikely(tx: Tx, ids: Sequence[UUID]) -> None:
    """What was likely before one of the two changed; the likely ones are written again right after."""
    await tx.execute(
        """
        DELETE FROM company_matches
         WHERE status = 'open'
           AND (company_id = ANY(%(ids)s) OR other_company_id = ANY(%(ids)s))
        """,
        ids=list(ids),
    )


async def _keep_likely(tx: Tx, likely: Sequence[tuple[_Pair, float, list[Likeness]]]) -> None:
    await tx.execute_many(
        """
        INSERT INTO company_matches (organization_id, id, company_id, other_company_id, score, why)
        VALUES (%(organization_id)s, %(id)s, %(one)s, %(other)s, %(score)s, %(why)s)
        ON CONFLICT (organization_id, company_id, other_company_id)
        DO UPDATE SET score = EXCLUDED.score, why = EXCLUDED.why
        """,
        [
            {
                "organization_id": tx.organization_id,
                "id": uuid7(),
                "one": pair.one,
                "other": pair.other,
                "score": score,
                "why": Jsonb([asdict(one) for one in why]),
            }
            for pair, score, why in likely
        ],
    )


async def look_at_batch(tx: Tx) -> bool:
    """Compare the next few hundred companies; returns whether there are more."""
    batch = await tx.all(
        _Id,
        """
        SELECT id
          FROM companies
         WHERE id > %(after)s
           AND deleted_at IS NULL
         ORDER BY id
         LIMIT %(limit)s
        """,
        after=await sweeps.find_place(tx, RecordKind.COMPANY),
        limit=BATCH,
    )
    if batch:
        await look_for_matches(tx, [CompanyId(row.id) for row in batch])
    last_id = batch[-1].id if len(batch) == BATCH else None
    await sweeps.keep_place(tx, RecordKind.COMPANY, last_id=last_id, count=len(batch))
    return last_id is not None


@dataclass(frozen=True)
class _Id:
    id: UUID
