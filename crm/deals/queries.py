"""Reading deals."""

from dataclasses import replace
from typing import LiteralString

from core.db import Tx
from core.filters import Every, containing
from core.pagination import Page
from core.sql import FIRST_PAGE, Listing, ListQuery, fetch_page
from crm.deals.fields import SEARCHED, deal_listing
from crm.deals.models import Deal, DealLine, Stakeholder
from events.ids import CompanyId, ContactId, DealId

_SELECT: LiteralString = """
        SELECT d.id, d.name, d.company_id, d.contact_id, d.lead_id, d.stage_id, d.pipeline_id, s.name AS stage,
               s.outcome, d.stage_entered_at, d.amount_minor, d.currency, d.probability,
               s.probability AS stage_probability, d.close_date, d.next_step, d.lost_reason, d.owner_id, d.bidi_id,
               d.custom, d.closed_at, d.created_at, d.updated_at, d.deleted_at, d.version"""


async def get_deal(tx: Tx, deal_id: DealId, *, lock: bool = False) -> Deal:
    """One deal; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("deals:read")
    if lock:
        await tx.execute("SELECT FROM deals WHERE id = %(deal_id)s FOR NO KEY UPDATE", deal_id=deal_id)
    return await tx.one(
        Deal,
        _SELECT
        + """
          FROM deals d
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE d.id = %(deal_id)s
        """,
        deal_id=deal_id,
    )


async def list_deals(
    tx: Tx, query: ListQuery = FIRST_PAGE, *, text: str = "", listing: Listing | None = None
) -> Page[DealLine]:
    """Deals that a filter keeps, in order; `text` keeps those whose name, company, contact or next step has it.

    `listing` spares asking for the custom fields again. Raises: Unprocessable for a cursor of another list.
    """
    tx.principal.require("deals:read")
    listing = listing or await deal_listing(tx)
    kept = Every((query.filter, containing(text.strip(), SEARCHED)))
    return await fetch_page(tx, DealLine, listing, replace(query, filter=kept))


async def list_deals_of_contact(tx: Tx, contact_id: ContactId) -> list[Deal]:
    """The deals of a person and of the company that person works at; open ones first, then the latest touched."""
    tx.principal.require("deals:read")
    return await tx.all(
        Deal,
        _SELECT
        + """
          FROM contacts c
          JOIN deals d ON d.organization_id = c.organization_id
                      AND (d.contact_id = c.id OR d.company_id = c.company_id)
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE c.id = %(contact_id)s
           AND d.deleted_at IS NULL
         ORDER BY s.outcome <> 'open', d.updated_at DESC, d.id
        """,
        contact_id=contact_id,
    )


async def list_deals_of_company(tx: Tx, company_id: CompanyId) -> list[Deal]:
    """The deals of one company; open ones first, then the latest touched."""
    tx.principal.require("deals:read")
    return await tx.all(
        Deal,
        _SELECT
        + """
          FROM deals d
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE d.company_id = %(company_id)s
           AND d.deleted_at IS NULL
         ORDER BY s.outcome <> 'open', d.updated_at DESC, d.id
        """,
        company_id=company_id,
    )


async def list_stakeholders(tx: Tx, deal_id: DealId) -> list[Stakeholder]:
    """Who has a say in a deal, in the order in which they were added."""
    tx.principal.require("deals:read")
    return await tx.all(
        Stakeholder,
        """
        SELECT k.contact_id, c.name, c.title, k.role, k.added_at
          FROM deal_stakeholders k
          JOIN contacts c ON c.organization_id = k.organization_id AND c.id = k.contact_id
         WHERE k.deal_id = %(deal_id)s
         ORDER BY k.added_at, c.name, k.role
        """,
        deal_id=deal_id,
    )
