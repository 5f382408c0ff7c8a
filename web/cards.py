"""The page of one record: its fields, where it stands, who belongs to it, talks and what is known about it."""

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
from crm.deals.models import Deal, Stakeholder
from crm.deals.queries import list_deals_of_company, list_deals_of_contact, list_stakeholders
from crm.facts.models import Fact
from crm.facts.queries import list_facts
from crm.leads.models import Lead
from crm.leads.queries import list_leads_of_company, list_leads_of_contact
from crm.pipelines.models import Action, Visit
from crm.pipelines.queries import list_stages, list_visits
from crm.tags.models import Tag
from crm.tags.queries import RecordTag, list_tags, list_tags_of
from events.ids import CompanyId, ContactId, RecordKind
from web.fields import Field, Opened, Record, load_fields
from web.moves import Step, steps_of


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
    leads: list[Lead] = field(default_factory=list)
    person: Contact | None = None
    company: Company | None = None
    steps: list[Step] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    stakeholders: list[Stakeholder] = field(default_factory=list)
    people: list[Contact] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    consents: dict[str, Consent] = field(default_factory=dict)
    consent_history: list[Consent] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.path}/{self.record.id}"

    @property
    def is_merged(self) -> bool:
        return getattr(self.record, "merged_into_id", None) is not None

    @property
    def next_step(self) -> Step | None:
        """The open stage that comes after the one in which the record stands."""
        here = next((at for at, step in enumerate(self.steps) if step.is_here and step.stage.is_open), None)
        later = self.steps[here + 1 :] if here is not None else []
        return next((step for step in later if step.stage.is_open), None)

    @property
    def may_become_deal(self) -> bool:
        """Whether a deal can be made of a lead now."""
        here = next((step.stage for step in self.steps if step.is_here), None)
        is_lead = isinstance(self.record, Lead) and not self.record.converted_at and not self.record.closed_at
        return is_lead and here is not None and here.allows(Action.CONVERT)

    @property
    def made_deal(self) -> Deal | None:
        """The deal that was made of a lead."""
        return next((deal for deal in self.deals if deal.lead_id == self.record.id), None)

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


async def load_card(tx: Tx, opened: Opened, id: UUID) -> Card:
    """Raises: NotFound."""
    sheet = opened.sheet
    record: Record = await sheet.get(tx, id)
    tags = await list_tags_of(tx, sheet.kind, [id])
    on_it = {tag.id for tag in tags}
    shared: dict[str, Any] = {
        "kind": sheet.kind,
        "path": sheet.path,
        "record": record,
        "fields": await load_fields(tx, opened, record),
        "tags": tags,
        "other_tags": [tag for tag in await list_tags(tx) if tag.id not in on_it],
        "winner": await _winner(tx, record),
        "facts": await _facts(tx, record.contact_id if isinstance(record, Lead) else id),
    }
    match record:
        case Contact():
            return Card(**shared, **await _about_contact(tx, record.id))
        case Company():
            return Card(**shared, **await _about_company(tx, record.id))
        case Deal():
            return Card(**shared, **await _about_deal(tx, record))
        case Lead():
            return Card(**shared, **await _about_lead(tx, record))


async def _facts(tx: Tx, id: UUID) -> list[Fact]:
    return [fact for fact in await list_facts(tx, id) if fact.subject_id == id and fact.text]


async def _about_company(tx: Tx, company_id: CompanyId) -> dict[str, Any]:
    return {
        "deals": await list_deals_of_company(tx, company_id),
        "leads": await list_leads_of_company(tx, company_id),
        "people": await list_contacts_of_company(tx, company_id),
    }


async def _about_deal(tx: Tx, deal: Deal) -> dict[str, Any]:
    person = await get_contact(tx, deal.contact_id) if deal.contact_id else None
    return {
        "deals": [],
        "person": person,
        "company": await get_company(tx, deal.company_id) if deal.company_id else None,
        "conversations": await list_conversations_of_contact(tx, person.id) if person else [],
        "stakeholders": await list_stakeholders(tx, deal.id),
        **await _stages(tx, RecordKind.DEAL, deal),
    }


async def _about_lead(tx: Tx, lead: Lead) -> dict[str, Any]:
    person = await get_contact(tx, lead.contact_id)
    return {
        "deals": await list_deals_of_contact(tx, person.id),
        "person": person,
        "company": await get_company(tx, person.company_id) if person.company_id else None,
        "conversations": await list_conversations_of_contact(tx, person.id),
        **await _stages(tx, RecordKind.LEAD, lead),
    }


async def _stages(tx: Tx, kind: RecordKind, record: Deal | Lead) -> dict[str, Any]:
    return {
        "steps": steps_of(await list_stages(tx, record.pipeline_id), record.stage_id),
        "visits": await list_visits(tx, kind, record.id),
    }


async def _about_contact(tx: Tx, contact_id: ContactId) -> dict[str, Any]:
    return {
        "deals": await list_deals_of_contact(tx, contact_id),
        "leads": await list_leads_of_contact(tx, contact_id),
        "handles": await list_handles(tx, contact_id),
        "consents": {one.channel: one for one in await list_consents(tx, contact_id)},
        "consent_history": await list_consent_history(tx, contact_id),
        "conversations": await list_conversations_of_contact(tx, contact_id),
    }


async def _winner(tx: Tx, record: Record) -> tuple[UUID, str] | None:
    """The record that this one was merged into, when the reader may see it."""
    if not isinstance(record, Contact | Company) or record.merged_into_id is None:
        return None
    try:
        if isinstance(record, Contact):
            winner: Contact | Company = await get_contact(tx, ContactId(record.merged_into_id))
        else:
            winner = await get_company(tx, CompanyId(record.merged_into_id))
    except NotFound:
        return None
    return winner.id, winner.name
