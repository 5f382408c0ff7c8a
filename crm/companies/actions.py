"""Making and changing companies."""

from collections.abc import Mapping
from dataclasses import replace

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.companies.models import Company, CompanyEdit, NewCompany, normalize_domain
from crm.companies.queries import get_company
from crm.custom_fields.links import require_linked
from crm.custom_fields.models import merged
from crm.custom_fields.queries import custom_fields_of
from crm.identity.queries import require_member
from events.ids import CompanyId, RecordKind
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
    if new.owner_id is not None:
        await require_member(tx, new.owner_id)
    domain = normalize_domain(new.domain)
    company = await tx.find(
        Company,
        """
        INSERT INTO companies (organization_id, id, name, domain, city, country, industry, phone, employees, about,
                               owner_id, custom)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(domain)s, %(city)s, %(country)s, %(industry)s, %(phone)s,
                %(employees)s, %(about)s, %(owner_id)s, %(custom)s)
        ON CONFLICT (organization_id, domain) WHERE deleted_at IS NULL DO NOTHING
        RETURNING id, name, domain, city, country, industry, phone, employees, about, owner_id, custom, created_at,
                  updated_at, deleted_at, merged_into_id, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=new.name.strip(),
        domain=domain,
        city=new.city,
        country=new.country,
        industry=new.industry,
        phone=new.phone,
        employees=new.employees,
        about=new.about,
        owner_id=new.owner_id,
        custom=Jsonb(merged({}, await _checked_new(tx, new.custom))),
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
        Conflict: the domain belongs to another company.
    """
    company = await get_company(tx, company_id, lock=True)
    tx.principal.require("companies:write")
    if company.version != version:
        raise Stale(f"{company.name} was changed meanwhile; reload and try again.")
    new = given(edit)
    if edit.domain is not KEEP:
        new["domain"] = normalize_domain(edit.domain)
    if edit.custom is not KEEP:
        new["custom"] = merged(company.custom, await _checked(tx, edit.custom))
    changed = replace(company, **new)  # type: ignore[arg-type]  # the fields of an edit are fields of a company
    _check(changed.name, changed.employees)
    changes = differences(company, new)
    if not changes:
        return company
    if "owner_id" in changes and changed.owner_id is not None:
        await require_member(tx, changed.owner_id)
    return await _write(tx, company_id, changes)


async def _write(tx: Tx, company_id: CompanyId, changes: Mapping[str, tuple[object, object]]) -> Company:
    """Write the new values of a company that is locked, and tell of them."""
    values = {name: after for name, (_, after) in changes.items()} | {"updated_at": clock.now()}
    try:
        async with tx.savepoint():
            updated = await tx.one(
                Company,
                sql.SQL(
                    """
                UPDATE companies
                   SET {values}, version = version + 1
                 WHERE id = %(company_id)s
                RETURNING id, name, domain, city, country, industry, phone, employees, about, owner_id, custom,
                          created_at, updated_at, deleted_at, merged_into_id, version
                """
                ).format(values=assignments(values)),
                company_id=company_id,
            )
    except UniqueViolation as err:
        raise Conflict("Another company already has this domain.", field="domain") from err
    await emit(tx, CompanyUpdated(company_id), changes=changes)
    return updated


async def delete_company(tx: Tx, company_id: CompanyId, *, version: int | None) -> Company:
    """Put a company into the trash, whatever its version without one; no list shows it, and its people and deals stay.

    Raises: NotFound, Stale.
    """
    company = await get_company(tx, company_id, lock=True)
    tx.principal.require("companies:write")
    if version is not None and company.version != version:
        raise Stale(f"{company.name} was changed meanwhile; reload and try again.")
    if company.deleted_at is not None:
        return company
    return await _write(tx, company_id, {"deleted_at": (None, clock.now())})


async def restore_company(tx: Tx, company_id: CompanyId) -> Company:
    """Take a company out of the trash.

    Raises: NotFound; Conflict when it was merged, or when another company has its domain now.
    """
    company = await get_company(tx, company_id, lock=True)
    tx.principal.require("companies:write")
    if company.merged_into_id is not None:
        raise Conflict(f"{company.name} was merged into another company; undo the merge instead.")
    if company.deleted_at is None:
        return company
    return await _write(tx, company_id, {"deleted_at": (company.deleted_at, None)})


async def _checked_new(tx: Tx, custom: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    fields = await custom_fields_of(tx, RecordKind.COMPANY)
    return await require_linked(tx, fields, fields.check_new(custom))


async def _checked(tx: Tx, custom: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    fields = await custom_fields_of(tx, RecordKind.COMPANY)
    return await require_linked(tx, fields, fields.check(custom))


def _check(name: str, employees: int | None) -> None:
    if not name.strip():
        raise Unprocessable("A company needs a name.", field="name")
    if employees is not None and employees < 0:
        raise Unprocessable("A company cannot have fewer than zero employees.", field="employees")
