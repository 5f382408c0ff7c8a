"""Custom fields: what the organization adds to its contacts, companies and deals."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import In, Line, Out, PageOut, Version, example
from api.lists import Wanted
from api.nouns import Noun
from core.filters import ValueKind
from crm.custom_fields import actions as custom_fields
from crm.custom_fields import queries
from crm.custom_fields.fields import FIELDS
from crm.custom_fields.models import MAX_CHOICES, MAX_FIELDS, Choice, CustomFieldEdit, NewCustomField
from events.ids import CustomFieldId, RecordKind

router = Noun(prefix="/custom-fields", tags=["custom fields"])
Label = Annotated[Line, Field(min_length=1, examples=["Fleet size"])]
Key = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9_]{0,62}$",
        description="How `custom`, filters and files spell it; it never changes. Made of the label when left out.",
        examples=["fleet_size"],
    ),
]
Currency = Annotated[
    str,
    Field(
        pattern="^[A-Z]{3}$",
        description="What the amounts of a money field are in; without one, any.",
        examples=["EUR"],
    ),
]
Required = Annotated[
    bool,
    Field(description="Whether a record that is made by hand, by the API or by an agent needs a value."),
]


class ChoiceIn(In):
    """`key` is what records hold and never changes; `label` is what people read."""

    model_config = example(key="large", label="Large")

    key: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00]+$", examples=["large"])]
    label: Annotated[Line, Field(min_length=1, examples=["Large"])]


class ChoiceOut(Out):
    key: str = Field(examples=["large"])
    label: str = Field(examples=["Large"])


Choices = Annotated[list[ChoiceIn], Field(max_length=MAX_CHOICES)]


class CustomFieldIn(In):
    model_config = example(record_kind="company", label="Fleet size", kind="number")

    record_kind: RecordKind = Field(description="contact, company or deal.", examples=["company"])
    label: Label
    kind: ValueKind = Field(description="Any but moment; it never changes.", examples=["number"])
    key: Key | None = None
    choices: Choices = Field(default=[], description="For choice and choices.")
    target_kind: RecordKind | None = Field(
        default=None, description="For record: what it leads to.", examples=[None]
    )
    currency: Currency | None = None
    is_required: Required = False


class CustomFieldPatch(In):
    """New values for some fields: what is left out stays as it is."""

    model_config = example(version=1, label="Vehicles")

    version: Version
    label: Label = Field(default_factory=str)
    choices: Choices = Field(default=[], description="All of them, in their order.")
    currency: Currency = Field(default_factory=str)
    is_required: Required = False
    position: Annotated[int, Field(ge=1, le=MAX_FIELDS)] = Field(default_factory=int)


class CustomFieldOut(Out):
    id: CustomFieldId
    record_kind: RecordKind
    key: str = Field(examples=["fleet_size"])
    label: str = Field(examples=["Fleet size"])
    kind: ValueKind
    choices: list[ChoiceOut]
    target_kind: RecordKind | None
    currency: str | None
    is_required: bool
    position: int
    archived_at: datetime | None = Field(description="Set while it is out of use; its values stay.")
    version: int


@router.get("", operation_id="list_custom_fields", summary="List custom fields, archived ones too")
async def list_custom_fields(tx: ApiTx, wanted: Wanted) -> PageOut[CustomFieldOut]:
    """In the order of forms. Filter by `record_kind`, or by `is_archived` for those in use."""
    return PageOut[CustomFieldOut].of(await queries.list_field_lines(tx, wanted.query(FIELDS)))


@router.post(
    "",
    operation_id="create_custom_field",
    summary="Add a field to one kind of record",
    status_code=201,
    responses=problems(409, *BODY),
)
async def create_custom_field(tx: ApiTx, new: CustomFieldIn) -> CustomFieldOut:
    """Keys are taken once for each kind of record, by archived fields too."""
    wanted = new.model_dump(exclude={"choices", "key"})
    choices = tuple(Choice(one.key, one.label) for one in new.choices)
    made = await custom_fields.create_custom_field(
        tx, NewCustomField(**wanted, key=new.key or "", choices=choices)
    )
    return CustomFieldOut.model_validate(made)


@router.get(
    "/{custom_field_id}",
    operation_id="get_custom_field",
    summary="Read one custom field",
    responses=problems(404),
)
async def get_custom_field(tx: ApiTx, custom_field_id: CustomFieldId) -> CustomFieldOut:
    return CustomFieldOut.model_validate(await queries.get_custom_field(tx, custom_field_id))


@router.patch(
    "/{custom_field_id}",
    operation_id="update_custom_field",
    summary="Rename a custom field, change its choices, currency or place",
    responses=problems(404, 409, 412, *BODY),
)
async def update_custom_field(
    tx: ApiTx, custom_field_id: CustomFieldId, patch: CustomFieldPatch
) -> CustomFieldOut:
    """A choice that is left out stays in the records that hold it, and is shown by its key."""
    given = patch.model_dump(exclude={"version", "choices"}, exclude_unset=True)
    if "choices" in patch.model_fields_set:
        given["choices"] = tuple(Choice(one.key, one.label) for one in patch.choices)
    changed = await custom_fields.update_custom_field(
        tx, custom_field_id, CustomFieldEdit(**given), version=patch.version
    )
    return CustomFieldOut.model_validate(changed)


@router.post(
    "/{custom_field_id}/archival",
    operation_id="archive_custom_field",
    summary="Take a custom field out of use",
    responses=problems(404),
)
async def archive_custom_field(tx: ApiTx, custom_field_id: CustomFieldId) -> CustomFieldOut:
    """Its values stay, and come back with it."""
    return CustomFieldOut.model_validate(await custom_fields.archive_custom_field(tx, custom_field_id))


@router.post(
    "/{custom_field_id}/restoration",
    operation_id="restore_custom_field",
    summary="Take a custom field into use again",
    responses=problems(404),
)
async def restore_custom_field(tx: ApiTx, custom_field_id: CustomFieldId) -> CustomFieldOut:
    return CustomFieldOut.model_validate(await custom_fields.restore_custom_field(tx, custom_field_id))
