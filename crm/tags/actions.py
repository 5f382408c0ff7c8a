"""Making, changing and merging tags, and putting them on records."""

from collections.abc import Callable, Mapping
from uuid import UUID

from psycopg import sql
from psycopg.errors import UniqueViolation

from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.tags.models import MAX_NAME, TINTS, Tag, TagEdit
from crm.tags.queries import get_tag, list_filters_with
from events.ids import CompanyId, ContactId, DealId, LeadId, RecordKind, TagId
from events.outbox import emit
from events.types import (
    CompanyUpdated,
    ContactUpdated,
    DealUpdated,
    Event,
    LeadUpdated,
    TagCreated,
    TagMerged,
    TagRemoved,
    TagUpdated,
)

_SCOPES = {
    RecordKind.CONTACT: "contacts",
    RecordKind.COMPANY: "companies",
    RecordKind.LEAD: "leads",
    RecordKind.DEAL: "deals",
}
_UPDATED: Mapping[RecordKind, Callable[[UUID], Event]] = {
    RecordKind.CONTACT: lambda id: ContactUpdated(ContactId(id)),
    RecordKind.COMPANY: lambda id: CompanyUpdated(CompanyId(id)),
    RecordKind.LEAD: lambda id: LeadUpdated(LeadId(id)),
    RecordKind.DEAL: lambda id: DealUpdated(DealId(id)),
}


async def create_tag(tx: Tx, name: str, *, tint: int | None = None) -> Tag:
    """Make a tag. Raises: Unprocessable; Conflict when there is one of this name, in any case."""
    tx.principal.require("fields:write")
    plain, colour = _checked_name(name), _checked_tint(tint)
    tag = await tx.find(
        Tag,
        """
        INSERT INTO tags (organization_id, id, name, tint)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(tint)s)
            ON CONFLICT (organization_id, plain_name) DO NOTHING
        RETURNING id, name, tint, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=plain,
        tint=_tint_of(plain) if colour is None else colour,
    )
    if tag is None:
        raise _taken(plain)
    await emit(tx, TagCreated(tag.id))
    return tag


async def ensure_tag(tx: Tx, name: str) -> Tag:
    """The tag of this name in any case, made if it is new. Raises: Unprocessable."""
    tx.principal.require("contacts:write")
    plain, id = _checked_name(name), uuid7()
    # DO UPDATE, not DO NOTHING: it locks and returns the row that another transaction has just made
    tag = await tx.one(
        Tag,
        """
        INSERT INTO tags (organization_id, id, name, tint)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(tint)s)
        ON CONFLICT (organization_id, plain_name) DO UPDATE SET plain_name = DEFAULT
        RETURNING id, name, tint, version
        """,
        organization_id=tx.organization_id,
        id=id,
        name=plain,
        tint=_tint_of(plain),
    )
    if tag.id == id:
        await emit(tx, TagCreated(tag.id))
    return tag


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME or "\x00" in plain:
        raise Unprocessable(f"A tag needs a name of at most {MAX_NAME} characters.", field="tag")
    return plain


def _checked_tint(tint: int | None) -> int | None:
    if tint is not None and tint not in TINTS:
        raise Unprocessable(f"A tint is a number from 0 to {TINTS[-1]}.", field="tint")
    return tint


def _tint_of(name: str) -> int:
    """The same colour for the same name, wherever it is made first."""
    return sum(name.lower().encode()) % len(TINTS)


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a tag {name} already; choose another name, or merge the two.", field="tag")


async def update_tag(tx: Tx, tag_id: TagId, edit: TagEdit, *, version: int) -> Tag:
    """Rename a tag or give it another colour, on every record at once.

    Raises: NotFound; Stale; Unprocessable; Conflict when another tag has the name.
    """
    tag = await get_tag(tx, tag_id, lock=True)
    tx.principal.require("fields:write")
    if tag.version != version:
        raise Stale(f"The tag {tag.name} was changed meanwhile; reload and try again.")
    new = given(edit)
    if edit.name is not KEEP:
        new["name"] = _checked_name(edit.name)
    if edit.tint is not KEEP:
        _checked_tint(edit.tint)
    changes = differences(tag, new)
    if not changes:
        return tag
    try:
        async with tx.savepoint():
            updated = await tx.one(
                Tag,
                sql.SQL(
                    """
                UPDATE tags
                   SET {values}, version = version + 1
                 WHERE id = %(tag_id)s
                RETURNING id, name, tint, version
                """
                ).format(values=assignments({name: after for name, (_, after) in changes.items()})),
                tag_id=tag_id,
            )
    except UniqueViolation as err:
        raise _taken(str(new["name"])) from err
    await emit(tx, TagUpdated(tag_id), changes=changes)
    return updated


async def merge_tags(tx: Tx, tag_id: TagId, into_id: TagId) -> Tag:
    """Put one tag wherever another one stands, in segments and saved views too, and take that one away.

    Raises: NotFound; Unprocessable for a tag with itself.
    """
    # in one order for everybody, so that two merges of the same tags cannot deadlock
    found = {one: await get_tag(tx, one, lock=True) for one in sorted((tag_id, into_id))}
    # only now, so that a tag of somebody else is as unknown as one that there is not
    if tag_id == into_id:
        raise Unprocessable("A tag cannot be merged with itself; choose another one.", field="into_id")
    tx.principal.require("fields:write")
    await tx.execute(
        """
        INSERT INTO record_tags (organization_id, record_kind, record_id, tag_id)
        SELECT organization_id, record_kind, record_id, %(into_id)s
          FROM record_tags
         WHERE tag_id = %(tag_id)s
            ON CONFLICT DO NOTHING
        """,
        tag_id=tag_id,
        into_id=into_id,
    )
    for statement in (
        # ids in a filter's JSON are quoted texts that nothing else can look like
        """
        UPDATE segments
           SET filter = replace(filter::text, %(old)s, %(new)s)::jsonb, version = version + 1
         WHERE strpos(filter::text, %(old)s) > 0
        """,
        """
        UPDATE views
           SET filter = replace(filter::text, %(old)s, %(new)s)::jsonb, version = version + 1
         WHERE strpos(filter::text, %(old)s) > 0
        """,
    ):
        await tx.execute(statement, old=f'"{tag_id}"', new=f'"{into_id}"')
    await _take_away(tx, tag_id)
    names: dict[str, tuple[object, object]] = {"name": (found[tag_id].name, found[into_id].name)}
    await emit(tx, TagMerged(tag_id, into_id), changes=names)
    return found[into_id]


async def delete_tag(tx: Tx, tag_id: TagId, *, version: int | None = None) -> Tag:
    """Take a tag off every record and away.

    Raises: NotFound; Stale; Conflict when a segment or a shared view asks for it, for that would find nobody then.
    """
    tag = await get_tag(tx, tag_id, lock=True)
    tx.principal.require("fields:write")
    if version is not None and tag.version != version:
        raise Stale(f"The tag {tag.name} was changed meanwhile; reload and try again.")
    asking = await list_filters_with(tx, tag_id)
    if asking:
        raise Conflict(
            f"The tag {tag.name} is asked for by {', '.join(asking)}; change that first, or merge the tag."
        )
    await _take_away(tx, tag_id)
    await emit(tx, TagRemoved(tag_id), changes={"name": (tag.name, None)})
    return tag


async def _take_away(tx: Tx, tag_id: TagId) -> None:
    await tx.execute("DELETE FROM tags WHERE id = %(tag_id)s", tag_id=tag_id)


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
    if count:
        name = await tx.value("SELECT name FROM tags WHERE id = %(tag_id)s", tag_id=tag_id)
        await emit(tx, _UPDATED[kind](record_id), changes={"tag": (None, name)})
    return count > 0


async def take_tag(tx: Tx, kind: RecordKind, record_id: UUID, tag_id: TagId) -> bool:
    """Take a tag off a record; whether it was there."""
    tx.principal.require(f"{_SCOPES[kind]}:write")
    name = await tx.value(
        """
        DELETE FROM record_tags AS r
         USING tags AS t
         WHERE r.record_kind = %(kind)s
           AND r.record_id = %(record_id)s
           AND r.tag_id = %(tag_id)s
           AND t.organization_id = r.organization_id
           AND t.id = r.tag_id
        RETURNING t.name
        """,
        kind=kind,
        record_id=record_id,
        tag_id=tag_id,
    )
    if name is not None:
        await emit(tx, _UPDATED[kind](record_id), changes={"tag": (name, None)})
    return name is not None
