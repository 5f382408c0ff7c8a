"""The steps of a table import that a worker commits one after the other, each of them once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.ids import uuid7
from core.tables.models import Unreadable
from crm.custom_fields.queries import list_custom_fields
from crm.imports.models import ImportStatus
from crm.imports.tables import taking
from crm.imports.tables.actions import FORGET, KEEP_DONE
from crm.imports.tables.models import STAGED, Prepared, TableImport
from crm.imports.tables.prepare import Directory, FieldSpec, Reading
from crm.imports.tables.queries import get_table_import
from crm.imports.tables.taking import Taken, Work
from crm.imports.tables.targets import ValueKind
from events import due
from events.ids import ImportId
from events.outbox import emit
from events.types import ImportFinished, ImportProgressed


@dataclass(frozen=True)
class Task:
    """An import in hand, with what its cells may name."""

    current: TableImport
    reading: Reading


async def load(tx: Tx, import_id: ImportId) -> Task:
    """What there is to do for an import. Raises: NotFound."""
    current = await get_table_import(tx, import_id)
    directory = Directory(
        owners=await _owners(tx),
        stages=await _stages(tx, current) if current.record_kind in STAGED else {},
        fields=await _fields(tx, current),
    )
    if directory.stages:
        directory = Directory(
            directory.owners, directory.stages, next(iter(directory.stages.values())), directory.fields
        )
    reading = Reading(
        current.record_kind, current.layout.columns, current.mapping, current.options, directory
    )
    return Task(current, reading)


async def _owners(tx: Tx) -> dict[str, UUID]:
    """Members by name and by the email they sign in with."""
    cursor = await tx.connection.execute(
        "SELECT m.id, m.name, u.email FROM members m JOIN users u ON u.id = m.user_id ORDER BY m.created_at DESC, m.id"
    )
    rows = await cursor.fetchall()
    return {text.casefold(): row["id"] for row in rows for text in (row["name"], row["email"])}


async def _stages(tx: Tx, current: TableImport) -> dict[str, UUID]:
    """Stages by name, the first of the chosen pipeline in front; without a choice those of all pipelines."""
    cursor = await tx.connection.execute(
        """
        SELECT s.id, s.name
          FROM stages s
          JOIN pipelines p ON p.organization_id = s.organization_id AND p.id = s.pipeline_id
         WHERE (%(pipeline_id)s::uuid IS NULL OR s.pipeline_id = %(pipeline_id)s)
           AND s.removed_at IS NULL
         ORDER BY p.name, p.id, s.position
        """,
        {"pipeline_id": current.options.pipeline_id},
    )
    stages: dict[str, UUID] = {}
    for row in await cursor.fetchall():
        stages.setdefault(row["name"].casefold(), row["id"])
    return stages


async def _fields(tx: Tx, current: TableImport) -> Mapping[str, FieldSpec]:
    """The custom fields in use, and those that columns are to become: a check reads them as if they were there."""
    specs = {}
    for field in await list_custom_fields(tx, current.record_kind):
        options = {text.casefold(): one.key for one in field.options for text in (one.key, one.label)}
        kind = _VALUE_KINDS.get(field.kind.value, ValueKind.TEXT)
        specs[field.key] = FieldSpec(field.key, kind, options, field.target_kind)
    for target in current.mapping.targets:
        if target.startswith("new:"):
            kind = _VALUE_KINDS.get(target.removeprefix("new:"), ValueKind.TEXT)
            specs[target] = FieldSpec(target, kind)
    return specs


_VALUE_KINDS = {
    "number": ValueKind.NUMBER, "money": ValueKind.MONEY, "date": ValueKind.DATE, "boolean": ValueKind.BOOLEAN,
    "choice": ValueKind.CHOICE, "choices": ValueKind.CHOICES, "record": ValueKind.RECORD,
}  # fmt: skip


async def take_chunk(
    tx: Tx, task: Task, position: int, rows: Sequence[Prepared], seen: set[int], *, erased_key: bytes
) -> bool:
    """Take rows over, or try them, as the ones behind `position`; `erased_key` tells who must not come back.

    False when the import is no longer at work or these rows are dealt with already: then stop.

    Raises: Conflict; the chunk may be tried again.
    """
    held = await get_table_import(tx, task.current.id, lock=True)
    if held.status is not task.current.status or held.position != position:
        return False
    chunk_id = uuid7()
    work = Work(
        held.id,
        held.record_kind,
        held.mapping.source,
        held.options,
        held.label,
        chunk_id,
        erased_key,
        is_trial=held.status is ImportStatus.CHECKING,
    )
    taken = await taking.take(tx, work, rows, seen)
    await _advance(tx, held.id, len(rows), taken)
    await emit(tx, ImportProgressed(held.id, chunk_id))
    return True


async def _advance(tx: Tx, import_id: ImportId, count: int, taken: Taken) -> None:
    await tx.execute(
        """
        UPDATE table_imports
           SET made = made + %(made)s, updated = updated + %(updated)s, skipped = skipped + %(skipped)s,
               refused = refused + %(refused)s, companies_made = companies_made + %(companies)s
         WHERE import_id = %(import_id)s
        """,
        import_id=import_id,
        made=taken.made,
        updated=taken.updated,
        skipped=taken.skipped,
        refused=taken.refused,
        companies=taken.companies,
    )
    await tx.execute(
        "UPDATE imports SET position = position + %(count)s WHERE id = %(import_id)s",
        import_id=import_id,
        count=count,
    )


async def refresh_statistics(tx: Tx) -> None:
    """Tell the planner what has come in; until it knows, each look for a key reads every row of the organization."""
    await tx.execute("SELECT refresh_statistics()")


async def finish(tx: Tx, import_id: ImportId) -> None:
    """All rows are read: a check waits for its person, a run is done."""
    current = await get_table_import(tx, import_id, lock=True)
    if current.status is ImportStatus.CHECKING:
        await _set_status(tx, import_id, ImportStatus.CHECKED)
        await emit(tx, ImportProgressed(import_id))
    if current.status is ImportStatus.RUNNING:
        await tx.execute(
            "UPDATE imports SET status = 'finished', finished_at = %(now)s WHERE id = %(import_id)s",
            now=clock.now(),
            import_id=import_id,
        )
        await due.schedule(tx, FORGET, import_id, clock.now() + KEEP_DONE)
        await emit(tx, ImportFinished(import_id))


async def fail(tx: Tx, import_id: ImportId, err: Unreadable | None) -> None:
    """The file cannot be read to its end, or the work could not be done; what is taken over can be taken back."""
    await _set_status(tx, import_id, ImportStatus.FAILED)
    fault = None if err is None else {"fault": err.fault.value, "line": err.line, "detail": err.detail}
    await tx.execute(
        "UPDATE table_imports SET fault = %(fault)s WHERE import_id = %(import_id)s",
        fault=Jsonb(fault) if fault else None,
        import_id=import_id,
    )
    await emit(tx, ImportProgressed(import_id))


async def _set_status(tx: Tx, import_id: ImportId, status: ImportStatus) -> None:
    await tx.execute(
        "UPDATE imports SET status = %(status)s WHERE id = %(import_id)s",
        status=status.value,
        import_id=import_id,
    )


async def forget_file(tx: Tx, import_id: ImportId) -> str | None:
    """Let go of an uploaded file; returns its key when no other import needs it."""
    current = await get_table_import(tx, import_id, lock=True)
    await tx.execute(
        "UPDATE table_imports SET blob_key = NULL WHERE import_id = %(import_id)s", import_id=import_id
    )
    is_needed = await tx.value(
        "SELECT EXISTS (SELECT FROM table_imports WHERE blob_key = %(blob_key)s)", blob_key=current.blob_key
    )
    return None if is_needed else current.blob_key
