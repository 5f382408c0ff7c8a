"""Tags: words of the organization, and the records that they stand on."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, PageOut, Version, example
from api.lists import Wanted
from api.nouns import Noun
from api.related import RecordTagOut
from api.versions import IfMatch
from crm.records.models import RecordRef
from crm.records.queries import get_record
from crm.tags import actions as tags
from crm.tags import queries
from crm.tags.fields import TAGS
from crm.tags.models import MAX_NAME, TagEdit
from events.ids import RecordKind, TagId

router = Noun(tags=["tags"])
Name = Annotated[Line, Field(min_length=1, max_length=MAX_NAME, examples=["Fair 2026"])]
Tint = Annotated[int, Field(ge=0, le=7, description="One of eight colours of the pages.", examples=[3])]
RECORD = "/records/{record_kind}/{record_id}/tags"


class TagIn(In):
    model_config = example(name="Fair 2026")

    name: Name
    tint: Tint | None = Field(default=None, description="Chosen by the name when it is left out.")


class TagPatch(In):
    """New values for some fields: what is left out stays as it is."""

    model_config = example(version=1, name="Fair 2027")

    version: Version
    name: Name = Field(default_factory=str)
    tint: Tint = Field(default_factory=int)


class TagOut(Out):
    id: TagId
    name: str = Field(examples=["Fair 2026"])
    tint: int
    version: int


class TagLineOut(TagOut):
    records: int = Field(description="How many records it stands on.", examples=[12])


class MergeIn(In):
    model_config = example(into_id="01931b5e-7c00-7000-8000-000000000001")

    into_id: TagId = Field(description="The tag that stays.")


class TaggingIn(In):
    model_config = example(name="Fair 2026")

    name: Name


@router.get("/tags", operation_id="list_tags", summary="List tags, by name")
async def list_tags(tx: ApiTx, wanted: Wanted) -> PageOut[TagLineOut]:
    return PageOut[TagLineOut].of(await queries.list_tag_lines(tx, wanted.query(TAGS)))


@router.post(
    "/tags", operation_id="create_tag", summary="Make a tag", status_code=201, responses=problems(409, *BODY)
)
async def create_tag(tx: ApiTx, new: TagIn) -> TagOut:
    """Names are taken once, in capital or small letters."""
    return TagOut.model_validate(await tags.create_tag(tx, new.name, tint=new.tint))


@router.get("/tags/{tag_id}", operation_id="get_tag", summary="Read one tag", responses=problems(404))
async def get_tag(tx: ApiTx, tag_id: TagId) -> TagOut:
    return TagOut.model_validate(await queries.get_tag(tx, tag_id))


@router.patch(
    "/tags/{tag_id}",
    operation_id="update_tag",
    summary="Rename a tag or give it another colour",
    responses=problems(404, 409, 412, *BODY),
)
async def update_tag(tx: ApiTx, tag_id: TagId, patch: TagPatch) -> TagOut:
    edit = TagEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return TagOut.model_validate(await tags.update_tag(tx, tag_id, edit, version=patch.version))


@router.delete(
    "/tags/{tag_id}",
    operation_id="delete_tag",
    summary="Take a tag off every record and away",
    responses=problems(404, 409),
)
async def delete_tag(tx: ApiTx, tag_id: TagId, version: IfMatch) -> TagOut:
    """A tag that a segment or a saved view asks for is a conflict."""
    return TagOut.model_validate(await tags.delete_tag(tx, tag_id, version=version))


@router.post(
    "/tags/{tag_id}/merge",
    operation_id="merge_tag",
    summary="Put another tag wherever this one stands",
    responses=problems(404, *BODY),
)
async def merge_tag(tx: ApiTx, tag_id: TagId, merge: MergeIn) -> TagOut:
    """Answers with the tag that stays. Segments and saved views that asked for this one ask for that one."""
    return TagOut.model_validate(await tags.merge_tags(tx, tag_id, merge.into_id))


@router.get(
    RECORD, operation_id="list_record_tags", summary="List the tags of a record", responses=problems(404)
)
async def list_record_tags(tx: ApiTx, record_kind: RecordKind, record_id: UUID) -> list[RecordTagOut]:
    await get_record(tx, RecordRef(record_kind, record_id))
    return await _tags_of(tx, record_kind, record_id)


@router.post(
    RECORD,
    operation_id="tag_record",
    summary="Put a tag on a record",
    status_code=201,
    responses=problems(404, *BODY),
)
async def tag_record(
    tx: ApiTx, record_kind: RecordKind, record_id: UUID, tagging: TaggingIn
) -> list[RecordTagOut]:
    """The tag is made if there is none of this name; answers with all tags of the record."""
    await get_record(tx, RecordRef(record_kind, record_id), keep=True)
    tag = await tags.ensure_tag(tx, tagging.name)
    await tags.put_tag(tx, record_kind, record_id, tag.id)
    return await _tags_of(tx, record_kind, record_id)


@router.delete(
    RECORD + "/{tag_id}",
    operation_id="untag_record",
    summary="Take a tag off a record",
    responses=problems(404),
)
async def untag_record(
    tx: ApiTx, record_kind: RecordKind, record_id: UUID, tag_id: TagId
) -> list[RecordTagOut]:
    """Answers with the tags that stay; taking one off that is not there changes nothing."""
    await get_record(tx, RecordRef(record_kind, record_id))
    await tags.take_tag(tx, record_kind, record_id, tag_id)
    return await _tags_of(tx, record_kind, record_id)


async def _tags_of(tx: ApiTx, kind: RecordKind, record_id: UUID) -> list[RecordTagOut]:
    return [RecordTagOut.model_validate(one) for one in await queries.list_tags_of(tx, kind, [record_id])]
