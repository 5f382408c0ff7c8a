"""Contacts: the people, and the handles they are reached by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, JsonValue

from api.deps import ApiTx
from api.errors import BODY, problems
from api.fields import Custom, In, Line, Out, PageOut, Search, Text, Version, example
from api.lists import Include, Includes, Wanted
from api.nouns import Noun
from api.related import Links, OwnerOut, RecordTagOut, links_of, owners, tags_of
from api.versions import IfMatch
from core.db import Tx
from crm.companies.queries import list_companies_of
from crm.contacts import actions as contacts
from crm.contacts import queries
from crm.contacts.models import Contact, ContactEdit, HandleKind, NewContact
from events.ids import BidiId, CompanyId, ContactId, MemberId, RecordKind

router = Noun(prefix="/contacts", tags=["contacts"])
Name = Annotated[Line, Field(min_length=1)]
Title = Annotated[Line, Field(examples=["Head of operations"])]
Language = Annotated[str, Field(pattern="^[a-z]{2}$")]
TimeZone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+\-/]{1,64}$")]


class HandleIn(In):
    model_config = example(kind="email", value="vera@lind.example")

    kind: HandleKind = Field(examples=["email"])
    value: Annotated[Line, Field(min_length=1)]


class LabelledHandleIn(HandleIn):
    model_config = example(kind="email", value="vera@lind.example", label="office")

    label: Annotated[Line, Field(description="Which one it is.", examples=["office"])] = ""


class HandleOut(Out):
    id: UUID
    kind: HandleKind
    value: str
    label: str
    is_primary: bool = Field(description="Whether it is used before others of its kind.")


class ContactIn(In):
    model_config = example(
        name="Vera Lind",
        title="Head of operations",
        language="en",
        handles=[{"kind": "email", "value": "vera@lind.example"}],
    )

    name: Name
    title: Title = ""
    company_id: CompanyId | None = None
    language: Language = "en"
    time_zone: TimeZone | None = None
    note: Text = ""
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    custom: Custom = Field(default={})
    handles: list[HandleIn] = Field(default=[], max_length=20)


class ContactPatch(In):
    """New values for some fields: what is left out stays as it is, null empties what may be empty."""

    model_config = example(version=1, title="Head of operations")

    version: Version
    name: Name = Field(default_factory=str)
    title: Title = Field(default_factory=str)
    company_id: CompanyId | None = None
    language: Language = Field(default_factory=str)
    time_zone: TimeZone | None = None
    note: Text = Field(default_factory=str)
    owner_id: MemberId | None = None
    bidi_id: BidiId | None = None
    custom: Custom = Field(default={})


class CompanyOfContactOut(Out):
    id: CompanyId
    name: str = Field(examples=["Lind Logistics"])
    domain: str | None
    city: str
    country: str


class ContactOut(Out):
    id: ContactId
    name: str = Field(examples=["Vera Lind"])
    title: str
    company_id: CompanyId | None
    language: str
    time_zone: str | None
    note: str
    suppressed_at: datetime | None = Field(description="Set when this person asked not to be written to.")
    suppressed_reason: str | None
    telegram_consent: bool
    owner_id: MemberId | None
    bidi_id: BidiId | None
    custom: dict[str, JsonValue]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(description="Set while the contact is in the trash.")
    merged_into_id: ContactId | None = Field(description="The contact that this one was merged into.")
    version: int
    company: CompanyOfContactOut | None = Field(default=None, description="With `include=company`.")
    handles: list[HandleOut] = Field(default=[], description="With `include=handles`.")
    owner: OwnerOut | None = Field(default=None, description="With `include=owner`.")
    tags: list[RecordTagOut] = Field(default=[], description="With `include=tags`.")
    links: Links


async def _companies(tx: Tx, records: Sequence[Contact]) -> dict[UUID, CompanyOfContactOut]:
    ids = {record.company_id for record in records if record.company_id}
    found = {one.id: CompanyOfContactOut.model_validate(one) for one in await list_companies_of(tx, ids)}
    return {record.id: found[record.company_id] for record in records if record.company_id in found}


async def _handles(tx: Tx, records: Sequence[Contact]) -> dict[UUID, list[HandleOut]]:
    found: dict[UUID, list[HandleOut]] = {record.id: [] for record in records}
    for handle in await queries.list_handles_of(tx, [record.id for record in records]):
        found[handle.contact_id].append(HandleOut.model_validate(handle))
    return found


INCLUDES = Includes(
    {
        "company": _companies,
        "handles": _handles,
        "owner": owners,
        "tags": tags_of(RecordKind.CONTACT),
        "links": links_of(RecordKind.CONTACT),
    }
)


@router.get(
    "",
    operation_id="list_contacts",
    summary="List, filter or search contacts",
    response_model_exclude_unset=True,
)
async def list_contacts(
    tx: ApiTx, wanted: Wanted, q: Search = "", include: Include = ""
) -> PageOut[ContactOut]:
    """`q` is looked for in name, title, company and handles; `include` takes `company`, `handles`, `owner`, `tags` and `links`."""
    listing, query = await wanted.read(tx, RecordKind.CONTACT)
    page = await queries.list_contacts(tx, query, text=q, listing=listing)
    shown = PageOut[ContactOut].of(page)
    await INCLUDES.add(tx, include, shown.items, page.items)
    return shown


@router.post(
    "",
    operation_id="create_contact",
    summary="Add a contact",
    status_code=201,
    response_model_exclude_unset=True,
    responses=problems(409, *BODY),
)
async def create_contact(tx: ApiTx, new: ContactIn) -> ContactOut:
    """A handle belongs to one contact; one that somebody has already is a conflict."""
    handles = tuple((handle.kind.value, handle.value) for handle in new.handles)
    contact = await contacts.create_contact(
        tx, NewContact(**new.model_dump(exclude={"handles"}), handles=handles)
    )
    return ContactOut.model_validate(contact)


@router.get(
    "/{contact_id}",
    operation_id="get_contact",
    summary="Read one contact",
    responses=problems(404),
    response_model_exclude_unset=True,
)
async def get_contact(tx: ApiTx, contact_id: ContactId, include: Include = "") -> ContactOut:
    """`include` takes `company`, `handles`, `owner`, `tags` and `links`."""
    contact = await queries.get_contact(tx, contact_id)
    shown = ContactOut.model_validate(contact)
    await INCLUDES.add(tx, include, [shown], [contact])
    return shown


@router.patch(
    "/{contact_id}",
    operation_id="update_contact",
    summary="Change some fields of a contact",
    response_model_exclude_unset=True,
    responses=problems(404, 412, *BODY),
)
async def update_contact(tx: ApiTx, contact_id: ContactId, patch: ContactPatch) -> ContactOut:
    edit = ContactEdit(**patch.model_dump(exclude={"version"}, exclude_unset=True))
    return ContactOut.model_validate(
        await contacts.update_contact(tx, contact_id, edit, version=patch.version)
    )


@router.delete(
    "/{contact_id}",
    operation_id="delete_contact",
    summary="Put a contact into the trash",
    response_model_exclude_unset=True,
    responses=problems(404),
)
async def delete_contact(tx: ApiTx, contact_id: ContactId, version: IfMatch) -> ContactOut:
    """No list shows it; its conversations stay, and it can be restored."""
    return ContactOut.model_validate(await contacts.delete_contact(tx, contact_id, version=version))


@router.post(
    "/{contact_id}/restoration",
    operation_id="restore_contact",
    summary="Take a contact out of the trash",
    response_model_exclude_unset=True,
    responses=problems(404),
)
async def restore_contact(tx: ApiTx, contact_id: ContactId) -> ContactOut:
    """One that was merged into another contact is a conflict."""
    return ContactOut.model_validate(await contacts.restore_contact(tx, contact_id))


@router.get(
    "/{contact_id}/handles",
    operation_id="list_handles",
    summary="List the handles of a contact, the oldest first",
    responses=problems(404),
)
async def list_handles(tx: ApiTx, contact_id: ContactId) -> list[HandleOut]:
    await queries.get_contact(tx, contact_id)
    return [HandleOut.model_validate(handle) for handle in await queries.list_handles(tx, contact_id)]


@router.post(
    "/{contact_id}/handles",
    operation_id="add_handle",
    summary="Give a contact one more handle",
    status_code=201,
    responses=problems(404, 409, *BODY),
)
async def add_handle(tx: ApiTx, contact_id: ContactId, handle: LabelledHandleIn) -> list[HandleOut]:
    """Answers with all handles of the contact; giving one again that it has changes nothing."""
    await contacts.add_handle(tx, contact_id, handle.kind, handle.value, label=handle.label)
    return [HandleOut.model_validate(one) for one in await queries.list_handles(tx, contact_id)]


@router.delete(
    "/{contact_id}/handles/{handle_id}",
    operation_id="remove_handle",
    summary="Take a handle off a contact",
    responses=problems(404),
)
async def remove_handle(tx: ApiTx, contact_id: ContactId, handle_id: UUID) -> list[HandleOut]:
    """Answers with the handles that stay; taking one off that is not there changes nothing."""
    await contacts.remove_handle(tx, contact_id, handle_id)
    return [HandleOut.model_validate(one) for one in await queries.list_handles(tx, contact_id)]


@router.post(
    "/{contact_id}/handles/{handle_id}/preference",
    operation_id="prefer_handle",
    summary="Use a handle before others of its kind",
    responses=problems(404),
)
async def prefer_handle(tx: ApiTx, contact_id: ContactId, handle_id: UUID) -> list[HandleOut]:
    await contacts.prefer_handle(tx, contact_id, handle_id)
    return [HandleOut.model_validate(one) for one in await queries.list_handles(tx, contact_id)]
