"""Bulk edits: the same change in many records, shown before it is made, and taken back as a whole."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, example
from api.nouns import Noun
from core.principal import PrincipalKind
from crm.bulk import actions as bulk
from crm.bulk import queries
from crm.bulk.models import BulkStatus, Changes, Fate, NewBulkEdit, Reason, RecordVerdict
from events.ids import BulkEditId, RecordKind, TagId

router = Noun(prefix="/bulk-edits", tags=["bulk-edits"])
_FILTER: JsonValue = {"field": "title", "op": "contains", "value": "director"}


class ChangesIn(In):
    """The same for every record; a record that has it so already stays as it is."""

    set: dict[str, JsonValue] = Field(
        default_factory=dict,
        max_length=50,
        description="New values by field, `custom.KEY` for fields of the organization; null empties one.",
        examples=[{"title": "Head of sales", "custom.region": "North"}],
    )
    add_tags: list[TagId] = Field(default_factory=list, max_length=50)
    remove_tags: list[TagId] = Field(default_factory=list, max_length=50)
    fate: Fate | None = Field(
        default=None, description="Put the records into the trash, or take them out of it."
    )

    def read(self) -> Changes:
        return Changes(self.set, tuple(self.add_tags), tuple(self.remove_tags), self.fate)


class BulkEditIn(In):
    """The records of `ids`, or without them those that the filter and the words keep at this moment."""

    model_config = example(record_kind="contact", filter=_FILTER, changes={"set": {"title": "Head of sales"}})

    record_kind: RecordKind
    ids: list[UUID] = Field(default_factory=list, max_length=1000)
    filter: dict[str, JsonValue] | None = Field(
        default=None, description="As lists take it in `filter`; {} keeps every record.", examples=[_FILTER]
    )
    q: Line = Field(default="", description="Words, as lists take them in `q`.")
    changes: ChangesIn


class BulkEditOut(Out):
    """While the edit is checked, the counts say what would happen; from the run on, what did."""

    id: BulkEditId
    record_kind: RecordKind
    changes: dict[str, JsonValue] = Field(validation_alias="changes_json")
    status: BulkStatus
    total: int
    position: int = Field(description="How many records are dealt with in this step.")
    changed: int
    unchanged: int = Field(description="Records that are so already.")
    refused: int
    restored: int = Field(description="Records that an undo gave back what they held before.")
    kept: int = Field(description="Records that an undo left, because somebody has changed them since.")
    made_by_kind: PrincipalKind
    made_by: UUID
    created_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None


class EditedOut(Out):
    """One record of an edit."""

    position: int
    record_id: UUID
    verdict: RecordVerdict
    label: str
    reason: Reason | None = Field(description="Why it was refused or kept.")
    detail: str
    changes: dict[str, list[JsonValue]] = Field(
        description="Before and after by field; tags that were put on and taken off.",
        examples=[{"title": ["Director", "Head of sales"]}],
    )


@router.get("", operation_id="list_bulk_edits", summary="List bulk edits, the newest first")
async def list_bulk_edits(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[BulkEditOut]:
    return PageOut[BulkEditOut].of(await queries.list_bulk_edits(tx, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_bulk_edit",
    summary="Choose records and see what a change would do to them",
    status_code=201,
    responses=problems(*BODY),
)
async def create_bulk_edit(tx: ApiTx, new: BulkEditIn) -> BulkEditOut:
    """Nothing is changed before it is run. Up to 100 records are tried at once; of more the status is `checking`."""
    chosen = NewBulkEdit(new.record_kind, tuple(new.ids), new.filter, new.q)
    return BulkEditOut.model_validate(await bulk.create_bulk_edit(tx, chosen, new.changes.read()))


@router.get(
    "/{bulk_edit_id}",
    operation_id="get_bulk_edit",
    summary="Read how a bulk edit stands",
    responses=problems(404),
)
async def get_bulk_edit(tx: ApiTx, bulk_edit_id: BulkEditId) -> BulkEditOut:
    return BulkEditOut.model_validate(await queries.get_bulk_edit(tx, bulk_edit_id))


@router.get(
    "/{bulk_edit_id}/records",
    operation_id="list_bulk_edit_records",
    summary="List what became of the records, or would",
    responses=problems(404),
)
async def list_bulk_edit_records(
    tx: ApiTx,
    bulk_edit_id: BulkEditId,
    verdict: RecordVerdict | None = None,
    after: Annotated[
        int, Query(ge=0, lt=2**31, description="The position of the last record of the page before.")
    ] = 0,
    limit: Limit = 25,
) -> list[EditedOut]:
    await queries.get_bulk_edit(tx, bulk_edit_id)
    verdicts = [verdict] if verdict else list(RecordVerdict)
    found = await queries.list_edited(tx, bulk_edit_id, verdicts, after=after, limit=limit)
    return [EditedOut.model_validate(one) for one in found]


@router.post(
    "/{bulk_edit_id}/run",
    operation_id="run_bulk_edit",
    summary="Change the records",
    status_code=202,
    responses=problems(404, 409),
)
async def run_bulk_edit(tx: ApiTx, bulk_edit_id: BulkEditId) -> BulkEditOut:
    """Up to 100 records are changed at once, more by a worker; `position` says how far it is."""
    return BulkEditOut.model_validate(await bulk.run(tx, bulk_edit_id))


@router.post(
    "/{bulk_edit_id}/cancellation",
    operation_id="cancel_bulk_edit",
    summary="Stop a bulk edit for good",
    status_code=202,
    responses=problems(404, 409),
)
async def cancel_bulk_edit(tx: ApiTx, bulk_edit_id: BulkEditId) -> BulkEditOut:
    """What it has changed stays until it is taken back."""
    return BulkEditOut.model_validate(await bulk.cancel(tx, bulk_edit_id))


@router.post(
    "/{bulk_edit_id}/undo",
    operation_id="undo_bulk_edit",
    summary="Give the records back what they held before",
    status_code=202,
    responses=problems(404, 409),
)
async def undo_bulk_edit(tx: ApiTx, bulk_edit_id: BulkEditId) -> BulkEditOut:
    """Records that somebody has changed since stay; `kept` counts them, and `/records` names them."""
    return BulkEditOut.model_validate(await bulk.undo(tx, bulk_edit_id))
