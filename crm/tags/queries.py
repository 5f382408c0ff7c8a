"""Reading tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from core.pagination import Page
from core.sql import FIRST_PAGE, ListQuery, fetch_page
from crm.tags.fields import TAGS
from crm.tags.models import Tag, TagLine
from events.ids import RecordKind, TagId


@dataclass(frozen=True)
class RecordTag:
    """A tag on a record."""

    record_id: UUID
    id: TagId
    name: str
    tint: int


async def get_tag(tx: Tx, tag_id: TagId, *, lock: bool = False) -> Tag:
    """One tag; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound.
    """
    tx.principal.require("contacts:read")
    if lock:
        await tx.execute("SELECT FROM tags WHERE id = %(tag_id)s FOR UPDATE", tag_id=tag_id)
    return await tx.one(Tag, "SELECT id, name, tint, version FROM tags WHERE id = %(tag_id)s", tag_id=tag_id)


async def list_tags(tx: Tx) -> list[Tag]:
    """Every tag of the organization, by name."""
    tx.principal.require("contacts:read")
    return await tx.all(Tag, "SELECT id, name, tint, version FROM tags ORDER BY plain_name, id")


async def list_tag_lines(tx: Tx, query: ListQuery = FIRST_PAGE) -> Page[TagLine]:
    """Tags that a filter keeps, in order, with what each stands on."""
    tx.principal.require("contacts:read")
    return await fetch_page(tx, TagLine, TAGS, query)


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


async def list_filters_with(tx: Tx, tag_id: TagId) -> list[str]:
    """The names of the segments, and of the saved views that the principal sees, that ask for a tag."""
    return [
        found.name
        for found in await tx.all(
            _Named,
            """
            SELECT name FROM segments
             WHERE deleted_at IS NULL AND strpos(filter::text, %(tag)s) > 0
             UNION
            SELECT name FROM views
             WHERE deleted_at IS NULL AND strpos(filter::text, %(tag)s) > 0
               AND (is_shared OR made_by = %(me)s)
             ORDER BY name
            """,
            tag=f'"{tag_id}"',
            me=tx.principal.id,
        )
    ]


@dataclass(frozen=True)
class _Named:
    name: str
