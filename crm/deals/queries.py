"""Reading deals."""

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_size
from crm.deals.models import Deal
from events.ids import CompanyId, ContactId, DealId


async def get_deal(tx: Tx, deal_id: DealId, *, lock: bool = False) -> Deal:
    """One deal; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("deals:read")
    if lock:
        await tx.execute("SELECT FROM deals WHERE id = %(deal_id)s FOR NO KEY UPDATE", deal_id=deal_id)
    return await tx.one(
        Deal,
        """
        SELECT d.id, d.name, d.company_id, d.contact_id, d.stage_id, s.pipeline_id, s.name AS stage, s.outcome,
               d.amount_minor, d.currency, d.close_date, d.next_step, d.version, d.updated_at
          FROM deals d
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE d.id = %(deal_id)s
        """,
        deal_id=deal_id,
    )


async def list_deals(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Deal]:
    """Every deal, the newest first."""
    tx.principal.require("deals:read")
    size = page_size(limit)
    (before_id,) = decode_cursor(cursor, 1) if cursor else (None,)
    deals = await tx.all(
        Deal,
        """
        SELECT d.id, d.name, d.company_id, d.contact_id, d.stage_id, s.pipeline_id, s.name AS stage, s.outcome,
               d.amount_minor, d.currency, d.close_date, d.next_step, d.version, d.updated_at
          FROM deals d
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE %(before_id)s::uuid IS NULL OR d.id < %(before_id)s::uuid
         ORDER BY d.id DESC
         LIMIT %(limit)s
        """,
        before_id=before_id,
        limit=size + 1,
    )
    page = deals[:size]
    return Page(page, encode_cursor(page[-1].id) if len(deals) > size else None)


async def list_deals_of_contact(tx: Tx, contact_id: ContactId) -> list[Deal]:
    """The deals of a person and of the company that person works at; open ones first, then the latest touched."""
    tx.principal.require("deals:read")
    return await tx.all(
        Deal,
        """
        SELECT d.id, d.name, d.company_id, d.contact_id, d.stage_id, s.pipeline_id, s.name AS stage, s.outcome,
               d.amount_minor, d.currency, d.close_date, d.next_step, d.version, d.updated_at
          FROM contacts c
          JOIN deals d ON d.organization_id = c.organization_id
                      AND (d.contact_id = c.id OR d.company_id = c.company_id)
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE c.id = %(contact_id)s
         ORDER BY s.outcome <> 'open', d.updated_at DESC, d.id
        """,
        contact_id=contact_id,
    )


async def list_deals_of_company(tx: Tx, company_id: CompanyId) -> list[Deal]:
    """The deals of one company; open ones first, then the latest touched."""
    tx.principal.require("deals:read")
    return await tx.all(
        Deal,
        """
        SELECT d.id, d.name, d.company_id, d.contact_id, d.stage_id, s.pipeline_id, s.name AS stage, s.outcome,
               d.amount_minor, d.currency, d.close_date, d.next_step, d.version, d.updated_at
          FROM deals d
          JOIN stages s ON s.organization_id = d.organization_id AND s.id = d.stage_id
         WHERE d.company_id = %(company_id)s
         ORDER BY s.outcome <> 'open', d.updated_at DESC, d.id
        """,
        company_id=company_id,
    )
