"""Imports of tables: send one, look at its columns, try it, run it, read its reasons, undo it; and everything back out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints

from api.deps import ApiTx, CurrentServices
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, example
from api.nouns import Noun
from core.errors import Unprocessable
from core.tables import reader
from core.tables.models import Unreadable
from crm.custom_fields.queries import list_custom_fields
from crm.imports.models import ImportStatus
from crm.imports.tables import actions, fielding, queries
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.models import Duplicates, NewTable, Options, Source, TableImport, Verdict, Why
from events.ids import ImportId, RecordKind

router = Noun(prefix="/imports", tags=["imports"])
Table = Annotated[str, StringConstraints(min_length=1, max_length=250_000, pattern=r"^[^\x00]*$")]
Importable = Literal["contact", "company", "lead", "deal"]
Target = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9_:]*$")]


class ImportIn(In):
    model_config = example(name="fair.csv", text="Name,Email\nVera Lind,vera@lind.example\n")

    name: Annotated[Line, Field(min_length=1, examples=["fair.csv"])]
    text: Table = Field(
        description="The table as CSV. What is larger than a call may be comes in by the page or by `getsale import table`."
    )
    kind: Importable | None = Field(default=None, description="What the rows are; found out when left out.")


class ImportPatch(In):
    """New values for some of these; what is left out stays as it is."""

    model_config = example(targets=["name", "email"], duplicates="fill")

    targets: list[Target] | None = Field(
        default=None,
        max_length=500,
        description="What each column becomes: a field, `custom:KEY`, `new:KIND` for a field to be made, or nothing.",
    )
    duplicates: Duplicates | None = None
    region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] | None = None
    dates: Literal["dmy", "mdy"] | None = None
    is_lenient: bool | None = Field(default=None, description="Leave a wrong cell out instead of its row.")


class OptionsOut(Out):
    duplicates: Duplicates
    region: str
    currency: str
    dates: Literal["dmy", "mdy"]
    is_lenient: bool


class ImportOut(Out):
    id: ImportId
    name: str = Field(validation_alias="label", examples=["fair.csv"])
    kind: RecordKind = Field(validation_alias="record_kind")
    status: ImportStatus
    source: Source
    columns: list[str] = Field(examples=[["Name", "Email"]])
    targets: list[str] = Field(examples=[["name", "email"]])
    options: OptionsOut
    total: int = Field(description="How many rows there are.")
    position: int = Field(description="How many of them are dealt with.")
    made: int
    updated: int
    skipped: int
    refused: int
    companies_made: int
    taken_back: int
    kept: int = Field(description="Records that an undo left, because somebody has worked on them since.")
    started_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None

    @classmethod
    def shown(cls, current: TableImport) -> "ImportOut":
        values = {name: getattr(current, name) for name in TableImport.__dataclass_fields__}
        return cls.model_validate(
            values
            | {
                "source": current.mapping.source,
                "columns": list(current.layout.columns),
                "targets": list(current.mapping.targets),
                "options": OptionsOut.model_validate(current.options),
            }
        )


class ReasonOut(Out):
    why: Why
    column: str
    value: str


class RowOut(Out):
    number: int = Field(description="The row as a spreadsheet counts it.")
    verdict: Verdict
    label: str
    reasons: list[ReasonOut]
    record_id: UUID | None = Field(description="The record that the row met, made or changed.")


@router.get("", operation_id="list_imports", summary="List imports of tables, the newest first")
async def list_imports(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[ImportOut]:
    page = await queries.list_table_imports(tx, cursor=cursor, limit=limit)
    return PageOut[ImportOut](
        items=[ImportOut.shown(one) for one in page.items], next_cursor=page.next_cursor
    )


@router.post(
    "",
    operation_id="create_import",
    summary="Send a table; nothing is written before it is run",
    status_code=201,
    responses=problems(*BODY),
)
async def create_import(tx: ApiTx, services: CurrentServices, new: ImportIn) -> ImportOut:
    """Encoding, delimiter, header, source and columns are found out; the answer says what each column becomes."""
    tx.principal.require("imports:write")
    files, content = services.blobs.apart(UPLOADS), new.text.encode()
    key = await files.put(tx.organization_id, content)
    try:
        survey = await reader.survey(files.path(tx.organization_id, key))
    except Unreadable as err:
        raise Unprocessable(str(err), field="text") from err
    kind = RecordKind(new.kind) if new.kind else None
    return ImportOut.shown(
        await actions.create_table_import(tx, NewTable(new.name, key, len(content), survey), kind)
    )


@router.get(
    "/{import_id}", operation_id="get_import", summary="Read how an import stands", responses=problems(404)
)
async def get_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    return ImportOut.shown(await queries.get_table_import(tx, import_id))


@router.patch(
    "/{import_id}",
    operation_id="update_import",
    summary="Say what columns become and how values are read",
    responses=problems(404, 409, *BODY),
)
async def update_import(tx: ApiTx, import_id: ImportId, patch: ImportPatch) -> ImportOut:
    current = await queries.get_table_import(tx, import_id)
    given = patch.model_dump(exclude_none=True, exclude={"targets"})
    options = Options(**{**vars(current.options), **given})
    fields = [field.key for field in await list_custom_fields(tx, current.record_kind)]
    targets = current.mapping.targets if patch.targets is None else patch.targets
    return ImportOut.shown(await actions.map_columns(tx, import_id, targets, options, fields))


@router.get(
    "/{import_id}/rows",
    operation_id="list_import_rows",
    summary="List the rows of which something is to be said",
    responses=problems(404),
)
async def list_import_rows(
    tx: ApiTx,
    import_id: ImportId,
    verdict: Verdict | None = None,
    after: Annotated[
        int, Query(ge=0, lt=2**31, description="The number of the last row of the page before.")
    ] = 0,
    limit: Limit = 25,
) -> list[RowOut]:
    """After a trial it says what would happen to them, after a run what did."""
    await queries.get_table_import(tx, import_id)
    found = await queries.list_row_notes(tx, import_id, verdict=verdict, after=after, limit=limit)
    return [RowOut.model_validate(note) for note in found]


@router.post(
    "/{import_id}/check",
    operation_id="check_import",
    summary="Have every row tried without writing a record",
    status_code=202,
    responses=problems(404, 409),
)
async def check_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    return ImportOut.shown(await actions.start_check(tx, import_id))


@router.post(
    "/{import_id}/run",
    operation_id="run_import",
    summary="Have the rows taken over",
    status_code=202,
    responses=problems(404, 409, 422),
)
async def run_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    """A worker takes them over chunk by chunk; `position` says how far it is."""
    return ImportOut.shown(await fielding.start_run(tx, import_id))


@router.post(
    "/{import_id}/pause",
    operation_id="pause_import",
    summary="Stop an import between two chunks",
    status_code=202,
    responses=problems(404, 409),
)
async def pause_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    return ImportOut.shown(await actions.pause_import(tx, import_id))


@router.post(
    "/{import_id}/resumption",
    operation_id="resume_import",
    summary="Go on with a paused import",
    status_code=202,
    responses=problems(404, 409),
)
async def resume_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    return ImportOut.shown(await actions.resume_import(tx, import_id))


@router.post(
    "/{import_id}/cancellation",
    operation_id="cancel_import",
    summary="Stop an import for good",
    status_code=202,
    responses=problems(404, 409),
)
async def cancel_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    """What it has taken over stays until it is undone."""
    return ImportOut.shown(await actions.cancel_import(tx, import_id))


@router.post(
    "/{import_id}/undo",
    operation_id="undo_import",
    summary="Have everything that an import made or changed taken back",
    status_code=202,
    responses=problems(404, 409),
)
async def undo_import(tx: ApiTx, import_id: ImportId) -> ImportOut:
    """Records that somebody has changed since stay; `kept` counts them."""
    return ImportOut.shown(await actions.start_undo(tx, import_id))
