"""Contacts and their handles: found by exact keys, many at once, and written with what belongs to them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from core import clock
from core.db import Tx
from core.ids import uuid7
from crm.imports.tables.folding import Head

# Keys that lead to one person, the surest first. A username passes from one person to the next, so it is the last.
SUREST = ("telegram_id", "email", "phone", "telegram_username")
Handle = tuple[str, str]


async def owners_of(tx: Tx, handles: Sequence[Handle]) -> dict[Handle, UUID]:
    """The contacts whom these handles lead to, of merged ones the one that they were merged into."""
    if not handles:
        return {}
    # LIMIT keeps to one look into each index per handle: while an organization fills, nothing is known of how many
    # rows it has, and a join that reads all of them for each chunk looks as cheap.
    cursor = await tx.connection.execute(
        """
        SELECT given.kind, given.value, owner.contact_id
          FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS given (kind, value)
         CROSS JOIN LATERAL (
               SELECT organization_id, contact_id FROM contact_handles
                WHERE kind = given.kind AND value = given.value LIMIT 1) h
         CROSS JOIN LATERAL (
               SELECT coalesce(merged_into_id, id) AS contact_id FROM contacts
                WHERE organization_id = h.organization_id AND id = h.contact_id LIMIT 1) owner
        """,
        {"kinds": [kind for kind, _ in handles], "values": [value for _, value in handles]},
    )
    return {(row["kind"], row["value"]): row["contact_id"] for row in await cursor.fetchall()}


async def in_trash(tx: Tx, contact_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these contacts somebody has put into the trash."""
    cursor = await tx.connection.execute(
        "SELECT id FROM contacts WHERE id = ANY(%(ids)s) AND deleted_at IS NOT NULL",
        {"ids": list(contact_ids)},
    )
    return {row["id"] for row in await cursor.fetchall()}


async def attach(tx: Tx, handles: Mapping[UUID, Sequence[Handle]]) -> dict[UUID, list[UUID]]:
    """Give contacts handles that nobody has; returns the ids of those that were added, by contact."""
    pairs = sorted((kind, value, contact_id) for contact_id, own in handles.items() for kind, value in own)
    if not pairs:
        return {}
    cursor = await tx.connection.execute(
        """
        INSERT INTO contact_handles (organization_id, id, contact_id, kind, value)
        SELECT %(organization_id)s, id, contact_id, kind, value
          FROM unnest(%(ids)s::uuid[], %(contacts)s::uuid[], %(kinds)s::text[], %(values)s::text[])
               AS given (id, contact_id, kind, value)
            ON CONFLICT (organization_id, kind, value) DO NOTHING
        RETURNING id, contact_id
        """,
        {
            "organization_id": tx.organization_id,
            "ids": [uuid7() for _ in pairs],
            "contacts": [contact_id for _, _, contact_id in pairs],
            "kinds": [kind for kind, _, _ in pairs],
            "values": [value for _, value, _ in pairs],
        },
    )
    added: dict[UUID, list[UUID]] = {}
    for row in await cursor.fetchall():
        added.setdefault(row["contact_id"], []).append(row["id"])
    return added


async def record_consents(tx: Tx, heads: Sequence[Head], source: str) -> None:
    """What a table says about consent is stated with the table as its source."""
    said = [
        (head.record_id, channel, given) for head in heads for channel, given in head.row.consents.items()
    ]
    if not said:
        return
    await tx.execute(
        """
        INSERT INTO contact_consents (organization_id, id, contact_id, channel, is_given, source, given_at,
                                      recorded_by_kind, recorded_by_id)
        SELECT %(organization_id)s, gen_random_uuid(), contact_id, channel, is_given, %(source)s, %(now)s,
               %(actor_kind)s, %(actor_id)s
          FROM unnest(%(contacts)s::uuid[], %(channels)s::text[], %(given)s::boolean[])
               AS said (contact_id, channel, is_given)
        """,
        organization_id=tx.organization_id,
        source=source,
        now=clock.now(),
        actor_kind=tx.principal.kind.value,
        actor_id=tx.principal.id,
        contacts=[contact_id for contact_id, _, _ in said],
        channels=[channel for _, channel, _ in said],
        given=[given for _, _, given in said],
    )


async def record_employments(tx: Tx, heads: Sequence[Head], import_id: UUID, label: str) -> None:
    """Where new contacts work is a relation too; it is stated at once for all of them."""
    works = [(head.record_id, head.company_id) for head in heads if head.company_id and not head.is_there]
    if not works:
        return
    await tx.execute(
        """
        INSERT INTO facts (organization_id, id, subject_kind, subject_id, predicate, object_kind, object_id, strength,
                           trust, source_kind, source_id, source_label, valid_from, strengthened_at, recorded_at)
        SELECT %(organization_id)s, gen_random_uuid(), 'contact', contact_id, 'works_at', 'company', company_id, 1,
               'confirmed', 'import', %(import_id)s, %(label)s, %(now)s, %(now)s, %(now)s
          FROM unnest(%(contacts)s::uuid[], %(companies)s::uuid[]) AS works (contact_id, company_id)
            ON CONFLICT (organization_id, subject_id, predicate, object_id)
                  WHERE object_id IS NOT NULL AND valid_to IS NULL AND retracted_at IS NULL
                  DO NOTHING
        """,
        organization_id=tx.organization_id,
        import_id=import_id,
        label=label,
        now=clock.now(),
        contacts=[contact_id for contact_id, _ in works],
        companies=[company_id for _, company_id in works],
    )
