"""Files on records: what there is; contents go by the page."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import problems
from api.fields import Cursor, Limit, Out, PageOut
from api.nouns import Noun
from api.routes.records import KindQuery, record_of
from core.principal import PrincipalKind
from crm.files import actions as files
from crm.files import queries
from events.ids import FileId, RecordKind

router = Noun(prefix="/files", tags=["files"])


class FileOut(Out):
    id: FileId
    record_kind: RecordKind
    record_id: UUID
    name: str = Field(examples=["Offer.pdf"])
    mime: str = Field(description="As the uploader named it; nobody checked.", examples=["application/pdf"])
    size_bytes: int
    uploaded_by_kind: PrincipalKind
    uploaded_by_id: UUID
    created_at: datetime
    removed_at: datetime | None = Field(description="Set while the file can be restored.")


@router.get("", operation_id="list_files", summary="List files, the newest first")
async def list_files(
    tx: ApiTx,
    record_kind: KindQuery = RecordKind.CONTACT,
    record_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[FileOut]:
    page = await queries.list_files(tx, record_of(record_kind, record_id), cursor=cursor, limit=limit)
    return PageOut[FileOut].of(page)


@router.get("/{file_id}", operation_id="get_file", summary="Read about one file", responses=problems(404))
async def get_file(tx: ApiTx, file_id: FileId) -> FileOut:
    return FileOut.model_validate(await queries.get_file(tx, file_id))


@router.post(
    "/{file_id}/removal", operation_id="remove_file", summary="Take a file away", responses=problems(404)
)
async def remove_file(tx: ApiTx, file_id: FileId) -> FileOut:
    return FileOut.model_validate(await files.remove_file(tx, file_id))


@router.post(
    "/{file_id}/restoration",
    operation_id="restore_file",
    summary="Bring a removed file back",
    responses=problems(404),
)
async def restore_file(tx: ApiTx, file_id: FileId) -> FileOut:
    return FileOut.model_validate(await files.restore_file(tx, file_id))
