"""Reading leads."""

from dataclasses import replace
from typing import LiteralString

from core.db import Tx
from core.filters import Every, containing
from core.pagination import Page
from core.sql import FIRST_PAGE, Listing, ListQuery, fetch_page
from crm.leads.fields import LEADS, SEARCHED
from crm.leads.models import Lead, LeadLine
from events.ids import CompanyId, ContactId, LeadId

_SELECT: LiteralString = """
        SELECT l.id, l.contact_id, c.name AS contact, l.pipeline_id, l.stage_id, s.name AS stage, s.outcome,
               l.stage_entered_at, l.owner_id, l.bidi_id, l.source, l.next_step, l.lost_reason, l.converted_at,
               l.closed_at, l.created_at, l.updated_at, l.deleted_at, l.version
          FROM leads l
          JOIN contacts c ON c.organization_id = l.organization_id AND c.id = l.contact_id
          JOIN stages s ON s.organization_id = l.organization_id AND s.id = l.stage_id"""


async def get_lead(tx: Tx, lead_id: LeadId, *, lock: bool = False) -> Lead:
    """One lead; `lock` keeps others from changing it until the transaction ends. Raises: NotFound."""
    tx.principal.require("leads:read")
    if lock:
        await tx.execute("SELECT FROM leads WHERE id = %(lead_id)s FOR NO KEY UPDATE", lead_id=lead_id)
    return await tx.one(
        Lead,
        _SELECT
        + """
         WHERE l.id = %(lead_id)s
        """,
        lead_id=lead_id,
    )


async def list_leads(
    tx: Tx, query: ListQuery = FIRST_PAGE, *, text: str = "", listing: Listing | None = None
) -> Page[LeadLine]:
    """Leads that a filter keeps, in order; `text` keeps those whose person, company, source or next step has it.

    `listing` has the segments that the filter names. Raises: Unprocessable for a cursor of another list.
    """
    tx.principal.require("leads:read")
    kept = Every((query.filter, containing(text.strip(), SEARCHED)))
    return await fetch_page(tx, LeadLine, listing or LEADS, replace(query, filter=kept))


async def list_leads_of_contact(tx: Tx, contact_id: ContactId) -> list[Lead]:
    """The leads of one person, the latest touched first."""
    tx.principal.require("leads:read")
    return await tx.all(
        Lead,
        _SELECT
        + """
         WHERE l.contact_id = %(contact_id)s
           AND l.deleted_at IS NULL
         ORDER BY l.updated_at DESC, l.id
        """,
        contact_id=contact_id,
    )


async def list_leads_of_company(tx: Tx, company_id: CompanyId) -> list[Lead]:
    """The leads of everybody who works at a company, the latest touched first."""
    tx.principal.require("leads:read")
    return await tx.all(
        Lead,
        _SELECT
        + """
         WHERE c.company_id = %(company_id)s
           AND l.deleted_at IS NULL
         ORDER BY l.updated_at DESC, l.id
        """,
        company_id=company_id,
    )
