"""Tools over contacts. A contact's name and title may be what the person calls themselves: untrusted text."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field, JsonValue

from core.sql import ListQuery
from core.trust import Trust
from crm.contacts import actions as contacts
from crm.contacts import queries
from crm.contacts.models import Contact, ContactEdit, HandleKind, NewContact
from events.ids import CompanyId, ContactId, RecordKind
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool
from tools.listing import ListRecords, read_query


@dataclass(frozen=True)
class ContactCard:
    id: ContactId
    name: str
    title: str
    company_id: CompanyId | None
    language: str
    time_zone: str | None
    note: str
    is_suppressed: bool
    source: Source


@dataclass(frozen=True)
class HandleView:
    kind: str
    value: str


@dataclass(frozen=True)
class ContactDetails:
    contact: ContactCard
    handles: list[HandleView]


@dataclass(frozen=True)
class ContactList:
    contacts: list[ContactCard]
    next_cursor: str | None


class GetContact(Arguments):
    contact_id: UUID


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def get_contact(ctx: ToolContext, args: GetContact) -> ContactDetails:
    """One contact with title, company, language, note and the addresses that lead to them."""
    return await _details(ctx, ContactId(args.contact_id))


async def _details(ctx: ToolContext, contact_id: ContactId) -> ContactDetails:
    contact = await queries.get_contact(ctx.tx, contact_id)
    handles = await queries.list_handles(ctx.tx, contact.id)
    return ContactDetails(_card(contact), [HandleView(handle.kind, handle.value) for handle in handles])


class FindContacts(Arguments):
    text: str = Field(min_length=1, max_length=200, description="Part of a name, title, company or address.")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before.")


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def find_contacts(ctx: ToolContext, args: FindContacts) -> ContactList:
    """Contacts whose name, title, company or address contains the text; at most 10 at a time."""
    page = await queries.list_contacts(ctx.tx, ListQuery(cursor=args.cursor, limit=10), text=args.text)
    return ContactList([_card(contact) for contact in page.items], page.next_cursor)


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def list_contacts(ctx: ToolContext, args: ListRecords) -> ContactList:
    """Contacts that a filter keeps, in order; at most 10 at a time. Fields: name, title, company, email, tags ..."""
    listing, query = await read_query(ctx.tx, RecordKind.CONTACT, args)
    page = await queries.list_contacts(ctx.tx, query, listing=listing)
    return ContactList([_card(contact) for contact in page.items], page.next_cursor)


class HandleArgument(Arguments):
    kind: HandleKind
    value: str = Field(min_length=1, max_length=200)


class CreateContact(Arguments):
    name: str = Field(min_length=1, max_length=200)
    title: str = Field("", max_length=200, description="What the person does at their company.")
    company_id: UUID | None = None
    language: str = Field("en", pattern=r"^[a-z]{2}$", description="Two letters, as in en or ru.")
    note: str = Field("", max_length=4000)
    handles: list[HandleArgument] = Field(default_factory=list, max_length=10)
    custom: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=100, description="Values of custom fields by their keys."
    )


def _impact_of_new(args: CreateContact) -> Impact:
    return Impact.SENSITIVE if args.handles else Impact.ORDINARY


@tool(scope="contacts:write", risk=Risk.WRITE, impact=_impact_of_new, returns_untrusted=True)
async def create_contact(ctx: ToolContext, args: CreateContact) -> ContactCard:
    """Add a person whom find_contacts does not find. An address that belongs to somebody else is refused."""
    new = NewContact(
        name=args.name,
        title=args.title,
        company_id=None if args.company_id is None else CompanyId(args.company_id),
        language=args.language,
        note=args.note,
        handles=tuple((handle.kind.value, handle.value) for handle in args.handles),
        custom=args.custom,
    )
    return _card(await contacts.create_contact(ctx.tx, new))


class AddHandle(Arguments):
    contact_id: UUID
    kind: HandleKind
    value: str = Field(min_length=1, max_length=200)
    label: str = Field("", max_length=60, description="Which one it is, as in office.")


@tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.SENSITIVE, returns_untrusted=True)
async def add_handle(ctx: ToolContext, args: AddHandle) -> ContactDetails:
    """Give a contact one more address or number."""
    contact_id = ContactId(args.contact_id)
    await contacts.add_handle(ctx.tx, contact_id, args.kind.value, args.value, label=args.label)
    return await _details(ctx, contact_id)


class UpdateContact(Arguments):
    contact_id: UUID
    name: str | None = Field(None, min_length=1, max_length=200)
    company_id: UUID | None = Field(None, description="Where the person works.")
    note: str | None = Field(None, max_length=4000, description="Replaces the note; say in it what is new.")
    language: str | None = Field(None, pattern=r"^[a-z]{2}$", description="Two letters, as in en or ru.")
    title: str | None = Field(None, max_length=200)
    custom: dict[str, JsonValue] | None = Field(
        None, max_length=100, description="New values of custom fields by their keys; null empties one."
    )


def _impact(args: UpdateContact) -> Impact:
    given = args.model_dump(exclude={"contact_id", "note"}, exclude_none=True)
    return Impact.ORDINARY if given else Impact.LOW


@tool(scope="contacts:write", risk=Risk.WRITE, impact=_impact, returns_untrusted=True)
async def update_contact(ctx: ToolContext, args: UpdateContact) -> ContactCard:
    """Change fields of a contact; what is left out stays as it is."""
    contact = await queries.get_contact(ctx.tx, ContactId(args.contact_id), lock=True)
    edit = ContactEdit(**args.model_dump(exclude={"contact_id"}, exclude_none=True))
    return _card(await contacts.update_contact(ctx.tx, contact.id, edit, version=contact.version))


class SuppressContact(Arguments):
    contact_id: UUID
    reason: str = Field(min_length=1, max_length=300, description="What the person wrote, in a few words.")


@tool(scope="contacts:write", risk=Risk.WRITE, impact=Impact.SENSITIVE, returns_untrusted=True)
async def suppress_contact(ctx: ToolContext, args: SuppressContact) -> ContactCard:
    """Stop all messages to a contact who asked not to be written to."""
    return _card(await contacts.suppress_contact(ctx.tx, ContactId(args.contact_id), args.reason))


def _card(contact: Contact) -> ContactCard:
    return ContactCard(
        id=contact.id,
        name=contact.name,
        title=contact.title,
        company_id=contact.company_id,
        language=contact.language,
        time_zone=contact.time_zone,
        note=contact.note,
        is_suppressed=contact.is_suppressed,
        source=Source("contact", contact.id, Trust.UNTRUSTED),
    )
