"""Saved views: how a list is looked at, kept by name."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Cursor, In, Limit, Line, Out, PageOut, Version, example
from api.nouns import Noun
from api.versions import IfMatch
from crm.views import actions as views
from crm.views import queries
from crm.views.models import MAX_COLUMNS, Layout, NewView, ViewEdit
from events.ids import RecordKind, ViewId

router = Noun(prefix="/saved-views", tags=["saved views"])
_EXAMPLE: JsonValue = {"all": [{"field": "title", "op": "contains", "value": "director"}]}
Name = Annotated[Line, Field(min_length=1, examples=["Directors by change"])]
Filter = Annotated[
    dict[str, JsonValue],
    Field(description="A tree of conditions, as lists take it in `filter`.", examples=[_EXAMPLE]),
]
Sort = Annotated[Line, Field(description="As lists take it in `sort`.", examples=["-updated_at"])]
Columns = Annotated[
    list[Line],
    Field(
        max_length=MAX_COLUMNS,
        description="Fields to show; none stands for the usual ones.",
        examples=[["name", "title"]],
    ),
]
Position = Annotated[int, Field(ge=0, le=10_000, description="Its place among the views of its kind.")]


class ViewIn(In):
    model_config = example(record_kind="contact", name="Directors", filter=_EXAMPLE, sort="-updated_at")

    record_kind: RecordKind
    name: Name
    filter: Filter = Field(default={})
    sort: Sort = ""
    columns: Columns = Field(default=[])
    layout: Layout = Layout.TABLE
    is_shared: bool = Field(default=False, description="Whether colleagues see it too.")


class ViewPatch(In):
    """New values for some fields: what is left out stays as it is."""

    model_config = example(version=1, name="Directors")

    version: Version
    name: Name = Field(default_factory=str)
    filter: Filter = Field(default={})
    sort: Sort = Field(default_factory=str)
    columns: Columns = Field(default=[])
    layout: Layout = Layout.TABLE
    is_shared: bool = False
    position: Position = 0


class ViewOut(Out):
    id: ViewId
    record_kind: RecordKind
    name: str = Field(examples=["Directors"])
    filter: dict[str, JsonValue] = Field(examples=[_EXAMPLE])
    sort: str = Field(examples=["-updated_at"])
    columns: list[str]
    layout: Layout
    is_shared: bool
    position: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(description="Set while the view is removed; it can be restored.")
    version: int


@router.get("", operation_id="list_views", summary="List saved views in their order")
async def list_views(
    tx: ApiTx, record_kind: RecordKind | None = None, cursor: Cursor = None, limit: Limit = 25
) -> PageOut[ViewOut]:
    """The shared ones and one's own."""
    return PageOut[ViewOut].of(await queries.list_views(tx, record_kind, cursor=cursor, limit=limit))


@router.post(
    "",
    operation_id="create_view",
    summary="Save a view",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_view(tx: ApiTx, new: ViewIn) -> ViewOut:
    wanted = NewView(**new.model_dump(exclude={"columns"}), columns=tuple(new.columns))
    return ViewOut.model_validate(await views.create_view(tx, wanted))


@router.get("/{view_id}", operation_id="get_view", summary="Read one saved view", responses=problems(404))
async def get_view(tx: ApiTx, view_id: ViewId) -> ViewOut:
    return ViewOut.model_validate(await queries.get_view(tx, view_id))


@router.patch(
    "/{view_id}",
    operation_id="update_view",
    summary="Change a saved view",
    responses=problems(404, 412, *BODY),
)
async def update_view(tx: ApiTx, view_id: ViewId, patch: ViewPatch) -> ViewOut:
    edit = ViewEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return ViewOut.model_validate(await views.update_view(tx, view_id, edit, version=patch.version))


@router.delete(
    "/{view_id}", operation_id="delete_view", summary="Remove a saved view", responses=problems(404)
)
async def delete_view(tx: ApiTx, view_id: ViewId, version: IfMatch) -> ViewOut:
    """It can be restored."""
    return ViewOut.model_validate(await views.delete_view(tx, view_id, version=version))


@router.post(
    "/{view_id}/restoration",
    operation_id="restore_view",
    summary="Bring a removed view back",
    responses=problems(404),
)
async def restore_view(tx: ApiTx, view_id: ViewId) -> ViewOut:
    return ViewOut.model_validate(await views.restore_view(tx, view_id))
