"""Imports a table from the command line: the same steps as a worker's, in this process."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.blobs import Blobs
from core.db import Database, Tx
from core.errors import NotFound, Unprocessable
from core.principal import Principal
from core.tables import reader
from core.tables.headers import letter
from core.tables.models import Unreadable
from crm.custom_fields.queries import list_custom_fields
from crm.imports.models import ImportStatus
from crm.imports.tables import actions, fielding, running
from crm.imports.tables.actions import UPLOADS, WORK
from crm.imports.tables.models import Duplicates, NewTable, RowNote, TableImport
from crm.imports.tables.queries import every_row_note, get_table_import
from crm.imports.tables.running import Desk
from events import due
from events.ids import ImportId, RecordKind

Progress = Callable[[int, int], None]
KINDS = {
    "contacts": RecordKind.CONTACT,
    "companies": RecordKind.COMPANY,
    "leads": RecordKind.LEAD,
    "deals": RecordKind.DEAL,
}
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Order:
    """What to import and how; `targets` maps names or letters of columns, the others stay as they are guessed."""

    path: Path
    kind: RecordKind | None = None
    targets: tuple[tuple[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    is_trial: bool = False


def order_of(
    path: Path, kind: str | None, mapped: Sequence[str], *, is_trial: bool = False, **options: str | None
) -> Order:
    """An order in the words of the command line. Raises: Unprocessable for a mapping without an equals sign."""
    pairs = [text.partition("=") for text in mapped]
    for name, sign, _ in pairs:
        if not sign:
            raise Unprocessable(
                f"--map {name} says not what it becomes; write --map {name!r}=email, for example."
            )
    given = {name: value for name, value in options.items() if value is not None}
    if "duplicates" in given:
        given["duplicates"] = Duplicates(given["duplicates"])
    return Order(
        path,
        KINDS[kind] if kind else None,
        tuple((name, target) for name, _, target in pairs),
        given,
        is_trial,
    )


async def import_table(
    db: Database,
    blobs: Blobs,
    principal: Principal,
    order: Order,
    progress: Progress = lambda done, total: None,
    *,
    erased_key: bytes,
) -> TableImport:
    """Upload, map and run a table, or only try it.

    Raises: NotFound, Unprocessable: there is no such file, it cannot be read, or a column cannot become that.
    """
    if not order.path.is_file():
        raise NotFound(f"There is no file {order.path}; give the path of a CSV or XLSX file.")
    current = await _upload(db, blobs, principal, order)
    async with db.transaction(principal, "import.map") as tx:
        fields = [field.key for field in await list_custom_fields(tx, current.record_kind)]
        targets = _targets(current, order)
        await actions.map_columns(tx, current.id, targets, replace(current.options, **order.options), fields)
        await (actions.start_check if order.is_trial else fielding.start_run)(tx, current.id)
        # worked on here and now, so that no worker needs to run
        await due.cancel(tx, WORK, current.id)
    return await _work(db, blobs, principal, current.id, progress, erased_key)


async def _upload(db: Database, blobs: Blobs, principal: Principal, order: Order) -> TableImport:
    files = blobs.apart(UPLOADS)
    key, size = await files.put_stream(principal.organization_id, _blocks(order.path))
    try:
        survey = await reader.survey(files.path(principal.organization_id, key))
    except Unreadable as err:
        raise Unprocessable(f"{order.path.name}: {err}") from err
    async with db.transaction(principal, "import.upload") as tx:
        return await actions.create_table_import(tx, NewTable(order.path.name, key, size, survey), order.kind)


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def _targets(current: TableImport, order: Order) -> list[str]:
    targets = list(current.mapping.targets)
    columns = current.layout.columns
    for name, target in order.targets:
        places = [place for place, one in enumerate(columns) if name in (one, letter(place))]
        if not places:
            raise Unprocessable(f"There is no column {name}; there are: {', '.join(columns)}.")
        targets[places[0]] = target
    return targets


async def _work(
    db: Database,
    blobs: Blobs,
    principal: Principal,
    import_id: ImportId,
    progress: Progress,
    erased_key: bytes,
) -> TableImport:
    files = blobs.apart(UPLOADS)

    def transaction(step: str) -> AbstractAsyncContextManager[Tx]:
        return db.transaction(principal, f"import.{step}")

    async def guard(tx: Tx) -> None:
        """Tell how far it is; nobody else works on it, and `position` would stop them."""
        current = await get_table_import(tx, import_id)
        progress(current.position, current.total)

    desk = Desk(transaction, guard, lambda key: files.path(principal.organization_id, key), erased_key)
    while await running.work(desk, import_id, seconds=3600):
        pass
    async with db.transaction(principal, "import.result") as tx:
        return await get_table_import(tx, import_id)


async def undo_table(
    db: Database,
    blobs: Blobs,
    principal: Principal,
    import_id: ImportId,
    progress: Progress,
    *,
    erased_key: bytes,
) -> TableImport:
    """Take a table import back. Raises: NotFound, Conflict."""
    async with db.transaction(principal, "import.undo") as tx:
        await actions.start_undo(tx, import_id)
        await due.cancel(tx, WORK, import_id)
    return await _work(db, blobs, principal, import_id, progress, erased_key)


async def notes_of(db: Database, principal: Principal, import_id: ImportId) -> list[RowNote]:
    async with db.transaction(principal, "import.notes") as tx:
        return [note async for note in every_row_note(tx, import_id)]


def lines_of(done: TableImport, notes: Sequence[RowNote]) -> list[str]:
    """The counts, a line for each thing that is to be said about a row, and how to take the import back."""
    head = (
        f"import={done.id} status={done.status} rows={done.total} made={done.made} updated={done.updated}"
        f" skipped={done.skipped} refused={done.refused} companies_made={done.companies_made}"
    )
    said = [
        f"row {note.number}: {note.verdict}: {reason.why} {reason.column} {reason.value}".rstrip()
        for note in notes
        for reason in note.reasons
    ]
    is_written = done.status is ImportStatus.FINISHED and done.made + done.updated + done.companies_made > 0
    return [head, *said, *([f"To take it back: getsale import undo {done.id}"] if is_written else [])]
