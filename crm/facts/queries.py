"""Reading facts, and what the graph is made from."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core import clock
from core.db import Tx
from crm.facts.models import EntityKind, Fact, Named, Related
from events.ids import FactId


async def get_fact(tx: Tx, fact_id: FactId, *, lock: bool = False) -> Fact:
    """One fact, retracted or not; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("facts:read")
    if lock:
        await tx.execute("SELECT FROM facts WHERE id = %(fact_id)s FOR NO KEY UPDATE", fact_id=fact_id)
    return await tx.one(
        Fact,
        """
        SELECT id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
               source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
          FROM facts
         WHERE id = %(fact_id)s
        """,
        fact_id=fact_id,
    )


async def get_current_relation(tx: Tx, subject_id: UUID, predicate: str, object_id: UUID) -> Fact:
    """The statement of this relation that nobody ended or took back. Raises: NotFound."""
    tx.principal.require("facts:read")
    return await tx.one(
        Fact,
        """
        SELECT id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
               source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
          FROM facts
         WHERE subject_id = %(subject_id)s
           AND predicate = %(predicate)s
           AND object_id = %(object_id)s
           AND valid_to IS NULL
           AND retracted_at IS NULL
        """,
        subject_id=subject_id,
        predicate=predicate,
        object_id=object_id,
    )


async def list_facts(
    tx: Tx,
    subject_id: UUID,
    *,
    valid_at: datetime | None = None,
    known_at: datetime | None = None,
    limit: int = 50,
) -> list[Fact]:
    """What holds of a subject, or leads to it, at `valid_at` as far as we knew at `known_at`; now by default.

    Confirmed statements come first, then the newest.
    """
    tx.principal.require("facts:read")
    return await tx.all(
        Fact,
        """
        SELECT id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
               source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
          FROM facts
         WHERE (subject_id = %(subject_id)s OR object_id = %(subject_id)s)
           AND valid_from <= %(valid_at)s
           AND (valid_to IS NULL OR valid_to > %(valid_at)s)
           AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
           AND (retracted_at IS NULL OR retracted_at > %(known_at)s)
         ORDER BY trust, recorded_at DESC, id
         LIMIT %(limit)s
        """,
        subject_id=subject_id,
        valid_at=valid_at or clock.now(),
        known_at=known_at,
        limit=limit,
    )


async def list_facts_by_id(tx: Tx, fact_ids: Sequence[UUID]) -> list[Fact]:
    """The facts that a graph answer rests on, for their words and sources."""
    tx.principal.require("facts:read")
    return await tx.all(
        Fact,
        """
        SELECT id, subject_kind, subject_id, predicate, object_kind, object_id, text, strength, confidence, trust,
               source_kind, source_id, source_label, valid_from, valid_to, strengthened_at, recorded_at, retracted_at
          FROM facts
         WHERE id = ANY(%(fact_ids)s)
        """,
        fact_ids=list(fact_ids),
    )


async def find_related(tx: Tx, fact_id: FactId) -> Related | None:
    """The relation that this fact states; None when it is retracted or states none."""
    return await tx.find(
        Related,
        """
        SELECT id, predicate, subject_id, object_id, strength, trust, valid_from, valid_to
          FROM facts
         WHERE id = %(fact_id)s
           AND object_id IS NOT NULL
           AND retracted_at IS NULL
        """,
        fact_id=fact_id,
    )


async def list_related(tx: Tx, *, subjects: Sequence[UUID] | None = None) -> list[Related]:
    """Every relation of the organization that was not retracted; with `subjects` only theirs."""
    return await tx.all(
        Related,
        """
        SELECT id, predicate, subject_id, object_id, strength, trust, valid_from, valid_to
          FROM facts
         WHERE object_id IS NOT NULL
           AND retracted_at IS NULL
           AND (%(subjects)s::uuid[] IS NULL OR subject_id = ANY(%(subjects)s))
        """,
        subjects=None if subjects is None else list(subjects),
    )


async def list_related_to(tx: Tx, ids: Sequence[UUID]) -> list[Related]:
    """Every relation that leads from or to one of these and was not retracted."""
    return await tx.all(
        Related,
        """
        SELECT id, predicate, subject_id, object_id, strength, trust, valid_from, valid_to
          FROM facts
         WHERE object_id IS NOT NULL
           AND retracted_at IS NULL
           AND (subject_id = ANY(%(ids)s) OR object_id = ANY(%(ids)s))
        """,
        ids=list(ids),
    )


async def list_named(tx: Tx, ids: Sequence[UUID] | None = None) -> list[Named]:
    """The contacts, companies and users with these ids, or all of the organization; not those that were merged."""
    return await tx.all(
        Named,
        """
        SELECT 'contact' AS kind, id, name
          FROM contacts
         WHERE (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))
           AND merged_into_id IS NULL
        UNION ALL
        SELECT 'company', id, name
          FROM companies
         WHERE (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s))
           AND merged_into_id IS NULL
        UNION ALL
        SELECT 'user', user_id, name
          FROM members
         WHERE %(ids)s::uuid[] IS NULL OR user_id = ANY(%(ids)s)
        """,
        ids=None if ids is None else list(ids),
    )


async def exists(tx: Tx, kind: EntityKind, id: UUID) -> bool:
    """Whether the organization has this entity."""
    found: bool = await tx.value(
        """
        SELECT CASE %(kind)s
                   WHEN 'contact' THEN EXISTS (SELECT FROM contacts WHERE id = %(id)s)
                   WHEN 'company' THEN EXISTS (SELECT FROM companies WHERE id = %(id)s)
                   WHEN 'user' THEN EXISTS (SELECT FROM members WHERE user_id = %(id)s)
                   WHEN 'deal' THEN EXISTS (SELECT FROM deals WHERE id = %(id)s)
                   ELSE false
               END
        """,
        kind=str(kind),
        id=id,
    )
    return found
