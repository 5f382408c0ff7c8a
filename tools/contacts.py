"""Tools over contacts. A contact's name and title may be what the person calls themselves: untrusted text."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from core.sql import ListQuery
from core.trust import Trust
from crm.contacts import actions as contacts
from crm.contacts import queries
from crm.contacts.models import Contact, ContactEdit
from events.ids import CompanyId, ContactId
from tools.base import Arguments, Impact, Risk, Source, ToolContext, tool


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
    contact = await queries.get_contact(ctx.tx, ContactId(args.contact_id))
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


class UpdateContact(Arguments):
    contact_id: UUID
    note: str | None = Field(None, max_length=4000, description="Replaces the note; say in it what is new.")
    language: str | None = Field(None, pattern=r"^[a-z]{2}$", description="Two letters, as in en or ru.")
    title: str | None = Field(None, max_length=200)


def _impact(args: UpdateContact) -> Impact:
    return Impact.LOW if args.language is None and args.title is None else Impact.ORDINARY


@tool(scope="contacts:write", risk=Risk.WRITE, impact=_impact, returns_untrusted=True)
async def update_contact(ctx: ToolContext, args: UpdateContact) -> ContactCard:
    """Change the note, language or title of a contact; what is left out stays as it is."""
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
