"""Making, finding again, changing and suppressing contacts."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from core import clock
from core.db import Tx
from core.edits import KEEP, Keep, assignments, differences, given
from core.errors import Conflict, NotFound, Stale, Unprocessable
from core.ids import uuid7
from crm.bidi.queries import require_bidi
from crm.companies.queries import get_company
from crm.contacts.matches import MatchReason, note_match
from crm.contacts.models import (
    ConsentChannel,
    Contact,
    ContactEdit,
    Handle,
    HandleKind,
    NewContact,
    normalize_handle,
)
from crm.contacts.queries import find_contact_by_handles, get_contact
from crm.custom_fields.links import require_linked
from crm.custom_fields.models import merged
from crm.custom_fields.queries import custom_fields_of
from crm.identity.queries import require_member
from events.ids import BidiId, CompanyId, ContactId, MemberId, RecordKind
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
    if contact.deleted_at is not None and contact.merged_into_id is None:
        contact = await restore_contact(tx, contact.id)  # who writes to us is no longer in the trash
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
                  telegram_consent, owner_id, bidi_id, custom, created_at, updated_at, deleted_at, merged_into_id,
                  version
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
    await _require_links(tx, new.company_id, new.owner_id, new.bidi_id)
    contact = await tx.one(
        Contact,
        """
        INSERT INTO contacts (organization_id, id, name, title, company_id, language, time_zone, note, owner_id,
                              bidi_id, custom)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(title)s, %(company_id)s, %(language)s, %(time_zone)s,
                %(note)s, %(owner_id)s, %(bidi_id)s, %(custom)s)
        RETURNING id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
                  telegram_consent, owner_id, bidi_id, custom, created_at, updated_at, deleted_at, merged_into_id,
                  version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=new.name.strip(),
        title=new.title,
        company_id=new.company_id,
        language=new.language,
        time_zone=new.time_zone,
        note=new.note,
        owner_id=new.owner_id,
        bidi_id=new.bidi_id,
        custom=Jsonb(merged({}, await _checked_new(tx, new.custom))),
    )
    await emit(tx, ContactCreated(contact.id))
    for kind, value in new.handles:
        await _add_handle(tx, contact.id, kind, value)
    return contact


async def add_handle(tx: Tx, contact_id: ContactId, kind: str, value: str, *, label: str = "") -> None:
    """Give a contact one more address; `label` says which one it is, as in "office".

    Raises:
        NotFound: no such contact.
        Conflict: the address belongs to another contact.
    """
    await get_contact(tx, contact_id)
    tx.principal.require("contacts:write")
    is_new = await _add_handle(tx, contact_id, kind, value)
    known, text = normalize_handle(kind, value)
    if label.strip():
        await _label_handle(tx, contact_id, known, text, label.strip())
    if is_new or label.strip():
        await emit(tx, ContactUpdated(contact_id), changes={known.value: (None, text)})


async def _label_handle(tx: Tx, contact_id: ContactId, kind: HandleKind, value: str, label: str) -> None:
    await tx.execute(
        """
        UPDATE contact_handles
           SET label = %(label)s
         WHERE contact_id = %(contact_id)s
           AND kind = %(kind)s
           AND value = %(value)s
        """,
        label=label,
        contact_id=contact_id,
        kind=kind.value,
        value=value,
    )


async def _add_handle(tx: Tx, contact_id: ContactId, kind: str, value: str) -> bool:
    """Whether the contact lacked it. Raises: Conflict when it belongs to another contact."""
    handle = normalize_handle(kind, value)
    if await _attach(tx, contact_id, (handle,)):
        return True
    owner = await find_contact_by_handles(tx, (handle,))
    if owner is None or owner.id != contact_id:
        raise Conflict(f"This {handle[0]} already belongs to {owner.name if owner else 'another contact'}.")
    return False


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
    if edit.name is not KEEP and not edit.name.strip():
        raise Unprocessable("A contact needs a name.", field="name")
    new = given(edit)
    if edit.custom is not KEEP:
        new["custom"] = merged(contact.custom, await _checked(tx, edit.custom))
    changes = differences(contact, new)
    if not changes:
        return contact
    await _require_links(tx, edit.company_id, edit.owner_id, edit.bidi_id)
    return await _write(tx, contact_id, changes)


async def _write(tx: Tx, contact_id: ContactId, changes: Mapping[str, tuple[object, object]]) -> Contact:
    """Write the new values of a contact that is locked, and tell of them."""
    values = {name: after for name, (_, after) in changes.items()} | {"updated_at": clock.now()}
    updated = await tx.one(
        Contact,
        sql.SQL(
            """
        UPDATE contacts
           SET {values}, version = version + 1
         WHERE id = %(contact_id)s
        RETURNING id, name, title, company_id, language, time_zone, note, suppressed_at, suppressed_reason,
                  telegram_consent, owner_id, bidi_id, custom, created_at, updated_at, deleted_at, merged_into_id,
                  version
        """
        ).format(values=assignments(values)),
        contact_id=contact_id,
    )
    await emit(tx, ContactUpdated(contact_id), changes=changes)
    return updated


async def _checked_new(tx: Tx, custom: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    fields = await custom_fields_of(tx, RecordKind.CONTACT)
    return await require_linked(tx, fields, fields.check_new(custom))


async def _checked(tx: Tx, custom: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    fields = await custom_fields_of(tx, RecordKind.CONTACT)
    return await require_linked(tx, fields, fields.check(custom))


async def _require_links(
    tx: Tx,
    company_id: CompanyId | Keep | None,
    owner_id: MemberId | Keep | None,
    bidi_id: BidiId | Keep | None,
) -> None:
    """Raises: Unprocessable for a company, person or seat that is not there."""
    if isinstance(company_id, UUID):
        try:
            await get_company(tx, company_id)
        except NotFound as err:
            raise Unprocessable(
                f"There is no company {company_id}; make it first.", field="company_id"
            ) from err
    if isinstance(owner_id, UUID):
        await require_member(tx, owner_id)
    if isinstance(bidi_id, UUID):
        await require_bidi(tx, bidi_id)


async def delete_contact(tx: Tx, contact_id: ContactId, *, version: int | None) -> Contact:
    """Put a contact into the trash, whatever its version without one; no list shows it, and its talks stay.

    Raises: NotFound, Stale.
    """
    contact = await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    if version is not None and contact.version != version:
        raise Stale(f"{contact.name} was changed meanwhile; reload and try again.")
    if contact.deleted_at is not None:
        return contact
    return await _write(tx, contact_id, {"deleted_at": (None, clock.now())})


async def restore_contact(tx: Tx, contact_id: ContactId) -> Contact:
    """Take a contact out of the trash. Raises: NotFound; Conflict when it was merged into another one."""
    contact = await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    if contact.merged_into_id is not None:
        raise Conflict(f"{contact.name} was merged into another contact; undo the merge instead.")
    if contact.deleted_at is None:
        return contact
    return await _write(tx, contact_id, {"deleted_at": (contact.deleted_at, None)})


async def record_consent(
    tx: Tx, contact_id: ContactId, channel: ConsentChannel, *, is_given: bool, source: str
) -> None:
    """Keep that somebody gave or took back their consent for a channel; earlier statements stay on record.

    Raises: NotFound; Unprocessable without a source.
    """
    await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    if not source.strip():
        raise Unprocessable("Say where the consent comes from.", field="source")
    await tx.execute(
        """
        INSERT INTO contact_consents (organization_id, id, contact_id, channel, is_given, source, given_at,
                                      recorded_by_kind, recorded_by_id)
        VALUES (%(organization_id)s, %(id)s, %(contact_id)s, %(channel)s, %(is_given)s, %(source)s, %(now)s,
                %(kind)s, %(actor)s)
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        contact_id=contact_id,
        channel=channel,
        is_given=is_given,
        source=source.strip(),
        now=clock.now(),
        kind=tx.principal.kind,
        actor=tx.principal.id,
    )
    changes: dict[str, tuple[object, object]] = {f"consent {channel}": (None, is_given)}
    if channel is ConsentChannel.TELEGRAM:
        await tx.execute(
            "UPDATE contacts SET telegram_consent = %(is_given)s WHERE id = %(contact_id)s",
            is_given=is_given,
            contact_id=contact_id,
        )
    await emit(tx, ContactUpdated(contact_id), changes=changes)


async def remove_handle(tx: Tx, contact_id: ContactId, handle_id: UUID) -> None:
    """Take an address away from a contact; nothing happens when it is gone already. Raises: NotFound."""
    await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    removed = await tx.find(
        Handle,
        """
        DELETE FROM contact_handles
         WHERE contact_id = %(contact_id)s AND id = %(handle_id)s
        RETURNING id, contact_id, kind, value, label, is_primary
        """,
        contact_id=contact_id,
        handle_id=handle_id,
    )
    if removed is not None:
        changes: dict[str, tuple[object, object]] = {removed.kind: (removed.value, None)}
        await emit(tx, ContactUpdated(contact_id), changes=changes)


async def prefer_handle(tx: Tx, contact_id: ContactId, handle_id: UUID) -> None:
    """Use this address before others of its kind. Raises: NotFound."""
    await get_contact(tx, contact_id, lock=True)
    tx.principal.require("contacts:write")
    handle = await tx.one(
        Handle,
        """
        SELECT id, contact_id, kind, value, label, is_primary
          FROM contact_handles
         WHERE contact_id = %(contact_id)s AND id = %(handle_id)s
        """,
        contact_id=contact_id,
        handle_id=handle_id,
    )
    # two statements: a unique index lets no moment pass with two primary ones
    for is_primary in (False, True):
        await tx.execute(
            """
            UPDATE contact_handles
               SET is_primary = %(is_primary)s
             WHERE contact_id = %(contact_id)s
               AND kind = %(kind)s
               AND (id = %(handle_id)s) = %(is_primary)s
            """,
            is_primary=is_primary,
            contact_id=contact_id,
            kind=handle.kind,
            handle_id=handle_id,
        )
    changes: dict[str, tuple[object, object]] = {f"first {handle.kind}": (None, handle.value)}
    await emit(tx, ContactUpdated(contact_id), changes=changes)


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
                  telegram_consent, owner_id, bidi_id, custom, created_at, updated_at, deleted_at, merged_into_id,
                  version
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
