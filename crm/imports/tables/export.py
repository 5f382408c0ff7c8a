"""Everything of one kind as rows that our own import takes back, a page at a time behind the last one."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, assert_never
from uuid import UUID

from babel.numbers import get_currency_precision
from pydantic import JsonValue

from core.db import Tx
from core.errors import Unprocessable
from core.filters import ValueKind
from core.pagination import MAX_PAGE
from core.sql import ListQuery
from crm.companies.queries import list_companies
from crm.contacts.queries import list_contacts
from crm.custom_fields.links import linked_names
from crm.custom_fields.models import EXTENSIBLE, CustomField
from crm.custom_fields.queries import list_custom_fields
from crm.deals.queries import list_deals
from crm.imports.models import Exported
from crm.imports.tables import activities
from crm.imports.tables.activities import Cells
from crm.leads.queries import list_leads
from crm.records.lists import read_filter
from events.ids import RecordKind

Transaction = Callable[[], AbstractAsyncContextManager[Tx]]
# Names that the import knows again; the first one tells it that the table is ours.
COLUMNS = {
    Exported.CONTACT: (
        "getsale contact id", "name", "title", "company", "company domain", "email", "phone", "telegram", "link",
        "language", "note", "owner", "tags", "email consent", "sms consent", "telegram consent", "marketing consent",
        "created at", "updated at",
    ),
    Exported.COMPANY: (
        "getsale company id", "name", "domain", "phone", "city", "country", "industry", "employees", "about", "owner",
        "tags", "created at", "updated at",
    ),
    Exported.LEAD: (
        "getsale lead id", "name", "title", "contact email", "contact phone", "company", "company domain", "stage",
        "pipeline", "source", "next step", "lost reason", "owner", "tags", "converted at", "created at", "updated at",
    ),
    Exported.DEAL: (
        "getsale deal id", "name", "stage", "pipeline", "amount", "currency", "close date", "company", "company domain",
        "contact", "contact email", "next step", "owner", "tags", "created at", "updated at",
    ),
    **activities.COLUMNS,
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What to export: a kind, of records also with the words and the filter of their list."""

    kind: Exported
    text: str = ""
    filter: JsonValue = None


@dataclass(frozen=True)
class Sheet:
    """The columns of an export; custom fields stand behind the others under their labels, a link as name and as id."""

    kind: Exported
    fields: tuple[CustomField, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        own = (
            (field.label, field.id_label) if field.target_kind else (field.label,) for field in self.fields
        )
        return (*COLUMNS[self.kind], *chain.from_iterable(own))


async def sheet_of(tx: Tx, kind: Exported) -> Sheet:
    """The columns of an export. Raises: Forbidden."""
    tx.principal.require("records:export")
    tx.principal.require(f"{kind.plural}:read")
    record_kind = next((one for one in EXTENSIBLE if one.value == kind), None)
    return Sheet(kind, tuple(await list_custom_fields(tx, record_kind)) if record_kind else ())


async def rows(transaction: Transaction, sheet: Sheet, wanted: Wanted) -> AsyncIterator[Cells]:
    """The records as cells by column; no transaction is open while somebody takes a page.

    Raises: Unprocessable for a filter that the list does not have.
    """
    cursor: str | None = None
    while True:
        async with transaction() as tx:
            found, cursor = await page(tx, sheet, wanted, cursor)
        for cells in found:
            yield cells
        if cursor is None:
            return


async def page(tx: Tx, sheet: Sheet, wanted: Wanted, cursor: str | None) -> tuple[list[Cells], str | None]:
    """The next rows and where those after them begin.

    Raises: Unprocessable for a filter that the list does not have; for words where there is no list to search.
    """
    match sheet.kind:
        case Exported.CONTACT:
            return await _contacts(tx, sheet, wanted, cursor)
        case Exported.COMPANY:
            return await _companies(tx, sheet, wanted, cursor)
        case Exported.LEAD:
            return await _leads(tx, wanted, cursor)
        case Exported.DEAL:
            return await _deals(tx, sheet, wanted, cursor)
    if wanted.text or wanted.filter:
        raise Unprocessable(
            f"All {sheet.kind.plural} are exported together; leave words and filter out.", field="q"
        )
    match sheet.kind:
        case Exported.NOTE:
            return await activities.notes(tx, cursor)
        case Exported.TASK:
            return await activities.tasks(tx, cursor)
        case Exported.MEETING:
            return await activities.meetings(tx, cursor)
        case _:
            assert_never(sheet.kind)


async def _contacts(
    tx: Tx, sheet: Sheet, wanted: Wanted, cursor: str | None
) -> tuple[list[Cells], str | None]:
    listing, kept = await read_filter(tx, RecordKind.CONTACT, wanted.filter or {})
    query = ListQuery(kept, cursor=cursor, limit=MAX_PAGE)
    page = await list_contacts(tx, query, text=wanted.text, listing=listing)
    around = await _around_contacts(tx, [contact.id for contact in page.items])
    linked = await linked_names(tx, sheet.fields, [contact.custom for contact in page.items])
    found = []
    for contact in page.items:
        more = around[contact.id]
        consents = more["consents"] or {}
        cells = {
            "getsale contact id": contact.id, "name": contact.name, "title": contact.title,
            "company": contact.company_name, "company domain": more["domain"], "email": more["emails"],
            "phone": more["phones"], "telegram": more["telegrams"], "link": more["links"],
            "language": contact.language, "note": contact.note, "owner": contact.owner_name, "tags": more["tags"],
            **{f"{channel} consent": consents.get(channel) for channel in ("email", "sms", "telegram", "marketing")},
            "created at": contact.created_at, "updated at": contact.updated_at,
        }  # fmt: skip
        found.append(cells | _custom(sheet, contact.custom, linked))
    return found, page.next_cursor


async def _around_contacts(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What hangs on contacts, for a page of them at once."""
    cursor = await tx.connection.execute(
        """
        SELECT c.id, o.domain, h.emails, h.phones, h.telegrams, h.links,
               (SELECT array_agg(t.name ORDER BY t.plain_name)
                  FROM record_tags r
                  JOIN tags t ON t.organization_id = r.organization_id AND t.id = r.tag_id
                 WHERE r.organization_id = c.organization_id
                   AND r.record_kind = 'contact'
                   AND r.record_id = c.id) AS tags,
               (SELECT jsonb_object_agg(latest.channel, latest.is_given)
                  FROM (SELECT DISTINCT ON (s.channel) s.channel, s.is_given
                          FROM contact_consents s
                         WHERE s.organization_id = c.organization_id
                           AND s.contact_id = c.id
                         ORDER BY s.channel, s.given_at DESC, s.id DESC) latest) AS consents
          FROM contacts c
          LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
         CROSS JOIN LATERAL (
               SELECT array_agg(g.value ORDER BY g.is_primary DESC, g.created_at, g.id)
                          FILTER (WHERE g.kind = 'email') AS emails,
                      array_agg(g.value ORDER BY g.is_primary DESC, g.created_at, g.id)
                          FILTER (WHERE g.kind = 'phone') AS phones,
                      array_agg(g.value ORDER BY g.kind, g.created_at, g.id)
                          FILTER (WHERE g.kind IN ('telegram_id', 'telegram_username')) AS telegrams,
                      array_agg(g.value ORDER BY g.created_at, g.id) FILTER (WHERE g.kind = 'link') AS links
                 FROM contact_handles g
                WHERE g.organization_id = c.organization_id
                  AND g.contact_id = c.id) h
         WHERE c.id = ANY(%(ids)s)
        """,
        {"ids": list(ids)},
    )
    return {row["id"]: row for row in await cursor.fetchall()}


async def _companies(
    tx: Tx, sheet: Sheet, wanted: Wanted, cursor: str | None
) -> tuple[list[Cells], str | None]:
    listing, kept = await read_filter(tx, RecordKind.COMPANY, wanted.filter or {})
    query = ListQuery(kept, cursor=cursor, limit=MAX_PAGE)
    page = await list_companies(tx, query, text=wanted.text, listing=listing)
    tags = await _tags(tx, RecordKind.COMPANY, [company.id for company in page.items])
    linked = await linked_names(tx, sheet.fields, [company.custom for company in page.items])
    found = []
    for company in page.items:
        cells = {
            "getsale company id": company.id, "name": company.name, "domain": company.domain, "phone": company.phone,
            "city": company.city, "country": company.country, "industry": company.industry,
            "employees": company.employees, "about": company.about, "owner": company.owner_name,
            "tags": tags.get(company.id), "created at": company.created_at, "updated at": company.updated_at,
        }  # fmt: skip
        found.append(cells | _custom(sheet, company.custom, linked))
    return found, page.next_cursor


async def _tags(tx: Tx, kind: RecordKind, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    cursor = await tx.connection.execute(
        """
        SELECT r.record_id, array_agg(t.name ORDER BY t.plain_name) AS names
          FROM record_tags r
          JOIN tags t ON t.organization_id = r.organization_id AND t.id = r.tag_id
         WHERE r.record_kind = %(kind)s
           AND r.record_id = ANY(%(ids)s)
         GROUP BY r.record_id
        """,
        {"kind": kind.value, "ids": list(ids)},
    )
    return {row["record_id"]: row["names"] for row in await cursor.fetchall()}


async def _leads(tx: Tx, wanted: Wanted, cursor: str | None) -> tuple[list[Cells], str | None]:
    listing, kept = await read_filter(tx, RecordKind.LEAD, wanted.filter or {})
    query = ListQuery(kept, cursor=cursor, limit=MAX_PAGE)
    page = await list_leads(tx, query, text=wanted.text, listing=listing)
    tags = await _tags(tx, RecordKind.LEAD, [lead.id for lead in page.items])
    around = await _around_contacts(tx, [lead.contact_id for lead in page.items])
    found: list[Cells] = []
    for lead in page.items:
        more = around[lead.contact_id]
        found.append({
            "getsale lead id": lead.id, "name": lead.contact, "title": lead.title,
            "contact email": _first(more["emails"]), "contact phone": _first(more["phones"]),
            "company": lead.company_name, "company domain": more["domain"], "stage": lead.stage,
            "pipeline": lead.pipeline, "source": lead.source, "next step": lead.next_step,
            "lost reason": lead.lost_reason, "owner": lead.owner_name, "tags": tags.get(lead.id),
            "converted at": lead.converted_at, "created at": lead.created_at, "updated at": lead.updated_at,
        })  # fmt: skip
    return found, page.next_cursor


def _first(values: Sequence[str] | None) -> str | None:
    return values[0] if values else None


async def _deals(tx: Tx, sheet: Sheet, wanted: Wanted, cursor: str | None) -> tuple[list[Cells], str | None]:
    listing, kept = await read_filter(tx, RecordKind.DEAL, wanted.filter or {})
    query = ListQuery(kept, cursor=cursor, limit=MAX_PAGE)
    page = await list_deals(tx, query, text=wanted.text, listing=listing)
    tags = await _tags(tx, RecordKind.DEAL, [deal.id for deal in page.items])
    around = await _around_deals(tx, [deal.id for deal in page.items])
    linked = await linked_names(tx, sheet.fields, [deal.custom for deal in page.items])
    found = []
    for deal in page.items:
        cells = {
            "getsale deal id": deal.id, "name": deal.name, "stage": deal.stage, "pipeline": deal.pipeline,
            "amount": amount(deal.amount_minor, deal.currency), "currency": deal.currency,
            "close date": deal.close_date, "company": deal.company_name,
            "company domain": around[deal.id]["domain"], "contact": deal.contact_name,
            "contact email": around[deal.id]["email"], "next step": deal.next_step, "owner": deal.owner_name,
            "tags": tags.get(deal.id), "created at": deal.created_at, "updated at": deal.updated_at,
        }  # fmt: skip
        found.append(cells | _custom(sheet, deal.custom, linked))
    return found, page.next_cursor


async def _around_deals(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """How the company and the contact of deals are found again, for a page of them at once."""
    cursor = await tx.connection.execute(
        """
        SELECT d.id, o.domain,
               (SELECT h.value
                  FROM contact_handles h
                 WHERE h.organization_id = d.organization_id
                   AND h.contact_id = d.contact_id
                   AND h.kind = 'email'
                 ORDER BY h.is_primary DESC, h.created_at, h.id
                 LIMIT 1) AS email
          FROM deals d
          LEFT JOIN companies o ON o.organization_id = d.organization_id AND o.id = d.company_id
         WHERE d.id = ANY(%(ids)s)
        """,
        {"ids": list(ids)},
    )
    return {row["id"]: row for row in await cursor.fetchall()}


def amount(minor: int, currency: str) -> str:
    """An amount in its main unit: `816000` of EUR is `8160.00`."""
    places = get_currency_precision(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"


def _custom(sheet: Sheet, custom: dict[str, Any], linked: Mapping[UUID, str]) -> Cells:
    """The values of custom fields as people read them, under the labels of the fields; links have their ids beside."""
    cells = {}
    for field in sheet.fields:
        value = custom.get(field.key)
        cells[field.label] = _readable(field, value, linked)
        if field.target_kind is not None:
            cells[field.id_label] = value
    return cells


def _readable(field: CustomField, value: Any, linked: Mapping[UUID, str]) -> Any:
    labels = {one.key: one.label for one in field.options}
    match field.kind:
        case _ if value is None:
            return None
        case ValueKind.MONEY:
            return f"{amount(value['amount_minor'], value['currency'])} {value['currency']}"
        case ValueKind.CHOICE:
            return labels.get(value, value)
        case ValueKind.RECORD:
            return linked.get(UUID(value))
        case ValueKind.CHOICES:
            return [labels.get(one, one) for one in value]
        case _:
            return value
