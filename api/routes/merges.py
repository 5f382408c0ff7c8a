"""Duplicates: pairs that may be one person or one company, merging two records, and taking a merge back."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Out, PageOut, example
from api.nouns import Noun
from crm.merges import actions as merges
from crm.merges import duplicates, queries
from crm.merges.models import Merge, MergeId, Side
from events.ids import RecordKind

router = Noun(tags=["duplicates"])
_ID = "0199b7a6-0000-7000-8000-000000000001"
_OTHER = "0199b7a6-0000-7000-8000-000000000002"
Kind = Annotated[
    Literal["contact", "company"], Field(description="Which kind both records are of.", examples=["contact"])
]


class LikenessOut(Out):
    field: str = Field(examples=["surname"])
    level: str = Field(description="How alike the two are in it.", examples=["alias"])
    bits: float = Field(
        description="How much that speaks for their being one; below 0 against it.", examples=[9.3]
    )


class DuplicateOut(Out):
    id: UUID
    record_kind: RecordKind = Field(description="`contact` or `company`: what both are.")
    record_id: UUID
    other_id: UUID
    name: str = Field(examples=["Сергей Щербаков"])
    other_name: str = Field(examples=["Sergei Shcherbakov"])
    score: float = Field(description="The probability that the two are one.", ge=0, le=1, examples=[0.98])
    reason: str = Field(description="What found the pair; `alike` is the comparison of all fields.")
    evidence: str = Field(description="What both have in common, where one thing says it.")
    why: list[LikenessOut] = Field(description="What each field says, the strongest first.")


class DismissedOut(Out):
    id: UUID


class PairIn(In):
    model_config = example(record_kind="contact", kept_id=_ID, merged_id=_OTHER)

    record_kind: Kind
    kept_id: UUID = Field(description="The record that stays.")
    merged_id: UUID = Field(description="The record that is put away.")


class MergedIn(PairIn):
    model_config = example(record_kind="contact", kept_id=_ID, merged_id=_OTHER, sides={"title": "merged"})

    sides: dict[str, Side] = Field(
        default_factory=dict,
        max_length=200,
        description="For fields (custom ones as `custom.KEY`) whose value stays. Others keep the kept record's,"
        " where it has any.",
    )


class FieldChoiceOut(Out):
    field: str = Field(examples=["title"])
    kept: str
    merged: str
    side: Side = Field(description="Whose value stays unless `sides` says otherwise.")


class PreviewOut(Out):
    record_kind: RecordKind
    kept_id: UUID
    merged_id: UUID
    kept_name: str
    merged_name: str
    fields: list[FieldChoiceOut]
    moves: dict[str, int] = Field(
        description="How many rows would come to the kept record, by table and column.",
        examples=[{"contact_handles.contact_id": 2}],
    )


class MergeOut(Out):
    id: MergeId
    record_kind: RecordKind
    kept_id: UUID
    merged_id: UUID
    kept_name: str
    merged_name: str
    merged_by: UUID
    merged_at: datetime
    undone_at: datetime | None = Field(description="When it was taken back, if it was.")


class LeftAloneOut(Out):
    table: str = Field(examples=["contacts"])
    column: str = Field(examples=["title"])


class UndoneOut(MergeOut):
    left_alone: list[LeftAloneOut] = Field(
        description="What somebody changed since the merge; it stays as they left it."
    )


@router.get(
    "/duplicates", operation_id="list_duplicates", summary="List pairs that may be one person or company"
)
async def list_duplicates(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[DuplicateOut]:
    return PageOut[DuplicateOut].of(await duplicates.list_duplicates(tx, cursor=cursor, limit=limit))


@router.post(
    "/duplicates/{match_id}/dismissal",
    operation_id="dismiss_duplicate",
    summary="Say that two records are not one",
    responses=problems(404),
)
async def dismiss_duplicate(tx: ApiTx, match_id: UUID) -> DismissedOut:
    await duplicates.dismiss_duplicate(tx, match_id)
    return DismissedOut(id=match_id)


@router.post(
    "/merge-previews",
    operation_id="preview_merge",
    summary="Show what a merge would do, without doing it",
    responses=problems(404, 409, *BODY),
)
async def preview_merge(tx: ApiTx, body: PairIn) -> PreviewOut:
    kind = RecordKind(body.record_kind)
    return PreviewOut.model_validate(await queries.preview_merge(tx, kind, body.kept_id, body.merged_id))


@router.get("/merges", operation_id="list_merges", summary="List merges, the newest first")
async def list_merges(tx: ApiTx, cursor: Cursor = None, limit: Limit = 25) -> PageOut[MergeOut]:
    return PageOut[MergeOut].of(await queries.list_merges(tx, cursor=cursor, limit=limit))


@router.post(
    "/merges",
    operation_id="create_merge",
    summary="Merge two records into one",
    status_code=201,
    responses=problems(404, 409, *BODY),
)
async def create_merge(tx: ApiTx, body: MergedIn) -> MergeOut:
    kind = RecordKind(body.record_kind)
    merge = await merges.merge_records(tx, kind, body.kept_id, body.merged_id, sides=body.sides)
    return MergeOut.model_validate(merge)


@router.get("/merges/{merge_id}", operation_id="get_merge", summary="Get one merge", responses=problems(404))
async def get_merge(tx: ApiTx, merge_id: MergeId) -> MergeOut:
    return MergeOut.model_validate(await queries.get_merge(tx, merge_id))


@router.post(
    "/merges/{merge_id}/undoing",
    operation_id="undo_merge",
    summary="Take a merge back",
    responses=problems(404, 409),
)
async def undo_merge(tx: ApiTx, merge_id: MergeId) -> UndoneOut:
    undone = await merges.undo_merge(tx, merge_id)
    left = [LeftAloneOut(table=table, column=column) for table, column in undone.left_alone]
    return UndoneOut(**_shown(undone.merge), left_alone=left)


def _shown(merge: Merge) -> dict[str, object]:
    return MergeOut.model_validate(merge).model_dump()
