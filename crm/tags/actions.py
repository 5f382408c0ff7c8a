"""Making tags and putting them on records."""

from uuid import UUID

from core.db import Tx
from core.errors import Unprocessable
from core.ids import uuid7
from crm.tags.models import Tag
from events.ids import RecordKind, TagId

MAX_NAME = 60


async def ensure_tag(tx: Tx, name: str) -> Tag:
    """The tag of this name in any case, made if it is new. Raises: Unprocessable."""
    tx.principal.require("contacts:write")
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME:
        raise Unprocessable(f"A tag needs a name of at most {MAX_NAME} characters.", field="tag")
    # DO UPDATE, not DO NOTHING: it locks and returns the row that another transaction has just made
    return await tx.one(
        Tag,
        """
        INSERT INTO tags (organization_id, id, name, tint)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(tint)s)
        ON CONFLICT (organization_id, plain_name) DO UPDATE SET plain_name = DEFAULT
        RETURNING id, name, tint
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=plain,
        tint=sum(plain.lower().encode()) % 8,
    )


async def put_tag(tx: Tx, kind: RecordKind, record_id: UUID, tag_id: TagId) -> bool:
    """Put a tag on a record that the caller has read; whether it was not there before."""
    tx.principal.require(f"{_SCOPES[kind]}:write")
    count = await tx.execute(
        """
        INSERT INTO record_tags (organization_id, record_kind, record_id, tag_id)
        SELECT %(organization_id)s, %(kind)s, %(record_id)s, id
          FROM tags
         WHERE id = %(tag_id)s
        ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        kind=kind,
        record_id=record_id,
        tag_id=tag_id,
    )
    return count > 0


async def take_tag(tx: Tx, kind: RecordKind, record_id: UUID, tag_id: TagId) -> bool:
    """Take a tag off a record; whether it was there."""
    tx.principal.require(f"{_SCOPES[kind]}:write")
    count = await tx.execute(
        """
        DELETE FROM record_tags
         WHERE record_kind = %(kind)s AND record_id = %(record_id)s AND tag_id = %(tag_id)s
        """,
        kind=kind,
        record_id=record_id,
        tag_id=tag_id,
    )
    return count > 0


async def delete_tag(tx: Tx, tag_id: TagId) -> None:
    """Take a tag off every record and away; nothing happens when it is gone already."""
    tx.principal.require("fields:write")
    await tx.execute("DELETE FROM tags WHERE id = %(tag_id)s", tag_id=tag_id)


_SCOPES = {
    RecordKind.CONTACT: "contacts",
    RecordKind.COMPANY: "companies",
    RecordKind.LEAD: "leads",
    RecordKind.DEAL: "deals",
}
