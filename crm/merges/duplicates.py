"""One list of what may be twice: pairs of contacts and of companies, the likeliest first, and what people say of them."""

from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from core.errors import NotFound
from core.pagination import Page, decode_score, encode_cursor, page_size
from crm.matching.linking import THRESHOLD
from events.ids import RecordKind
from events.outbox import emit
from events.types import DuplicateDismissed


@dataclass(frozen=True)
class Duplicate:
    """A pair that may be one person, or one company, with the best score of all that speaks for it."""

    id: UUID
    record_kind: RecordKind
    record_id: UUID
    other_id: UUID
    name: str
    other_name: str
    score: float
    evidence: str
    reason: str
    why: list[dict[str, str | float]]


async def list_duplicates(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Duplicate]:
    """Pairs that may be one and that nobody has decided on; of companies for those who may see companies."""
    tx.principal.require("contacts:read")
    size = page_size(limit)
    after_score, after_id = decode_score(cursor) if cursor else (2.0, UUID(int=2**128 - 1))
    found = await tx.all(
        Duplicate,
        """
        (SELECT m.id, 'contact' AS record_kind, m.contact_id AS record_id, m.other_contact_id AS other_id, c.name,
                o.name AS other_name, m.score, m.evidence, m.reason, m.why
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
          LIMIT %(limit)s)
        UNION ALL
        (SELECT m.id, 'company', m.company_id, m.other_company_id, c.name, o.name, m.score, '', 'alike', m.why
           FROM company_matches m
           JOIN companies c ON c.organization_id = m.organization_id AND c.id = m.company_id
           JOIN companies o ON o.organization_id = m.organization_id AND o.id = m.other_company_id
          WHERE %(sees_companies)s
            AND m.status = 'open'
            AND m.score >= %(threshold)s
            AND (m.score, m.id) < (%(after_score)s::real, %(after_id)s::uuid)
            AND c.deleted_at IS NULL
            AND o.deleted_at IS NULL
          ORDER BY m.score DESC, m.id DESC
          LIMIT %(limit)s)
         ORDER BY score DESC, id DESC
         LIMIT %(limit)s
        """,
        threshold=THRESHOLD,
        sees_companies=tx.principal.may("companies:read"),
        after_score=after_score,
        after_id=after_id,
        limit=size + 1,
    )
    page = found[:size]
    return Page(page, encode_cursor(str(page[-1].score), page[-1].id) if len(found) > size else None)


async def dismiss_duplicate(tx: Tx, match_id: UUID) -> None:
    """Say that the two are not one; they are not suggested again, whatever else speaks for it.

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
    if not dismissed and tx.principal.may("companies:write"):
        dismissed = await tx.execute(
            "UPDATE company_matches SET status = 'dismissed' WHERE id = %(match_id)s", match_id=match_id
        )
    if not dismissed:
        raise NotFound("No such suggestion in this organization.")
    await emit(tx, DuplicateDismissed(match_id))
