"""Reading companies."""

from collections.abc import Collection
from dataclasses import replace

from core.db import Tx
from core.filters import Every, containing
from core.pagination import Page
from core.sql import FIRST_PAGE, Listing, ListQuery, fetch_page
from crm.companies.fields import SEARCHED, company_listing
from crm.companies.models import Company, CompanyLine, normalize_domain
from events.ids import CompanyId


async def get_company(tx: Tx, company_id: CompanyId, *, lock: bool = False) -> Company:
    """One company; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("companies:read")
    if lock:
        await tx.execute(
            "SELECT FROM companies WHERE id = %(company_id)s FOR NO KEY UPDATE", company_id=company_id
        )
    return await tx.one(
        Company,
        """
        SELECT id, name, domain, city, country, industry, phone, employees, about, owner_id, custom, created_at,
               updated_at, deleted_at, merged_into_id, version
          FROM companies
         WHERE id = %(company_id)s
        """,
        company_id=company_id,
    )


async def find_company_by_domain(tx: Tx, domain: str) -> Company | None:
    """The company with this web domain, or None."""
    tx.principal.require("companies:read")
    return await tx.find(
        Company,
        """
        SELECT id, name, domain, city, country, industry, phone, employees, about, owner_id, custom, created_at,
               updated_at, deleted_at, merged_into_id, version
          FROM companies
         WHERE domain = %(domain)s
           AND deleted_at IS NULL
        """,
        domain=normalize_domain(domain),
    )


async def list_companies_of(tx: Tx, company_ids: Collection[CompanyId]) -> list[Company]:
    """Those of these companies that are there, in no order."""
    tx.principal.require("companies:read")
    return await tx.all(
        Company,
        """
        SELECT id, name, domain, city, country, industry, phone, employees, about, owner_id, custom, created_at,
               updated_at, deleted_at, merged_into_id, version
          FROM companies
         WHERE id = ANY(%(company_ids)s)
        """,
        company_ids=list(company_ids),
    )


async def list_companies(
    tx: Tx, query: ListQuery = FIRST_PAGE, *, text: str = "", listing: Listing | None = None
) -> Page[CompanyLine]:
    """Companies that a filter keeps, in order; `text` keeps those whose name, domain or city contains it.

    `listing` spares asking for the custom fields again. Raises: Unprocessable for a cursor of another list.
    """
    tx.principal.require("companies:read")
    listing = listing or await company_listing(tx)
    kept = Every((query.filter, containing(text.strip(), SEARCHED)))
    return await fetch_page(tx, CompanyLine, listing, replace(query, filter=kept))
