"""Takes an import of a table back, chunk by chunk; what people have worked on since stays, and is told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.errors import ForeignKeyViolation

from core import clock, jsons
from core.db import Tx
from core.ids import uuid7
from crm.imports.models import ImportStatus
from crm.imports.tables import records
from crm.imports.tables.models import STAGED
from crm.imports.tables.queries import get_table_import
from events.ids import ImportId, RecordKind
from events.outbox import emit
from events.types import ImportProgressed, ImportUndone

CHUNK = 500


@dataclass(frozen=True)
class Kept:
    """What the import noted of one record: made when there is no `before`."""

    kind: RecordKind
    record_id: UUID
    version: int
    before: dict[str, Any] | None


async def take_back_chunk(tx: Tx, import_id: ImportId) -> bool:
    """Undo the next records: deals and leads, then people, then companies. False when nothing is left, or it was stopped."""
    current = await get_table_import(tx, import_id, lock=True)
    if current.status is not ImportStatus.UNDOING:
        return False
    chunk = await _next(tx, import_id)
    if not chunk:
        await _finish(tx, import_id)
        return False
    kind = chunk[0].kind
    made = [record for record in chunk if record.before is None]
    changed = [record for record in chunk if record.before is not None]
    gone = await _remove(tx, kind, made)
    gone |= await _restore(tx, kind, changed)
    await _note(tx, import_id, chunk, gone)
    return True


async def _next(tx: Tx, import_id: ImportId) -> list[Kept]:
    """Records of one kind; what others hang on comes last."""
    return await tx.all(
        Kept,
        """
        WITH next AS (
            SELECT kind, array_position(ARRAY['deal', 'lead', 'contact', 'company'], kind) AS rank
              FROM import_records
             WHERE import_id = %(import_id)s
               AND state = 'there'
             ORDER BY rank
             LIMIT 1
        )
        SELECT r.kind, r.record_id, r.version, r.before
          FROM import_records r
          JOIN next ON next.kind = r.kind
         WHERE r.import_id = %(import_id)s
           AND r.state = 'there'
         ORDER BY r.record_id
         LIMIT %(limit)s
        """,
        import_id=import_id,
        limit=CHUNK,
    )


async def _remove(tx: Tx, kind: RecordKind, made: Sequence[Kept]) -> set[UUID]:
    """Delete records that nobody has touched since; all at once, or half by half where something hangs on one."""
    if not made:
        return set()
    try:
        async with tx.savepoint():
            return await _delete(tx, kind, made)
    except ForeignKeyViolation:
        if len(made) == 1:
            return set()
        middle = len(made) // 2
        return await _remove(tx, kind, made[:middle]) | await _remove(tx, kind, made[middle:])


async def _delete(tx: Tx, kind: RecordKind, made: Sequence[Kept]) -> set[UUID]:
    untouched = await _untouched(tx, kind, made)
    if kind is RecordKind.COMPANY:
        untouched -= await _in_use(tx, list(untouched))
    if not untouched:
        return set()
    ids = list(untouched)
    if kind is RecordKind.CONTACT:
        await _delete_around_contacts(tx, ids)
    if kind in STAGED:
        await tx.execute(
            "DELETE FROM stage_visits WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)",
            kind=kind.value,
            ids=ids,
        )
    await tx.execute(
        "DELETE FROM record_tags WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)",
        kind=kind.value,
        ids=ids,
    )
    await tx.execute(
        "DELETE FROM external_ids WHERE record_kind = %(kind)s AND record_id = ANY(%(ids)s)",
        kind=kind.value,
        ids=ids,
    )
    query = sql.SQL("DELETE FROM {table} WHERE id = ANY(%(ids)s)").format(
        table=sql.Identifier(records.TABLES[kind].name)
    )
    await tx.execute(query, ids=ids)
    return untouched


async def _untouched(tx: Tx, kind: RecordKind, kept: Sequence[Kept]) -> set[UUID]:
    """Those whose version is still the one that the import left; locked, so that it stays so."""
    query = sql.SQL(
        """
        SELECT t.id
          FROM unnest(%(ids)s::uuid[], %(versions)s::int[]) AS kept (id, version)
          JOIN {table} t ON t.id = kept.id AND t.version = kept.version
         ORDER BY t.id
           FOR UPDATE OF t
        """
    ).format(table=sql.Identifier(records.TABLES[kind].name))
    cursor = await tx.connection.execute(
        query, {"ids": [one.record_id for one in kept], "versions": [one.version for one in kept]}
    )
    found = {row["id"] for row in await cursor.fetchall()}
    if kind is RecordKind.CONTACT and found:
        found -= await _with_later_handles(tx, list(found))
    return found


async def _in_use(tx: Tx, ids: list[UUID]) -> set[UUID]:
    """Companies that somebody works at or that a deal is made with: asked at once, for many may be."""
    cursor = await tx.connection.execute(
        """
        SELECT company_id FROM contacts WHERE company_id = ANY(%(ids)s)
        UNION
        SELECT company_id FROM deals WHERE company_id = ANY(%(ids)s)
        """,
        {"ids": ids},
    )
    return {row["company_id"] for row in await cursor.fetchall()}


async def _with_later_handles(tx: Tx, ids: list[UUID]) -> set[UUID]:
    """Contacts that somebody has given another address since they were made."""
    cursor = await tx.connection.execute(
        """
        SELECT DISTINCT h.contact_id
          FROM contact_handles h
          JOIN contacts c ON c.organization_id = h.organization_id AND c.id = h.contact_id
         WHERE h.contact_id = ANY(%(ids)s)
           AND h.created_at > c.updated_at
        """,
        {"ids": ids},
    )
    return {row["contact_id"] for row in await cursor.fetchall()}


async def _delete_around_contacts(tx: Tx, ids: list[UUID]) -> None:
    """What the import and the machines have put around contacts; what people have put there blocks the deletion."""
    await tx.execute("DELETE FROM contact_handles WHERE contact_id = ANY(%(ids)s)", ids=ids)
    await tx.execute(
        "DELETE FROM contact_matches WHERE contact_id = ANY(%(ids)s) OR other_contact_id = ANY(%(ids)s)",
        ids=ids,
    )
    await tx.execute(
        """
        DELETE FROM facts
         WHERE subject_id = ANY(%(ids)s)
           AND source_kind IN ('import', 'system')
           AND predicate = 'works_at'
        """,
        ids=ids,
    )


async def _restore(tx: Tx, kind: RecordKind, changed: Sequence[Kept]) -> set[UUID]:
    """Give records back the values that the import replaced, unless somebody has changed them since."""
    if not changed:
        return set()
    untouched = await _untouched(tx, kind, changed)
    before = {one.record_id: one.before or {} for one in changed if one.record_id in untouched}
    if not before:
        return set()
    handles = [handle for one in before.values() for handle in one["handles"]]
    await tx.execute("DELETE FROM contact_handles WHERE id = ANY(%(ids)s::uuid[])", ids=handles)
    await tx.execute(
        """
        DELETE FROM record_tags AS t
         USING unnest(%(records)s::uuid[], %(tags)s::uuid[]) AS added (record_id, tag_id)
         WHERE t.record_kind = %(kind)s
           AND t.record_id = added.record_id
           AND t.tag_id = added.tag_id
        """,
        kind=kind.value,
        records=[record_id for record_id, one in before.items() for _ in one["tags"]],
        tags=[tag for one in before.values() for tag in one["tags"]],
    )
    standing = await records.standing(tx, kind, list(before), lock=True)
    values = await _led_on(tx, {record_id: one["values"] for record_id, one in before.items()})
    await records.write(tx, kind, standing, values)
    return set(before)


async def _led_on(tx: Tx, values: Mapping[UUID, dict[str, Any]]) -> dict[UUID, dict[str, Any]]:
    """The values with what was merged away since led on to where it went, in links of custom fields too.

    A company or a person who is gone altogether is nobody's any more.
    """
    named = {UUID(text) for one in values.values() for text in _ID.findall(jsons.dumps(one))}
    if not named:
        return dict(values)
    places = {str(place.id): str(place.now) for place in await tx.all(_Place, _PLACES, ids=list(named))}
    return {
        record_id: {
            name: None
            if name in _LINKS and value is not None and str(value) not in places
            else _now(value, places)
            for name, value in one.items()
        }
        for record_id, one in values.items()
    }


def _now(value: Any, places: Mapping[str, str]) -> Any:
    return jsons.loads(_ID.sub(lambda found: places.get(found[0], found[0]), jsons.dumps(value)))


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Columns that hold a company or a person.
_LINKS = ("company_id", "contact_id")


@dataclass(frozen=True)
class _Place:
    """A company or a person, and which one that is by now."""

    id: UUID
    now: UUID


# Merges are followed to their end: the one at which a record was put away may have been put away itself.
_PLACES: LiteralString = """
        WITH RECURSIVE way AS (
            SELECT id, id AS now, merged_into_id FROM companies WHERE id = ANY(%(ids)s)
             UNION ALL
            SELECT id, id, merged_into_id FROM contacts WHERE id = ANY(%(ids)s)
             UNION ALL
            SELECT way.id, next.id, next.merged_into_id
              FROM way
             CROSS JOIN LATERAL (
                   SELECT id, merged_into_id FROM companies WHERE id = way.merged_into_id
                    UNION ALL
                   SELECT id, merged_into_id FROM contacts WHERE id = way.merged_into_id) AS next
        )
        SELECT id, now FROM way WHERE merged_into_id IS NULL
        """


async def _note(tx: Tx, import_id: ImportId, chunk: Sequence[Kept], gone: set[UUID]) -> None:
    chunk_id = uuid7()
    await tx.execute(
        """
        UPDATE import_records
           SET state = CASE WHEN record_id = ANY(%(gone)s) THEN 'gone' ELSE 'kept' END,
               chunk_id = %(chunk_id)s
         WHERE import_id = %(import_id)s
           AND record_id = ANY(%(ids)s)
        """,
        import_id=import_id,
        chunk_id=chunk_id,
        gone=list(gone),
        ids=[record.record_id for record in chunk],
    )
    await tx.execute(
        """
        UPDATE table_imports
           SET taken_back = taken_back + %(gone)s, kept = kept + %(kept)s
         WHERE import_id = %(import_id)s
        """,
        import_id=import_id,
        gone=len(gone),
        kept=len(chunk) - len(gone),
    )
    await emit(tx, ImportProgressed(import_id, chunk_id))


async def _finish(tx: Tx, import_id: ImportId) -> None:
    await tx.execute(
        "UPDATE imports SET status = 'undone', undone_at = %(now)s WHERE id = %(import_id)s",
        now=clock.now(),
        import_id=import_id,
    )
    await emit(tx, ImportUndone(import_id))
