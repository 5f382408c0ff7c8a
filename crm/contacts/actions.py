"""Making, finding again, changing and suppressing contacts."""

from collections.abc import Mapping, Sequence

from core import clock
from core.db import Tx
from core.errors import Conflict, NotFound, Stale, Unprocessable
from core.ids import uuid7
from crm.companies.queries import get_company
from crm.contacts.matches import MatchReason, note_match
from crm.contacts.models import Contact, ContactEdit, HandleKind, NewContact, normalize_handle
from crm.contacts.queries import find_contact_by_handles, get_contact
from events.ids import CompanyId, ContactId
from events.outbox import emit
from events.types import ContactCreated, ContactUpdated


async def resolve_contact(
    tx: Tx, *, handles: tuple[tuple[str, str], ...], name: str, language: str
) -> Contact:
    """The contact behind these handles, made if nobody has them yet; handles that it lacked are attached.

    `handles` are (kind, value) pairs, the surest first. Two transactions that meet the same new person at once
    end with one contact: the second waits for the first.

    Raises:
        Unprocessable: no handle, or one of an unknown kind.
        Forbidden: the principal may not write contacts.
    """
    tx.principal.require("contacts:write")
    known = tuple(dict.fromkeys(normalize_handle(kind, value) for kind, value in handles))
    if not known:
        raise Unprocessable("A contact cannot be told apart without a handle; the channel gave none.")
    contact = await find_contact_by_handles(tx, known)
    if contact is None:
        contact = await _create_claiming(tx, known[0], name=name, language=language)
    if contact is None:
        contact = await _get_claimed(tx, known[0])
    added = await _attach(tx, contact.id, known)
    if len(known) > 1 and len(added) < len(known):
        await _note_shared_handles(tx, contact.id, known)
    return contact


async def _note_shared_handles(
    tx: Tx, contact_id: ContactId, handles: Sequence[tuple[HandleKind, str]]
) -> None:
    """A handle that stayed with another contact says that the two may be one; merging them is for a person."""
    for kind, value in handles:
        owner = await find_contact_by_handles(tx, ((kind, value),))
        # a Telegram username passes from one person to the next
        if owner is not None and kind is not HandleKind.TELEGRAM_USERNAME:
            await note_match(tx, contact_id, owner.id, MatchReason.SAME_HANDLE, value)


async def _create_claiming(
    tx: Tx, handle: tuple[HandleKind, str], *, name: str, language: str
) -> Contact | None:
    """Insert a contact together with its surest handle; None when another transaction took the handle first."""
    kind, value = handle
    # The unique key on the handle decides: an insert that meets an uncommitted twin waits for it. The foreign
    # key from handle to contact is checked at the end of the statement, when both rows are there.
    contact = await tx.find(
        Contact,
        """
        WITH claimed AS (
            INSERT INTO contact_handles (organization_id, id, contact_id, kind, value)
            VALUES (%(organization_id)s, %(handle_id)s, %(contact_id)s, %(kind)s, %(value)s)
            ON CONFLICT (organization_id, kind, value) DO NOTHING
            RETURNING contact_id
        )
        INSERT INTO contacts (organization_id, id, name, language)
        SELECT %(organization_id)s, contact_id, %(name)s, %(language)s
          FROM claimed
        RETURNING id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
                  telegram_consent, version
        """,
        organization_id=tx.organization_id,
        handle_id=uuid7(),
        contact_id=uuid7(),
        kind=kind.value,
        value=value,
        name=name.strip() or value,
        language=language or "en",
    )
    if contact is not None:
        await emit(tx, ContactCreated(contact.id))
    return contact


async def _get_claimed(tx: Tx, handle: tuple[HandleKind, str]) -> Contact:
    contact = await find_contact_by_handles(tx, (handle,))
    if contact is None:
        raise Conflict(f"The contact of this {handle[0]} was removed meanwhile; try again.")
    return contact


async def _attach(
    tx: Tx, contact_id: ContactId, handles: Sequence[tuple[HandleKind, str]]
) -> list[HandleKind]:
    """Give the contact the handles that nobody has; return the kinds that were added. One that another contact
    has stays there."""
    added: list[HandleKind] = []
    for kind, value in sorted(handles):  # one order for everybody, so that two transactions cannot deadlock
        count = await tx.execute(
            """
            INSERT INTO contact_handles (organization_id, id, contact_id, kind, value)
            VALUES (%(organization_id)s, %(id)s, %(contact_id)s, %(kind)s, %(value)s)
            ON CONFLICT (organization_id, kind, value) DO NOTHING
            """,
            organization_id=tx.organization_id,
            id=uuid7(),
            contact_id=contact_id,
            kind=kind.value,
            value=value,
        )
        if count:
            added.append(kind)
    return added


async def create_contact(tx: Tx, new: NewContact) -> Contact:
    """Add somebody by hand or by import.

    Raises:
        Unprocessable: no name, a company that is not there, or a malformed handle.
        Conflict: a handle belongs to another contact.
    """
    tx.principal.require("contacts:write")
    if not new.name.strip():
        raise Unprocessable("A contact needs a name.", field="name")
    await _require_company(tx, new.company_id)
    contact = await tx.one(
        Contact,
        """
        INSERT INTO contacts (organization_id, id, name, title, company_id, language, time_zone, note)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(title)s, %(company_id)s, %(language)s, %(time_zone)s,
                %(note)s)
        RETURNING id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
                  telegram_consent, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=new.name.strip(),
        title=new.title,
        company_id=new.company_id,
        language=new.language,
        time_zone=new.time_zone,
        note=new.note,
    )
    await emit(tx, ContactCreated(contact.id))
    for kind, value in new.handles:
        await add_handle(tx, contact.id, kind, value)
    return contact


async def add_handle(tx: Tx, contact_id: ContactId, kind: str, value: str) -> None:
    """Give a contact one more address.

    Raises:
        NotFound: no such contact.
        Conflict: the address belongs to another contact.
    """
    await get_contact(tx, contact_id)
    tx.principal.require("contacts:write")
    handle = normalize_handle(kind, value)
    if await _attach(tx, contact_id, (handle,)):
        return
    owner = await find_contact_by_handles(tx, (handle,))
    if owner is None or owner.id != contact_id:
        raise Conflict(f"This {handle[0]} already belongs to {owner.name if owner else 'another contact'}.")


async def update_contact(tx: Tx, contact_id: ContactId, edit: ContactEdit, *, version: int) -> Contact:
    """Change some fields of a contact; an edit that changes nothing leaves no trace.

    Raises:
        NotFound: no such contact.
        Stale: changed since `version` was read.
        Unprocessable: an empty name.
    """
    contact = await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    if contact.version != version:
        raise Stale(f"{contact.name} was changed meanwhile; reload and try again.")
    if edit.name is not None and not edit.name.strip():
        raise Unprocessable("A contact needs a name.", field="name")
    changes = _changes(contact, edit)
    if not changes:
        return contact
    await _require_company(tx, edit.company_id)
    updated = await tx.one(
        Contact,
        """
        UPDATE contacts
           SET name = coalesce(%(name)s, name),
               title = coalesce(%(title)s, title),
               company_id = coalesce(%(company_id)s, company_id),
               language = coalesce(%(language)s, language),
               time_zone = coalesce(%(time_zone)s, time_zone),
               note = coalesce(%(note)s, note),
               version = version + 1
         WHERE id = %(contact_id)s
        RETURNING id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
                  telegram_consent, version
        """,
        contact_id=contact_id,
        name=edit.name,
        title=edit.title,
        company_id=edit.company_id,
        language=edit.language,
        time_zone=edit.time_zone,
        note=edit.note,
    )
    await emit(tx, ContactUpdated(contact_id), changes=changes)
    return updated


async def _require_company(tx: Tx, company_id: CompanyId | None) -> None:
    """Raises: Unprocessable for a company that is not there."""
    if company_id is None:
        return
    try:
        await get_company(tx, company_id)
    except NotFound as err:
        raise Unprocessable(f"There is no company {company_id}; make it first.", field="company_id") from err


def _changes(contact: Contact, edit: ContactEdit) -> Mapping[str, tuple[object, object]]:
    pairs: dict[str, tuple[object, object]] = {
        "name": (contact.name, edit.name),
        "title": (contact.title, edit.title),
        "company_id": (contact.company_id, edit.company_id),
        "language": (contact.language, edit.language),
        "time_zone": (contact.time_zone, edit.time_zone),
        "note": (contact.note, edit.note),
    }
    return {field: pair for field, pair in pairs.items() if pair[1] is not None and pair[0] != pair[1]}


async def suppress_contact(tx: Tx, contact_id: ContactId, reason: str) -> Contact:
    """Stop writing to somebody who asked us to; a second call keeps the first time and reason.

    Raises: NotFound.
    """
    contact = await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    if contact.is_suppressed:
        return contact
    suppressed = await tx.one(
        Contact,
        """
        UPDATE contacts
           SET suppressed_at = %(now)s, suppressed_reason = %(reason)s, telegram_consent = false,
               version = version + 1
         WHERE id = %(contact_id)s
        RETURNING id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
                  telegram_consent, version
        """,
        contact_id=contact_id,
        now=clock.now(),
        reason=reason,
    )
    changes: dict[str, tuple[object, object]] = {
        "suppressed_at": (None, suppressed.suppressed_at),
        "telegram_consent": (contact.telegram_consent, suppressed.telegram_consent),
    }
    await emit(tx, ContactUpdated(contact_id), changes=changes)
    return suppressed


async def suppress_handle(tx: Tx, kind: str, value: str, reason: str) -> None:
    """Note that an address does not take what we send; whoever has it can be reached by others."""
    tx.principal.require("contacts:write")
    known, text = normalize_handle(kind, value)
    contact_id = await tx.value(
        """
        UPDATE contact_handles
           SET suppressed_at = %(now)s, suppressed_reason = %(reason)s
         WHERE kind = %(kind)s
           AND value = %(value)s
           AND suppressed_at IS NULL
        RETURNING contact_id
        """,
        now=clock.now(),
        reason=reason,
        kind=known.value,
        value=text,
    )
    if contact_id is not None:
        changes: dict[str, tuple[object, object]] = {f"{known} {text}": ("", f"suppressed: {reason}")}
        await emit(tx, ContactUpdated(ContactId(contact_id)), changes=changes)
