"""Reading companies."""

from uuid import UUID

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_size
from crm.companies.models import Company, normalize_domain
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
        SELECT id, name, domain, city, employees, about, version
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
        SELECT id, name, domain, city, employees, about, version
          FROM companies
         WHERE domain = %(domain)s
        """,
        domain=normalize_domain(domain),
    )


async def list_companies(
    tx: Tx, *, text: str = "", cursor: str | None = None, limit: int = 25
) -> Page[Company]:
    """Companies by name; `text` keeps those whose name, domain or city contains it."""
    tx.principal.require("companies:read")
    size = page_size(limit)
    after_name, after_id = decode_cursor(cursor, 2) if cursor else ("", str(UUID(int=0)))
    companies = await tx.all(
        Company,
        """
        SELECT id, name, domain, city, employees, about, version
          FROM companies
         WHERE (name, id) > (%(after_name)s, %(after_id)s::uuid)
           AND (%(text)s = ''
                OR strpos(lower(name), lower(%(text)s)) > 0
                OR strpos(domain, lower(%(text)s)) > 0
                OR strpos(lower(city), lower(%(text)s)) > 0)
         ORDER BY name, id
         LIMIT %(limit)s
        """,
        text=text.strip(),
        after_name=after_name,
        after_id=after_id,
        limit=size + 1,
    )
    page = companies[:size]
    return Page(page, encode_cursor(page[-1].name, page[-1].id) if len(companies) > size else None)
