"""Tools over records of any kind: everything about one of them, and the tags on it."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from pydantic import Field, JsonValue

from core.db import Tx
from core.errors import Conflict
from core.pagination import Page
from core.trust import Trust
from crm.companies.queries import list_companies
from crm.contacts.queries import list_contacts
from crm.deals.queries import list_deals
from crm.leads.queries import list_leads
from crm.records.models import RecordRef
from crm.records.queries import get_record as find_record
from crm.records.queries import require_record
from crm.tags import actions as tags
from crm.tags.models import MAX_NAME
from crm.tags.queries import list_tags, list_tags_of
from events.ids import RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool
from tools.listing import only
from tools.wire import to_json


@dataclass(frozen=True)
class RecordView:
    """Every field of a record, its custom values by key under `custom`, and its tags."""

    kind: RecordKind
    fields: JsonValue
    tags: list[str]
    source: Source


class GetRecord(Arguments):
    record_kind: RecordKind
    record_id: UUID


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def get_record(ctx: ToolContext, args: GetRecord) -> RecordView:
    """Every field of a contact, company, lead or deal with its custom fields, its tags and who works it."""
    record = RecordRef(args.record_kind, args.record_id)
    known = await find_record(ctx.tx, record)
    found = (await _list(ctx.tx, record)).items
    if not found:
        raise Conflict(f"{known.name} is in the trash; a person has to restore it first.")
    named = await list_tags_of(ctx.tx, record.kind, [record.id])
    source = Source(record.kind.value, record.id, Trust.UNTRUSTED)
    return RecordView(record.kind, to_json(asdict(found[0])), [tag.name for tag in named], source)


async def _list(tx: Tx, record: RecordRef) -> Page[Any]:
    listing, query = await only(tx, record)
    match record.kind:
        case RecordKind.CONTACT:
            return await list_contacts(tx, query, listing=listing)
        case RecordKind.COMPANY:
            return await list_companies(tx, query, listing=listing)
        case RecordKind.LEAD:
            return await list_leads(tx, query, listing=listing)
        case RecordKind.DEAL:
            return await list_deals(tx, query, listing=listing)


@dataclass(frozen=True)
class TagsOfRecord:
    name: str
    tags: list[str]
    source: Source


class TagRecord(Arguments):
    record_kind: RecordKind
    record_id: UUID
    add: list[str] = Field(
        default_factory=list,
        max_length=20,
        description=f"Names of at most {MAX_NAME} characters; a tag is made if there is none of this name.",
    )
    remove: list[str] = Field(default_factory=list, max_length=20, description="Names of tags to take off.")


@tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.LOW, returns_untrusted=True)
async def tag_record(ctx: ToolContext, args: TagRecord) -> TagsOfRecord:
    """Put tags on a contact, company, lead or deal, and take others off."""
    record = RecordRef(args.record_kind, args.record_id)
    await find_record(ctx.tx, record)
    found = await require_record(ctx.tx, record)
    for name in args.add:
        tag = await tags.ensure_tag(ctx.tx, name)
        await tags.put_tag(ctx.tx, record.kind, record.id, tag.id)
    known = {tag.name.lower(): tag.id for tag in await list_tags(ctx.tx)}
    for name in args.remove:
        if name.lower() in known:
            await tags.take_tag(ctx.tx, record.kind, record.id, known[name.lower()])
    named = await list_tags_of(ctx.tx, record.kind, [record.id])
    source = Source(record.kind.value, record.id, Trust.UNTRUSTED)
    return TagsOfRecord(found.name, [tag.name for tag in named], source)
