"""Reading contacts and their handles."""

from uuid import UUID

from core.db import Tx
from core.pagination import Page, decode_cursor, encode_cursor, page_size
from crm.contacts.models import Contact, Handle, HandleKind, normalize_handle
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
               telegram_consent, version
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
               c.suppressed_reason, c.telegram_consent, c.version
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
    """Every address of one contact, the oldest first."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Handle,
        """
        SELECT id, contact_id, kind, value
          FROM contact_handles
         WHERE contact_id = %(contact_id)s
         ORDER BY created_at, id
        """,
        contact_id=contact_id,
    )


async def list_contacts(
    tx: Tx, *, text: str = "", cursor: str | None = None, limit: int = 25
) -> Page[Contact]:
    """Contacts by name; `text` keeps those whose name, title, company or handle contains it."""
    tx.principal.require("contacts:read")
    size = page_size(limit)
    after_name, after_id = decode_cursor(cursor, 2) if cursor else ("", str(UUID(int=0)))
    contacts = await tx.all(
        Contact,
        """
        SELECT c.id, c.name, c.title, c.company_id, c.language, c.time_zone, c.note, c.suppressed_at,
               c.suppressed_reason, c.telegram_consent, c.version
          FROM contacts c
          LEFT JOIN companies o ON o.organization_id = c.organization_id AND o.id = c.company_id
         WHERE (c.name, c.id) > (%(after_name)s, %(after_id)s::uuid)
           AND (%(text)s = ''
                OR strpos(lower(c.name), lower(%(text)s)) > 0
                OR strpos(lower(c.title), lower(%(text)s)) > 0
                OR strpos(lower(o.name), lower(%(text)s)) > 0
                OR EXISTS (
                   SELECT FROM contact_handles h
                    WHERE h.organization_id = c.organization_id
                      AND h.contact_id = c.id
                      AND strpos(h.value, lower(%(text)s)) > 0))
         ORDER BY c.name, c.id
         LIMIT %(limit)s
        """,
        text=text.strip().removeprefix("@"),
        after_name=after_name,
        after_id=after_id,
        limit=size + 1,
    )
    page = contacts[:size]
    return Page(page, encode_cursor(page[-1].name, page[-1].id) if len(contacts) > size else None)


async def list_contacts_of_company(tx: Tx, company_id: CompanyId, *, limit: int = 25) -> list[Contact]:
    """The people we know at one company, by name."""
    tx.principal.require("contacts:read")
    return await tx.all(
        Contact,
        """
        SELECT id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
               telegram_consent, version
          FROM contacts
         WHERE company_id = %(company_id)s
         ORDER BY name, id
         LIMIT %(limit)s
        """,
        company_id=company_id,
        limit=page_size(limit),
    )
