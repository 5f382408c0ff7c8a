"""Looking up the record that something is to hang on, or hangs on, whichever kind it is."""

from collections.abc import Mapping
from typing import LiteralString

from core.db import Tx
from core.errors import Conflict, NotFound, Unprocessable
from crm.records.models import Record, RecordRef
from events.ids import RecordKind

_SCOPES: Mapping[RecordKind, str] = {
    RecordKind.CONTACT: "contacts:read",
    RecordKind.COMPANY: "companies:read",
    RecordKind.LEAD: "leads:read",
    RecordKind.DEAL: "deals:read",
}
# The closed list of what can be referred to.
_FIND: Mapping[RecordKind, LiteralString] = {
    RecordKind.CONTACT: """
        SELECT 'contact' AS kind, id, name, deleted_at IS NOT NULL AS is_deleted
          FROM contacts
         WHERE id = %(id)s
        """,
    RecordKind.COMPANY: """
        SELECT 'company' AS kind, id, name, deleted_at IS NOT NULL AS is_deleted
          FROM companies
         WHERE id = %(id)s
        """,
    RecordKind.DEAL: """
        SELECT 'deal' AS kind, id, name, deleted_at IS NOT NULL AS is_deleted
          FROM deals
         WHERE id = %(id)s
        """,
    RecordKind.LEAD: """
        SELECT 'lead' AS kind, l.id, c.name, l.deleted_at IS NOT NULL AS is_deleted
          FROM leads l
          JOIN contacts c ON (c.organization_id, c.id) = (l.organization_id, l.contact_id)
         WHERE l.id = %(id)s
        """,
}


async def get_record(tx: Tx, ref: RecordRef, *, keep: bool = False) -> Record:
    """A record with its name, also one in the trash; `keep` holds it there until the transaction ends.

    Raises: NotFound, Forbidden.
    """
    tx.principal.require(_SCOPES[ref.kind])
    query = _FIND[ref.kind] + " FOR KEY SHARE" if keep else _FIND[ref.kind]
    found = await tx.find(Record, query, id=ref.id)
    if found is None:
        raise NotFound(f"No such {ref.kind.value} in this organization.")
    return found


async def require_record(tx: Tx, ref: RecordRef) -> Record:
    """The record that something new is to hang on.

    Raises:
        Unprocessable: no such record.
        Conflict: it is in the trash.
    """
    try:
        record = await get_record(tx, ref, keep=True)
    except NotFound as err:
        raise Unprocessable(
            f"There is no {ref.kind.value} {ref.id}; choose one that is there.", field="record_id"
        ) from err
    if record.is_deleted:
        raise Conflict(f"{record.name} is in the trash; restore it first.")
    return record
