"""Notes: what somebody wrote down about a record."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, Version, example
from api.nouns import Noun
from api.routes.records import KindQuery, record_of
from core.principal import PrincipalKind
from crm.notes import actions as notes
from crm.notes import queries
from crm.records.models import RecordRef
from events.ids import NoteId, RecordKind, RunId

router = Noun(prefix="/notes", tags=["notes"])
Body = Annotated[
    str,
    StringConstraints(min_length=1, max_length=notes.MAX_BODY, pattern=r"^[^\x00]*$", strip_whitespace=True),
]


class NoteIn(In):
    model_config = example(
        record_kind="contact",
        record_id="01931b5e-7c00-7000-8000-000000000001",
        body="Prefers calls before ten.",
    )

    record_kind: RecordKind
    record_id: UUID
    body: Body


class NotePatch(In):
    model_config = example(version=1, body="Prefers calls before nine.")

    version: Version
    body: Body


class NoteOut(Out):
    id: NoteId
    record_kind: RecordKind
    record_id: UUID
    body: str
    author_kind: PrincipalKind
    author_id: UUID
    run_id: RunId | None = Field(description="The agent run that wrote it, if one did.")
    created_at: datetime
    edited_at: datetime | None
    removed_at: datetime | None = Field(description="Set while the note can be restored.")
    version: int


@router.get("", operation_id="list_notes", summary="List notes, the newest first")
async def list_notes(
    tx: ApiTx,
    record_kind: KindQuery = RecordKind.CONTACT,
    record_id: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 25,
) -> PageOut[NoteOut]:
    page = await queries.list_notes(tx, record_of(record_kind, record_id), cursor=cursor, limit=limit)
    return PageOut[NoteOut].of(page)


@router.post(
    "",
    operation_id="create_note",
    summary="Write a note about a record",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_note(tx: ApiTx, new: NoteIn) -> NoteOut:
    record = RecordRef(new.record_kind, new.record_id)
    return NoteOut.model_validate(await notes.create_note(tx, record, new.body))


@router.get("/{note_id}", operation_id="get_note", summary="Read one note", responses=problems(404))
async def get_note(tx: ApiTx, note_id: NoteId) -> NoteOut:
    return NoteOut.model_validate(await queries.get_note(tx, note_id))


@router.patch(
    "/{note_id}",
    operation_id="update_note",
    summary="Change the words of a note",
    responses=problems(404, 409, 412, *BODY),
)
async def update_note(tx: ApiTx, note_id: NoteId, patch: NotePatch) -> NoteOut:
    return NoteOut.model_validate(await notes.update_note(tx, note_id, patch.body, version=patch.version))


@router.post(
    "/{note_id}/removal", operation_id="remove_note", summary="Take a note away", responses=problems(404)
)
async def remove_note(tx: ApiTx, note_id: NoteId) -> NoteOut:
    return NoteOut.model_validate(await notes.remove_note(tx, note_id))


@router.post(
    "/{note_id}/restoration",
    operation_id="restore_note",
    summary="Bring a removed note back",
    responses=problems(404),
)
async def restore_note(tx: ApiTx, note_id: NoteId) -> NoteOut:
    return NoteOut.model_validate(await notes.restore_note(tx, note_id))
