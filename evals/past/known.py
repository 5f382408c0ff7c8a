"""What a team knew at some time of a contact, told from rows that say since when they hold."""

from datetime import datetime
from uuid import UUID

from core.db import Tx
from crm.companies.queries import get_company
from crm.contacts.queries import get_contact
from crm.deals.models import Deal
from crm.evaluations.decisions import list_deals_at
from crm.facts.models import Fact
from crm.facts.queries import list_facts
from crm.notes.queries import list_notes
from crm.records.models import RecordRef
from crm.tasks.queries import list_record_tasks
from evals.past.moments import Known
from evals.scene import About, DealAtHand, Paper, Person, Statement
from events.ids import ContactId, RecordKind
from memory.knowledge import list_papers_at


async def person_of(tx: Tx, contact_id: ContactId) -> Person:
    """The contact by name, title and company. Handles stay where they are: no address or number goes into a case."""
    contact = await get_contact(tx, contact_id)
    company = await get_company(tx, contact.company_id) if contact.company_id else None
    return Person(
        name=contact.name,
        title=contact.title,
        company=company.name if company else "",
        language="ru" if contact.language == "ru" else "en",
    )


async def known_at(tx: Tx, contact_id: ContactId, at: datetime) -> Known:
    """Facts, deals, notes, tasks and documents as they stood; what was written or learned later is not among them."""
    contact = await get_contact(tx, contact_id)
    record = RecordRef(RecordKind.CONTACT, contact_id)
    facts = [_statement(fact, "contact") for fact in await _facts(tx, UUID(str(contact_id)), at)]
    if contact.company_id is not None:
        facts += [_statement(fact, "company") for fact in await _facts(tx, UUID(str(contact.company_id)), at)]
    notes = [note.body for note in (await list_notes(tx, record)).items if note.created_at <= at]
    tasks = [
        task.title
        for task in await list_record_tasks(tx, record)
        if task.created_at <= at and (task.done_at is None or task.done_at > at)
    ]
    papers = [
        Paper(name=paper.name, text=paper.text, is_publishable=paper.is_publishable)
        for paper in await list_papers_at(tx, at)
    ]
    deals = [_deal(deal) for deal in await list_deals_at(tx, contact_id, at)]
    return Known(tuple(facts), tuple(deals), tuple(notes), tuple(tasks), tuple(papers))


async def _facts(tx: Tx, subject_id: UUID, at: datetime) -> list[Fact]:
    """What was stated in words; who knows whom is no part of a case."""
    found = await list_facts(tx, subject_id, valid_at=at, known_at=at)
    return [fact for fact in found if fact.text and fact.object_id is None]


def _statement(fact: Fact, about: About) -> Statement:
    return Statement(
        text=fact.text,
        about=about,
        predicate=fact.predicate,
        source=fact.source_label,
        is_confirmed=fact.trust == "confirmed",
    )


def _deal(deal: Deal) -> DealAtHand:
    return DealAtHand(
        name=deal.name,
        amount_minor=deal.amount_minor,
        currency=deal.currency,
        stage=deal.stage,
        next_step=deal.next_step,
        close_date=deal.close_date,
    )
