"""Reading requests."""

from typing import LiteralString

from core.db import Tx
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from crm.privacy.models import MANAGE, Request
from events.ids import PrivacyRequestId

_REQUEST: LiteralString = """
    SELECT r.id, r.organization_id, r.kind, r.status, r.contact_id, r.contact_ids, c.name AS contact_name, r.why, r.asked_by,
           m.name AS asked_by_name, r.asked_at, r.due_at, r.confirmed_by, r.found, r.quoted, r.left_over, r.held,
           r.blob_key, r.size_bytes, r.expires_at, r.finished_at
      FROM privacy_requests r
      LEFT JOIN contacts c ON (c.organization_id, c.id) = (r.organization_id, r.contact_id)
      LEFT JOIN members m ON (m.organization_id, m.user_id) = (r.organization_id, r.asked_by)
    """


async def get_request(tx: Tx, request_id: PrivacyRequestId, *, lock: bool = False) -> Request:
    """Raises: Forbidden; NotFound."""
    tx.principal.require(MANAGE)
    if lock:
        await tx.execute("SELECT FROM privacy_requests WHERE id = %(id)s FOR UPDATE", id=request_id)
    return await tx.one(Request, _REQUEST + "WHERE r.id = %(id)s", id=request_id)


async def list_requests(tx: Tx, *, cursor: str | None = None, limit: int = 25) -> Page[Request]:
    """The newest first. Raises: Forbidden."""
    tx.principal.require(MANAGE)
    size = page_size(limit)
    found = await tx.all(
        Request,
        _REQUEST
        + """
         WHERE %(before)s::uuid IS NULL OR r.id < %(before)s
         ORDER BY r.id DESC
         LIMIT %(limit)s
        """,
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(found, size, after=lambda one: encode_cursor(one.id))
