"""Segments: filters over one kind of record, kept by name and counted when asked for."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, Version, example
from api.nouns import Noun
from api.versions import IfMatch
from crm.segments import actions as segments
from crm.segments import queries
from crm.segments.models import NewSegment, SegmentEdit
from events.ids import RecordKind, SegmentId

router = Noun(prefix="/segments", tags=["segments"])
_EXAMPLE: JsonValue = {"all": [{"field": "title", "op": "contains", "value": "director"}]}
Name = Annotated[Line, Field(min_length=1, examples=["Directors"])]
Filter = Annotated[
    dict[str, JsonValue],
    Field(description="A tree of conditions, as lists take it in `filter`.", examples=[_EXAMPLE]),
]


class SegmentIn(In):
    model_config = example(record_kind="contact", name="Directors", filter=_EXAMPLE)

    record_kind: RecordKind
    name: Name
    filter: Filter


class SegmentPatch(In):
    """New values for some fields: what is left out stays as it is."""

    model_config = example(version=1, name="Directors")

    version: Version
    name: Name = Field(default_factory=str)
    filter: Filter = Field(default={})


class SegmentOut(Out):
    id: SegmentId
    record_kind: RecordKind
    name: str = Field(examples=["Directors"])
    filter: dict[str, JsonValue] = Field(examples=[_EXAMPLE])
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(description="Set while the segment is removed; it can be restored.")
    version: int


class CountOut(Out):
    count: int = Field(description="How many records are in it now.", examples=[12])


@router.get("", operation_id="list_segments", summary="List segments, the newest first")
async def list_segments(
    tx: ApiTx, record_kind: RecordKind | None = None, cursor: Cursor = None, limit: Limit = 25
) -> PageOut[SegmentOut]:
    return PageOut[SegmentOut].of(await queries.list_segments(tx, record_kind, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_segment",
    summary="Keep a filter as a segment",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_segment(tx: ApiTx, new: SegmentIn) -> SegmentOut:
    """Names are taken once for each kind of record."""
    return SegmentOut.model_validate(await segments.create_segment(tx, NewSegment(**new.model_dump())))


@router.get("/{segment_id}", operation_id="get_segment", summary="Read one segment", responses=problems(404))
async def get_segment(tx: ApiTx, segment_id: SegmentId) -> SegmentOut:
    return SegmentOut.model_validate(await queries.get_segment(tx, segment_id))


@router.get(
    "/{segment_id}/count",
    operation_id="count_segment",
    summary="Count who is in a segment now",
    responses=problems(404),
)
async def count_segment(tx: ApiTx, segment_id: SegmentId) -> CountOut:
    """A filter over a field that was archived is refused; the answer names the field."""
    segment = await queries.get_segment(tx, segment_id)
    return CountOut(count=await queries.count_segment(tx, segment))


@router.patch(
    "/{segment_id}",
    operation_id="update_segment",
    summary="Rename a segment or change its filter",
    responses=problems(404, 409, 412, *BODY),
)
async def update_segment(tx: ApiTx, segment_id: SegmentId, patch: SegmentPatch) -> SegmentOut:
    edit = SegmentEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return SegmentOut.model_validate(
        await segments.update_segment(tx, segment_id, edit, version=patch.version)
    )


@router.delete(
    "/{segment_id}", operation_id="delete_segment", summary="Remove a segment", responses=problems(404)
)
async def delete_segment(tx: ApiTx, segment_id: SegmentId, version: IfMatch) -> SegmentOut:
    """It can be restored."""
    return SegmentOut.model_validate(await segments.delete_segment(tx, segment_id, version=version))


@router.post(
    "/{segment_id}/restoration",
    operation_id="restore_segment",
    summary="Bring a removed segment back",
    responses=problems(404, 409),
)
async def restore_segment(tx: ApiTx, segment_id: SegmentId) -> SegmentOut:
    return SegmentOut.model_validate(await segments.restore_segment(tx, segment_id))
