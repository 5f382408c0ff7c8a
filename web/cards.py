"""The page of one record: its fields, addresses, consents, talks, deals, people and what is known about it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.db import Tx
from core.errors import NotFound
from crm.companies.models import Company
from crm.companies.queries import get_company
from crm.contacts.models import Consent, Contact, Handle
from crm.contacts.queries import (
    get_contact,
    list_consent_history,
    list_consents,
    list_contacts_of_company,
    list_handles,
)
from crm.conversations.models import Conversation
from crm.conversations.queries import list_conversations_of_contact
from crm.deals.models import Deal
from crm.deals.queries import list_deals_of_company, list_deals_of_contact
from crm.facts.models import Fact
from crm.facts.queries import list_facts
from crm.tags.models import Tag
from crm.tags.queries import RecordTag, list_tags, list_tags_of
from events.ids import CompanyId, ContactId, RecordKind
from web.fields import Field, Opened, load_fields


@dataclass(frozen=True)
class Card:
    """Everything that the page of a record shows; a part that its kind does not have is empty."""

    kind: RecordKind
    path: str
    record: Any
    fields: list[Field]
    tags: list[RecordTag]
    other_tags: list[Tag]
    winner: tuple[UUID, str] | None
    facts: list[Fact]
    deals: list[Deal]
    people: list[Contact] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    consents: dict[str, Consent] = field(default_factory=dict)
    consent_history: list[Consent] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.path}/{self.record.id}"

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


async def load_card(tx: Tx, opened: Opened, id: UUID) -> Card:
    """Raises: NotFound."""
    sheet = opened.sheet
    record = await sheet.get(tx, id)
    tags = await list_tags_of(tx, sheet.kind, [id])
    on_it = {tag.id for tag in tags}
    shared = {
        "kind": sheet.kind,
        "path": sheet.path,
        "record": record,
        "fields": await load_fields(tx, opened, record),
        "tags": tags,
        "other_tags": [tag for tag in await list_tags(tx) if tag.id not in on_it],
        "winner": await _winner(tx, record),
        "facts": [fact for fact in await list_facts(tx, id) if fact.subject_id == id and fact.text],
    }
    if isinstance(record, Contact):
        return Card(**shared, **await _about_contact(tx, record.id))
    company_id = CompanyId(id)
    return Card(
        **shared,
        deals=await list_deals_of_company(tx, company_id),
        people=await list_contacts_of_company(tx, company_id),
    )


async def _about_contact(tx: Tx, contact_id: ContactId) -> dict[str, Any]:
    return {
        "deals": await list_deals_of_contact(tx, contact_id),
        "handles": await list_handles(tx, contact_id),
        "consents": {one.channel: one for one in await list_consents(tx, contact_id)},
        "consent_history": await list_consent_history(tx, contact_id),
        "conversations": await list_conversations_of_contact(tx, contact_id),
    }


async def _winner(tx: Tx, record: Contact | Company) -> tuple[UUID, str] | None:
    """The record that this one was merged into, when the reader may see it."""
    if record.merged_into_id is None:
        return None
    try:
        if isinstance(record, Contact):
            winner: Contact | Company = await get_contact(tx, ContactId(record.merged_into_id))
        else:
            winner = await get_company(tx, CompanyId(record.merged_into_id))
    except NotFound:
        return None
    return winner.id, winner.name
