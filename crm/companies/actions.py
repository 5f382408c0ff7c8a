"""Making and changing companies."""

from collections.abc import Mapping

from psycopg.errors import UniqueViolation

from core.db import Tx
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.companies.models import Company, CompanyEdit, NewCompany, normalize_domain
from crm.companies.queries import get_company
from events.ids import CompanyId
from events.outbox import emit
from events.types import CompanyCreated, CompanyUpdated


async def create_company(tx: Tx, new: NewCompany) -> Company:
    """Add a company.

    Raises:
        Unprocessable: no name, or fewer than zero employees.
        Conflict: the domain belongs to another company.
    """
    tx.principal.require("companies:write")
    _check(new.name, new.employees)
    domain = normalize_domain(new.domain)
    company = await tx.find(
        Company,
        """
        INSERT INTO companies (organization_id, id, name, domain, city, employees, about)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(domain)s, %(city)s, %(employees)s, %(about)s)
        ON CONFLICT (organization_id, domain) DO NOTHING
        RETURNING id, name, domain, city, employees, about, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=new.name.strip(),
        domain=domain,
        city=new.city,
        employees=new.employees,
        about=new.about,
    )
    if company is None:
        raise Conflict(f"Another company already has the domain {domain}.", field="domain")
    await emit(tx, CompanyCreated(company.id))
    return company


async def update_company(tx: Tx, company_id: CompanyId, edit: CompanyEdit, *, version: int) -> Company:
    """Change some fields of a company; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such company.
        Stale: changed since `version` was read.
        Unprocessable: an empty name, or fewer than zero employees.
        Conflict: the domain belongs to another company; the transaction cannot go on.
    """
    company = await get_company(tx, company_id, lock=True)
    tx.principal.require("companies:write")
    if company.version != version:
        raise Stale(f"{company.name} was changed meanwhile; reload and try again.")
    _check(company.name if edit.name is None else edit.name, edit.employees)
    changes = _changes(company, edit)
    if not changes:
        return company
    try:
        updated = await tx.one(
            Company,
            """
            UPDATE companies
               SET name = coalesce(%(name)s, name),
                   domain = coalesce(%(domain)s, domain),
                   city = coalesce(%(city)s, city),
                   employees = coalesce(%(employees)s, employees),
                   about = coalesce(%(about)s, about),
                   version = version + 1
             WHERE id = %(company_id)s
            RETURNING id, name, domain, city, employees, about, version
            """,
            company_id=company_id,
            name=edit.name,
            domain=normalize_domain(edit.domain),
            city=edit.city,
            employees=edit.employees,
            about=edit.about,
        )
    except UniqueViolation as err:
        raise Conflict(f"Another company already has the domain {edit.domain}.", field="domain") from err
    await emit(tx, CompanyUpdated(company_id), changes=changes)
    return updated


def _check(name: str, employees: int | None) -> None:
    if not name.strip():
        raise Unprocessable("A company needs a name.", field="name")
    if employees is not None and employees < 0:
        raise Unprocessable("A company cannot have fewer than zero employees.", field="employees")


def _changes(company: Company, edit: CompanyEdit) -> Mapping[str, tuple[object, object]]:
    pairs: dict[str, tuple[object, object]] = {
        "name": (company.name, edit.name),
        "domain": (company.domain, normalize_domain(edit.domain)),
        "city": (company.city, edit.city),
        "employees": (company.employees, edit.employees),
        "about": (company.about, edit.about),
    }
    return {field: pair for field, pair in pairs.items() if pair[1] is not None and pair[0] != pair[1]}
