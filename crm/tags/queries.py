"""Reading tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from crm.tags.models import Tag
from events.ids import RecordKind, TagId


@dataclass(frozen=True)
class RecordTag:
    """A tag on a record."""

    record_id: UUID
    id: TagId
    name: str
    tint: int


async def list_tags(tx: Tx) -> list[Tag]:
    """Every tag of the organization, by name."""
    tx.principal.require("contacts:read")
    return await tx.all(Tag, "SELECT id, name, tint FROM tags ORDER BY plain_name, id")


async def list_tags_of(tx: Tx, kind: RecordKind, record_ids: Sequence[UUID]) -> list[RecordTag]:
    """The tags of many records of one kind, by name."""
    tx.principal.require("contacts:read")
    return await tx.all(
        RecordTag,
        """
        SELECT r.record_id, t.id, t.name, t.tint
          FROM record_tags r
          JOIN tags t ON t.organization_id = r.organization_id AND t.id = r.tag_id
         WHERE r.record_kind = %(kind)s
           AND r.record_id = ANY(%(record_ids)s)
         ORDER BY r.record_id, t.plain_name
        """,
        kind=kind,
        record_ids=list(record_ids),
    )
