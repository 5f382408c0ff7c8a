"""Reading contacts and their handles."""

from collections.abc import Collection
from dataclasses import replace

from core.db import Tx
from core.filters import Every, containing
from core.pagination import Page, page_size
from core.sql import FIRST_PAGE, Listing, ListQuery, fetch_page
from crm.contacts.fields import SEARCHED, contact_listing
from crm.contacts.models import Consent, Contact, ContactLine, Handle, HandleKind, Statement, normalize_handle
from events.ids import CompanyId, ContactId


async def get_contact(tx: Tx, contact_id: ContactId, *, lock: bool = False) -> Contact:
    """One contact; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("contacts:read")
    if lock:
        await tx.execute(
            "SELECT FROM contacts WHERE id = %(contact_id)s FOR NO KEY UPDATE", contact_id=contact_id
        )
    return await tx.one(
        Contact,
        """
        SELECT id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
               telegram_consent, owner_id, bidi_id, custom, created_at, updated_at, deleted_at, merged_into_id,
               version
          FROM contacts
         WHERE id = %(contact_id)s
        """,
        contact_id=contact_id,
    )


async def find_contact_by_handle(tx: Tx, kind: str, value: str) -> Contact | None:
    """The contact whom this address belongs to, or None."""
    return await find_contact_by_handles(tx, (normalize_handle(kind, value),))


async def find_contact_by_handles(tx: Tx, handles: tuple[tuple[HandleKind, str], ...]) -> Contact | None:
    """The contact whom the surest of these handles leads to; they are normalized, the surest first.

    A weaker handle does not count when its contact already has another value of the surest kind: a Telegram
    username passes from one person to the next, an id does not.
    """
    tx.principal.require("contacts:read")
    return await tx.find(
        Contact,
        """
        SELECT c.id, c.name, c.title, c.company_id, c.language, c.time_zone, c.note, c.suppressed_at,
               c.suppressed_reason, c.telegram_consent, c.owner_id, c.bidi_id, c.custom, c.created_at,
               c.updated_at, c.deleted_at, c.merged_into_id, c.version
          FROM unnest(%(kinds)s::text[], %(values)s::text[]) WITH ORDINALITY AS given (kind, value, position)
          JOIN contact_handles h ON h.kind = given.kind AND h.value = given.value
          JOIN contacts c ON c.organization_id = h.organization_id AND c.id = h.contact_id
         WHERE given.position = 1
            OR NOT EXISTS (
               SELECT FROM contact_handles other
                WHERE other.organization_id = c.organization_id
                  AND other.contact_id = c.id
                  AND other.kind = (%(kinds)s::text[])[1]
                  AND other.value <> (%(values)s::text[])[1])
         ORDER BY given.position
         LIMIT 1
        """,
        kinds=[kind.value for kind, _ in handles],
        values=[value for _, value in handles],
    )


async def list_handles(tx: Tx, contact_id: ContactId) -> list[Handle]:
    """Every address of one contact, the oldest first; masked where a partner has not talked with them yet."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Handle,
        """
        SELECT h.id, h.contact_id, h.kind, h.value, h.label, h.is_primary
          FROM (SELECT id, contact_id, kind, value, label, is_primary, created_at
                  FROM contact_handles
                 WHERE contact_id = %(contact_id)s
                 UNION ALL
                SELECT id, contact_id, kind, value, label, is_primary, created_at
                  FROM masked_handles(ARRAY[%(contact_id)s::uuid])) AS h
         ORDER BY h.created_at, h.id
        """,
        contact_id=contact_id,
    )


async def list_handles_of(tx: Tx, contact_ids: Collection[ContactId]) -> list[Handle]:
    """Every address of some contacts, the oldest first; masked where a partner has not talked with them yet."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Handle,
        """
        SELECT h.id, h.contact_id, h.kind, h.value, h.label, h.is_primary
          FROM (SELECT id, contact_id, kind, value, label, is_primary, created_at
                  FROM contact_handles
                 WHERE contact_id = ANY(%(contact_ids)s)
                 UNION ALL
                SELECT id, contact_id, kind, value, label, is_primary, created_at
                  FROM masked_handles(%(contact_ids)s::uuid[])) AS h
         ORDER BY h.created_at, h.id
        """,
        contact_ids=list(contact_ids),
    )


async def list_contacts(
    tx: Tx, query: ListQuery = FIRST_PAGE, *, text: str = "", listing: Listing | None = None
) -> Page[ContactLine]:
    """Contacts that a filter keeps, in order; `text` keeps those whose name, title, company or handle contains it.

    `listing` spares asking for the custom fields again. Raises: Unprocessable for a cursor of another list.
    """
    tx.principal.require("contacts:read")
    listing = listing or await contact_listing(tx)
    kept = Every((query.filter, containing(text.strip().removeprefix("@"), SEARCHED)))
    return await fetch_page(tx, ContactLine, listing, replace(query, filter=kept))


async def list_contacts_of_company(tx: Tx, company_id: CompanyId, *, limit: int = 25) -> list[Contact]:
    """The people we know at one company, by name."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Contact,
        """
        SELECT id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
               telegram_consent, owner_id, bidi_id, custom, created_at, updated_at, deleted_at, merged_into_id,
               version
          FROM contacts
         WHERE company_id = %(company_id)s
           AND deleted_at IS NULL
         ORDER BY name, id
         LIMIT %(limit)s
        """,
        company_id=company_id,
        limit=page_size(limit),
    )


async def list_contacts_of_companies(
    tx: Tx, company_ids: Collection[CompanyId], *, most: int = 25
) -> list[Contact]:
    """The people we know at some companies, by name, at most so many of each."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Contact,
        """
        SELECT c.id, c.name, c.title, c.company_id, c.language, c.time_zone, c.note, c.suppressed_at,
               c.suppressed_reason, c.telegram_consent, c.owner_id, c.bidi_id, c.custom, c.created_at, c.updated_at,
               c.deleted_at, c.merged_into_id, c.version
          FROM unnest(%(company_ids)s::uuid[]) AS wanted (company_id)
         CROSS JOIN LATERAL (
               SELECT p.id, p.name, p.title, p.company_id, p.language, p.time_zone, p.note, p.suppressed_at,
                      p.suppressed_reason, p.telegram_consent, p.owner_id, p.bidi_id, p.custom, p.created_at,
                      p.updated_at, p.deleted_at, p.merged_into_id, p.version
                 FROM contacts p
                WHERE p.company_id = wanted.company_id
                  AND p.deleted_at IS NULL
                ORDER BY p.name, p.id
                LIMIT %(most)s) c
        """,
        company_ids=list(company_ids),
        most=most,
    )


async def list_consents(tx: Tx, contact_id: ContactId) -> list[Consent]:
    """What holds now for every channel that something was ever said about."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Consent,
        """
        SELECT DISTINCT ON (channel) channel, is_given, source, given_at
          FROM contact_consents
         WHERE contact_id = %(contact_id)s
         ORDER BY channel, given_at DESC, id DESC
        """,
        contact_id=contact_id,
    )


async def list_consent_history(tx: Tx, contact_id: ContactId) -> list[Statement]:
    """Everything that was ever said about consent, with what held before it, the latest first."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Statement,
        """
        WITH said AS (
            SELECT id, channel, is_given, source, given_at, recorded_by_kind, recorded_by_id,
                   lag(is_given) OVER (PARTITION BY channel ORDER BY given_at, id) AS was_given
              FROM contact_consents
             WHERE contact_id = %(contact_id)s
        )
        SELECT s.channel, s.is_given, s.source, s.given_at, s.was_given, s.recorded_by_kind, s.recorded_by_id,
               coalesce(m.name, b.name) AS recorded_by_name
          FROM said s
          LEFT JOIN members m ON s.recorded_by_kind = 'user' AND m.user_id = s.recorded_by_id
          LEFT JOIN bidi b ON s.recorded_by_kind = 'bidi' AND b.id = s.recorded_by_id
         ORDER BY s.given_at DESC, s.id DESC
         LIMIT 100
        """,
        contact_id=contact_id,
    )
