"""Bringing a table in: upload, map, check, run, pause, cancel. The work itself is done by a worker, chunk by chunk."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta

from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from core.tables.models import Survey
from crm.custom_fields.models import EXTENSIBLE
from crm.custom_fields.queries import list_custom_fields
from crm.identity.queries import get_organization
from crm.imports.models import ImportStatus
from crm.imports.tables import headings, sniffing
from crm.imports.tables.models import IMPORTABLE, Mapping, NewTable, Options, TableImport
from crm.imports.tables.queries import get_table_import
from crm.imports.tables.targets import NEW_FIELDS, TARGETS, target_of
from events import due
from events.ids import ImportId, RecordKind
from events.outbox import emit
from events.types import ImportCreated, ImportPrepared, ImportProgressed, ImportStarted

WORK = "import.work"
FORGET = "import.forget"
# Uploaded tables lie apart from the files of conversations, for they are removed one day.
UPLOADS = "uploads"
# How long an uploaded file is kept: for a draft that nobody goes on with, and after the run.
KEEP_DRAFT, KEEP_DONE = timedelta(days=30), timedelta(days=14)
_SAMPLE_ROWS = 60
_SCOPES = {
    RecordKind.CONTACT: ("contacts:write", "companies:write"),
    RecordKind.COMPANY: ("companies:write",),
    RecordKind.LEAD: ("leads:write", "contacts:write", "companies:write"),
    RecordKind.DEAL: ("deals:write", "companies:write"),
}
_REGIONS = {"ru": ("RU", "RUB"), "en": ("US", "EUR")}
_MAY_CHANGE = (ImportStatus.DRAFT, ImportStatus.CHECKED, ImportStatus.FAILED)


async def create_table_import(tx: Tx, new: NewTable, kind: RecordKind | None = None) -> TableImport:
    """Take an uploaded table in as a draft, with source, kind and columns guessed; `kind` says it where known."""
    tx.principal.require("imports:write")
    columns, sample = new.survey.layout.columns, new.survey.sample
    source, guessed = headings.recognise(columns)
    record_kind = kind or guessed
    fields = await list_custom_fields(tx, record_kind)
    import_id = ImportId(uuid7())
    await tx.execute(
        """
        INSERT INTO imports (organization_id, id, kind, label, fingerprint, status, member_user_id, total)
        VALUES (%(organization_id)s, %(id)s, 'table', %(label)s, %(fingerprint)s, 'draft', %(member_id)s, %(total)s)
        """,
        organization_id=tx.organization_id,
        id=import_id,
        label=new.name[:200],
        fingerprint=new.blob_key,
        member_id=tx.principal.id,
        total=new.survey.total,
    )
    await tx.execute(
        """
        INSERT INTO table_imports (organization_id, import_id, record_kind, blob_key, size_bytes, layout, sample,
                                   repeated, mapping, options)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(blob_key)s, %(size)s, %(layout)s, %(sample)s, %(repeated)s,
                %(mapping)s, %(options)s)
        """,
        organization_id=tx.organization_id,
        id=import_id,
        kind=record_kind.value,
        blob_key=new.blob_key,
        size=new.size_bytes,
        layout=Jsonb(new.survey.layout.as_json()),
        sample=_sample_json(new.survey),
        repeated=list(new.survey.repeated),
        mapping=Jsonb(asdict(headings.guess(source, record_kind, columns, sample, fields))),
        options=_options_json(await _usual_options(tx, new.survey)),
    )
    await due.schedule(tx, FORGET, import_id, clock.now() + KEEP_DRAFT)
    await emit(tx, ImportCreated(import_id))
    return await get_table_import(tx, import_id)


def _sample_json(survey: Survey) -> Jsonb:
    # PostgreSQL keeps no NUL in jsonb either; a file with one is refused before it comes here, a workbook is not
    rows = [(number, [cell.replace("\0", "") for cell in cells]) for number, cells in survey.sample]
    return Jsonb(rows[:_SAMPLE_ROWS])


def _options_json(options: Options) -> Jsonb:
    return Jsonb(
        options.as_json() | {"pipeline_id": str(options.pipeline_id) if options.pipeline_id else None}
    )


async def _usual_options(tx: Tx, survey: Survey) -> Options:
    """What fits the organization's language, and the dates of this very table."""
    region, currency = _REGIONS.get((await get_organization(tx)).locale, _REGIONS["en"])
    width = len(survey.layout.columns)
    is_month_first = any(
        sniffing.is_month_first(headings.cells_of(survey.sample, column)) for column in range(width)
    )
    return Options(region=region, currency=currency, dates="mdy" if is_month_first else "dmy")


async def survey_again(tx: Tx, import_id: ImportId, survey: Survey) -> TableImport:
    """Read the file in another way than was guessed; its columns are mapped anew.

    Raises: NotFound, Conflict when it runs already.
    """
    current = await _changeable(tx, import_id)
    source, _ = headings.recognise(survey.layout.columns)
    fields = await list_custom_fields(tx, current.record_kind)
    mapping = headings.guess(source, current.record_kind, survey.layout.columns, survey.sample, fields)
    await tx.execute(
        """
        UPDATE table_imports
           SET layout = %(layout)s, sample = %(sample)s, repeated = %(repeated)s, mapping = %(mapping)s
         WHERE import_id = %(import_id)s
        """,
        layout=Jsonb(survey.layout.as_json()),
        sample=_sample_json(survey),
        repeated=list(survey.repeated),
        mapping=Jsonb(asdict(mapping)),
        import_id=import_id,
    )
    await tx.execute(
        "UPDATE imports SET status = 'draft', total = %(total)s, position = 0 WHERE id = %(import_id)s",
        total=survey.total,
        import_id=import_id,
    )
    return await _prepared(tx, current)


async def set_kind(tx: Tx, import_id: ImportId, kind: RecordKind) -> TableImport:
    """Say what the rows are; the columns are mapped anew. Raises: NotFound, Conflict, Unprocessable."""
    current = await _changeable(tx, import_id)
    if kind not in IMPORTABLE:
        raise Unprocessable(
            f"Tables of a {kind} are not imported; choose {', '.join(IMPORTABLE)}.", field="kind"
        )
    if kind is current.record_kind:
        return current
    fields = await list_custom_fields(tx, kind)
    mapping = headings.guess(current.mapping.source, kind, current.layout.columns, current.sample, fields)
    await _store(tx, import_id, kind, mapping, current.options)
    return await _prepared(tx, current)


async def map_columns(
    tx: Tx, import_id: ImportId, targets: Sequence[str], options: Options, fields: Sequence[str] = ()
) -> TableImport:
    """Say what each column becomes and how values are read; `fields` are the keys of the custom fields in use.

    Raises:
        NotFound; Conflict: it runs already.
        Unprocessable: a target that there is not, one for two columns, or none that could name a record.
    """
    current = await _changeable(tx, import_id)
    _check_targets(current, targets, fields)
    mapping = Mapping(current.mapping.source, tuple(targets))
    await _store(tx, import_id, current.record_kind, mapping, options)
    return await _prepared(tx, current)


async def _prepared(tx: Tx, before: TableImport) -> TableImport:
    """The import as it is to be read now, which is on record with how it was."""
    after = await get_table_import(tx, before.id)
    was, now = [
        {
            "record_kind": one.record_kind,
            "columns": one.layout.columns,
            "targets": one.mapping.targets,
            "options": one.options.as_json(),
        }
        for one in (before, after)
    ]
    changes = {name: (was[name], now[name]) for name in was if was[name] != now[name]}
    if changes:
        await emit(tx, ImportPrepared(before.id), changes=changes)
    return after


def _check_targets(current: TableImport, targets: Sequence[str], fields: Sequence[str]) -> None:
    columns = current.layout.columns
    if len(targets) != len(columns):
        raise Unprocessable(
            f"The table has {len(columns)} columns; say of each what it becomes.", field="targets"
        )
    used: dict[str, str] = {}
    for column, target in (
        (column, target) for column, target in zip(columns, targets, strict=True) if target
    ):
        if not _is_target(current.record_kind, target, fields):
            known = ", ".join(one.key for one in TARGETS[current.record_kind])
            raise Unprocessable(f"{column} cannot become {target!r}; choose from: {known}.", field="targets")
        known_target = target_of(current.record_kind, target)
        if target in used and not target.startswith("new:") and not (known_target and known_target.many):
            raise Unprocessable(
                f"{used[target]} and {column} cannot both become {target}; choose one of them.",
                field="targets",
            )
        used[target] = column
    naming = {"name", "first_name", "last_name", "email", "phone", "telegram", "domain"}
    if current.record_kind is RecordKind.LEAD:  # a person is called by their address when they have no name
        naming |= {"contact_email", "contact_phone", "contact_telegram"}
    if not naming & set(targets):
        raise Unprocessable("No column names the records; choose the one with the names.", field="targets")


def _is_target(kind: RecordKind, target: str, fields: Sequence[str]) -> bool:
    if target.startswith("custom:"):
        return target.removeprefix("custom:") in fields
    if target.startswith("new:"):
        return kind in EXTENSIBLE and target.removeprefix("new:") in NEW_FIELDS
    return target_of(kind, target) is not None


async def start_check(tx: Tx, import_id: ImportId) -> TableImport:
    """Have every row tried without writing a record. Raises: NotFound, Conflict."""
    await _changeable(tx, import_id)
    await begin_anew(tx, import_id, ImportStatus.CHECKING)
    await due.schedule(tx, WORK, import_id, clock.now())
    await emit(tx, ImportProgressed(import_id))
    return await get_table_import(tx, import_id)


async def start_run(tx: Tx, import_id: ImportId, targets: Sequence[str] | None = None) -> TableImport:
    """Have the rows taken over; `targets` replace the mapping's when fields were made for columns.

    Raises: NotFound, Forbidden; Conflict when it runs already.
    """
    current = await _changeable(tx, import_id)
    for scope in _SCOPES[current.record_kind]:
        tx.principal.require(scope)
    if targets is not None:
        mapping = replace(current.mapping, targets=tuple(targets))
        await _store(tx, import_id, current.record_kind, mapping, current.options)
    await begin_anew(tx, import_id, ImportStatus.RUNNING)
    await due.schedule(tx, WORK, import_id, clock.now())
    await emit(tx, ImportStarted(import_id))
    return await get_table_import(tx, import_id)


async def pause_import(tx: Tx, import_id: ImportId) -> TableImport:
    """Stop between two chunks; it goes on where it stopped. Raises: NotFound, Conflict."""
    return await _move(tx, import_id, (ImportStatus.RUNNING,), ImportStatus.PAUSED)


async def resume_import(tx: Tx, import_id: ImportId) -> TableImport:
    """Go on where an import stopped. Raises: NotFound, Conflict."""
    resumed = await _move(tx, import_id, (ImportStatus.PAUSED,), ImportStatus.RUNNING)
    await due.schedule(tx, WORK, import_id, clock.now())
    return resumed


async def cancel_import(tx: Tx, import_id: ImportId) -> TableImport:
    """Stop for good; what is taken over stays until it is undone. A check goes back to the mapping.

    Raises: NotFound, Conflict.
    """
    current = await get_table_import(tx, import_id, lock=True)
    is_check = current.status is ImportStatus.CHECKING
    to = ImportStatus.DRAFT if is_check else ImportStatus.CANCELLED
    return await _move(tx, import_id, (ImportStatus.CHECKING, ImportStatus.RUNNING, ImportStatus.PAUSED), to)


async def revise_import(tx: Tx, import_id: ImportId) -> TableImport:
    """Back to the mapping after a check. Raises: NotFound, Conflict."""
    return await _move(tx, import_id, (ImportStatus.CHECKED, ImportStatus.FAILED), ImportStatus.DRAFT)


async def start_undo(tx: Tx, import_id: ImportId) -> TableImport:
    """Have everything that an import made or changed taken back. Raises: NotFound, Conflict."""
    stoppable = (
        ImportStatus.RUNNING, ImportStatus.PAUSED, ImportStatus.FINISHED, ImportStatus.CANCELLED, ImportStatus.FAILED,
    )  # fmt: skip
    undoing = await _move(tx, import_id, stoppable, ImportStatus.UNDOING)
    await due.schedule(tx, WORK, import_id, clock.now())
    return undoing


async def begin_anew(tx: Tx, import_id: ImportId, status: ImportStatus) -> None:
    """Back to the first row, with nothing said about any."""
    await tx.execute("DELETE FROM import_rows WHERE import_id = %(import_id)s", import_id=import_id)
    await tx.execute(
        """
        UPDATE table_imports
           SET made = 0, updated = 0, skipped = 0, refused = 0, companies_made = 0, fault = NULL
         WHERE import_id = %(import_id)s
        """,
        import_id=import_id,
    )
    await tx.execute(
        "UPDATE imports SET status = %(status)s, position = 0, finished_at = NULL WHERE id = %(import_id)s",
        status=status.value,
        import_id=import_id,
    )


async def _move(tx: Tx, import_id: ImportId, may: Sequence[ImportStatus], to: ImportStatus) -> TableImport:
    current = await get_table_import(tx, import_id, lock=True)
    if current.status not in may:
        raise Conflict(
            f"The import of {current.label} is {current.status}; reload the page to see what it needs."
        )
    await tx.execute(
        "UPDATE imports SET status = %(to)s WHERE id = %(import_id)s", to=to.value, import_id=import_id
    )
    await emit(tx, ImportProgressed(import_id))
    return await get_table_import(tx, import_id)


async def _changeable(tx: Tx, import_id: ImportId) -> TableImport:
    current = await get_table_import(tx, import_id, lock=True)
    if current.status not in _MAY_CHANGE or (current.status is ImportStatus.FAILED and current.position):
        raise Conflict(f"The import of {current.label} is {current.status} and cannot be changed any more.")
    if current.blob_key is None:
        raise Conflict(f"The file {current.label} was removed after {KEEP_DRAFT.days} days; upload it again.")
    return current


async def _store(tx: Tx, import_id: ImportId, kind: RecordKind, mapping: Mapping, options: Options) -> None:
    await tx.execute(
        """
        UPDATE table_imports
           SET record_kind = %(kind)s, mapping = %(mapping)s, options = %(options)s
         WHERE import_id = %(import_id)s
        """,
        kind=kind.value,
        mapping=Jsonb(asdict(mapping)),
        options=_options_json(options),
        import_id=import_id,
    )
    await tx.execute(
        "UPDATE imports SET status = 'draft', position = 0 WHERE id = %(import_id)s", import_id=import_id
    )
