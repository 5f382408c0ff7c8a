"""Tables that people bring: upload, look at the columns, try, run, read the reasons, undo."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from api.deps import CurrentServices, short_transactions
from core.errors import Conflict, Unprocessable
from core.tables import limits, reader
from core.tables.models import Fault, Unreadable, Wish
from crm.conversations.inbox import count_folders
from crm.custom_fields.queries import list_custom_fields
from crm.imports.models import ImportStatus
from crm.imports.tables import actions, fielding, queries
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.models import STAGED, Duplicates, NewTable, Options, TableImport
from crm.pipelines.queries import list_pipelines
from events.ids import ImportId, RecordKind
from web import imports_view
from web.viewer import CurrentReader, CurrentSession, Session

router = APIRouter(prefix="/imports")
_BLOCK = 1024 * 1024
_NOTES = 50
Upload = Annotated[UploadFile, File()]


@router.get("")
async def show_imports(session: CurrentSession, cursor: str = "", part: str = "") -> Response:
    """Every import of a table, the latest first."""
    page = await queries.list_table_imports(session.tx, cursor=cursor or None)
    if part == "list":
        return session.page("imports/_list.html", imports=page)
    return session.page("imports/index.html", imports=page, note="", **await _frame(session))


@router.post("")
async def upload_table(reader_: CurrentReader, services: CurrentServices, file: Upload) -> Response:
    """Keep the file and read it once to its end; no transaction is open meanwhile."""
    reader_.principal.require("imports:write")
    files = services.blobs.apart(UPLOADS)
    organization_id = reader_.principal.organization_id
    transactions = short_transactions(services, reader_.principal, "imports.upload")
    try:
        key, size = await files.put_stream(organization_id, _blocks(file))
        survey = await reader.survey(files.path(organization_id, key))
    except Unreadable as err:
        return RedirectResponse(f"/imports/refusal?{_query(err, file.filename or '')}", 303)
    async with transactions() as tx:
        current = await actions.create_table_import(
            tx, NewTable(file.filename or "table.csv", key, size, survey)
        )
    return RedirectResponse(f"/imports/{current.id}", 303)


async def _blocks(file: UploadFile) -> AsyncIterator[bytes]:
    """Raises: Unreadable when there are more than a table may have."""
    read = 0
    while block := await file.read(_BLOCK):
        read += len(block)
        if read > limits.FILE_BYTES:
            raise Unreadable(Fault.TOO_LARGE, detail=f"{limits.FILE_BYTES // _BLOCK} MB")
        yield block


def _query(err: Unreadable, name: str) -> str:
    return f"fault={err.fault.value}&line={err.line or 0}&detail={quote(err.detail)}&name={quote(name)}"


@router.get("/refusal")
async def show_refusal(
    session: CurrentSession, fault: Fault, line: int = 0, detail: str = "", name: str = ""
) -> Response:
    """Why a file could not be read, above the form to send another one."""
    text = imports_view.fault_text(Unreadable(fault, line=line, detail=detail[:40]), session.words)
    note = f"{name[:120]}: {text}" if name else text
    page = await queries.list_table_imports(session.tx)
    return session.page("imports/index.html", status=422, imports=page, note=note, **await _frame(session))


@router.get("/{import_id}")
async def show_import(
    session: CurrentSession, import_id: ImportId, part: str = "", verdict: str = "", after: int = 0
) -> Response:
    """Where an import stands: its columns, its trial, its run, its result."""
    current = await queries.get_table_import(session.tx, import_id)
    context = await _import(session, current, verdict, after)
    if part == "state":
        return session.page("imports/_state.html", **context)
    return session.page("imports/show.html", **context)


@router.post("/{import_id}/reading")
async def read_again(
    reader_: CurrentReader,
    services: CurrentServices,
    import_id: ImportId,
    encoding: Annotated[str, Form()] = "",
    delimiter: Annotated[str, Form()] = "",
    header: Annotated[Literal["", "yes", "no"], Form()] = "",
) -> Response:
    """Read the file as the person says; what cannot be read so is told and stays as it was."""
    transactions = short_transactions(services, reader_.principal, "imports.reading")
    async with transactions() as tx:
        current = await queries.get_table_import(tx, import_id)
    wish = Wish(
        encoding if encoding in imports_view.ENCODINGS else None,
        delimiter if delimiter in imports_view.DELIMITERS else None,
        {"yes": True, "no": False}.get(header),
    )
    path = services.blobs.apart(UPLOADS).path(reader_.principal.organization_id, current.blob_key or "")
    try:
        survey = await reader.survey(path, wish)
    except Unreadable as err:
        return RedirectResponse(f"/imports/{import_id}?{_query(err, '')}", 303)
    async with transactions() as tx:
        await actions.survey_again(tx, import_id, survey)
    return RedirectResponse(f"/imports/{import_id}", 303)


@router.post("/{import_id}/kind")
async def change_kind(
    session: CurrentSession, import_id: ImportId, kind: Annotated[RecordKind, Form()]
) -> Response:
    await actions.set_kind(session.tx, import_id, kind)
    return RedirectResponse(f"/imports/{import_id}", 303)


@router.post("/{import_id}/mapping")
async def map_columns(
    session: CurrentSession,
    import_id: ImportId,
    target: Annotated[list[str], Form()],
    duplicates: Annotated[Duplicates, Form()] = Duplicates.SKIP,
    region: Annotated[str, Form(pattern="^[A-Z]{2}$")] = "US",
    currency: Annotated[str, Form(pattern="^[A-Z]{3}$")] = "EUR",
    dates: Annotated[Literal["dmy", "mdy"], Form()] = "dmy",
    pipeline_id: Annotated[UUID | Literal[""], Form()] = "",
    is_lenient: Annotated[bool, Form()] = False,
) -> Response:
    """Keep what the columns become, and have every row tried."""
    options = Options(duplicates, region, currency, dates, is_lenient, pipeline_id or None)
    current = await queries.get_table_import(session.tx, import_id)
    fields = await list_custom_fields(session.tx, current.record_kind)
    try:
        await actions.map_columns(session.tx, import_id, target, options, [field.key for field in fields])
    except Unprocessable:
        context = await _import(session, current, "", 0)
        if len(target) == len(current.layout.columns):
            context["columns"] = imports_view.columns_of(current, target)
        context |= {"note": _mapping_note(session, current, target), "options": options}
        return session.page("imports/show.html", status=422, **context)
    await actions.start_check(session.tx, import_id)
    return RedirectResponse(f"/imports/{import_id}", 303)


def _mapping_note(session: Session, current: TableImport, targets: list[str]) -> str:
    """What is wrong with a mapping: two columns for one field, or nothing that names a record."""
    twice = next((one for one in targets if one in imports_view.TARGET_NAMES and targets.count(one) > 1), "")
    if twice:
        names = [name for name, one in zip(current.layout.columns, targets, strict=False) if one == twice]
        return session.words.gettext(
            "%(columns)s cannot all become “%(field)s”. Choose one of them.",
            columns=", ".join(names),
            field=session.words.gettext(imports_view.TARGET_NAMES[twice]),
        )
    return session.words.gettext("No column names the records. Choose the one with the names.")


@router.post("/{import_id}/run")
async def run_import(session: CurrentSession, import_id: ImportId) -> Response:
    """Make the fields that columns become, and begin."""
    await fielding.start_run(session.tx, import_id)
    return RedirectResponse(f"/imports/{import_id}", 303)


@router.post("/{import_id}/pause")
async def pause_import(session: CurrentSession, import_id: ImportId) -> Response:
    return await _move(session, import_id, actions.pause_import)


@router.post("/{import_id}/resumption")
async def resume_import(session: CurrentSession, import_id: ImportId) -> Response:
    return await _move(session, import_id, actions.resume_import)


@router.post("/{import_id}/cancellation")
async def cancel_import(session: CurrentSession, import_id: ImportId) -> Response:
    return await _move(session, import_id, actions.cancel_import)


@router.post("/{import_id}/undo")
async def undo_import(session: CurrentSession, import_id: ImportId) -> Response:
    return await _move(session, import_id, actions.start_undo)


@router.post("/{import_id}/revision")
async def revise_import(session: CurrentSession, import_id: ImportId) -> Response:
    """Back to the columns after a trial."""
    return await _move(session, import_id, actions.revise_import)


async def _move(session: Session, import_id: ImportId, action: Any) -> Response:
    """Somebody who comes too late, because it is done by now, sees how it stands."""
    with contextlib.suppress(Conflict):
        await action(session.tx, import_id)
    return RedirectResponse(f"/imports/{import_id}", 303)


@router.get("/{import_id}/reasons.csv")
async def download_reasons(
    reader_: CurrentReader, services: CurrentServices, import_id: ImportId
) -> StreamingResponse:
    """What is said about rows, as a table in the reader's language."""
    transactions = short_transactions(services, reader_.principal, "imports.reasons")
    async with transactions() as tx:
        current = await queries.get_table_import(tx, import_id)

    async def lines() -> AsyncIterator[bytes]:
        async with transactions() as tx:
            async for line in imports_view.reasons_csv(queries.every_row_note(tx, import_id), reader_.words):
                yield line

    name = quote(f"{current.label.rsplit('.', 1)[0]} - reasons.csv")
    return StreamingResponse(
        lines(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


async def _import(session: Session, current: TableImport, verdict: str, after: int) -> dict[str, Any]:
    """What the page of an import shows."""
    is_draft = current.status is ImportStatus.DRAFT or (
        current.status is ImportStatus.FAILED and not current.position
    )
    fields = await list_custom_fields(session.tx, current.record_kind) if is_draft else []
    wanted = verdict if verdict in imports_view.VERDICTS else None
    notes = (
        []
        if is_draft
        else await queries.list_row_notes(
            session.tx, current.id, verdict=wanted, after=after, limit=_NOTES + 1
        )
    )
    said = session.request.query_params
    note = ""
    if said.get("fault") in set(Fault):
        fault = Unreadable(
            Fault(said["fault"]), line=int(said.get("line") or 0), detail=said.get("detail", "")[:40]
        )
        note = imports_view.fault_text(fault, session.words)
    return {
        "current": current,
        "is_draft": is_draft,
        "columns": imports_view.columns_of(current) if is_draft else [],
        "groups": imports_view.targets_of(current, fields, session.words) if is_draft else [],
        "options": current.options,
        "pipelines": await list_pipelines(session.tx) if current.record_kind in STAGED else [],
        "earlier": await queries.find_earlier(session.tx, current) if is_draft else None,
        "notes": notes[:_NOTES],
        "next_after": notes[_NOTES - 1].number if len(notes) > _NOTES else 0,
        "verdict": verdict,
        "kept": await queries.list_kept(session.tx, current.id) if current.kept else [],
        "note": note,
        **await _frame(session),
    }


async def _frame(session: Session) -> dict[str, Any]:
    """What every page of the section carries around its own content."""
    return {
        "section": "imports",
        "counts": await count_folders(session.tx),
        "since": session.since,
        "view": imports_view,
        "may_export": session.principal.may("records:export"),
    }
