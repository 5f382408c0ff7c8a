"""Making, changing, removing and bringing back segments."""

from collections.abc import Mapping

from psycopg import sql
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.records.lists import read_filter
from crm.segments.models import MAX_NAME, MOST_SEGMENTS, NewSegment, Segment, SegmentEdit
from crm.segments.queries import get_segment
from events.ids import SegmentId
from events.outbox import emit
from events.types import SegmentCreated, SegmentUpdated


async def create_segment(tx: Tx, new: NewSegment) -> Segment:
    """Keep a filter under a name.

    Raises: Forbidden; Unprocessable for no name or a filter that means nothing; Conflict when the name is taken, or
    when there are too many.
    """
    tx.principal.require("views:write")
    name = _checked_name(new.name)
    await read_filter(tx, new.record_kind, new.filter)
    if await tx.value("SELECT count(*) FROM segments WHERE deleted_at IS NULL") >= MOST_SEGMENTS:
        raise Conflict(f"There are {MOST_SEGMENTS} segments already; remove one that is not needed.")
    try:
        async with tx.savepoint():
            segment = await tx.one(
                Segment,
                """
                INSERT INTO segments (organization_id, id, record_kind, name, filter, made_by)
                VALUES (%(organization_id)s, %(id)s, %(record_kind)s, %(name)s, %(filter)s, %(made_by)s)
                RETURNING id, record_kind, name, filter, created_at, updated_at, deleted_at, version
                """,
                organization_id=tx.organization_id,
                id=uuid7(),
                record_kind=new.record_kind,
                name=name,
                filter=Jsonb(new.filter),
                made_by=tx.principal.id,
            )
    except UniqueViolation as err:
        raise _taken(name) from err
    await emit(tx, SegmentCreated(segment.id))
    return segment


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME:
        raise Unprocessable(f"A segment needs a name of at most {MAX_NAME} characters.", field="name")
    return plain


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a segment {name} already; choose another name.", field="name")


async def update_segment(tx: Tx, segment_id: SegmentId, edit: SegmentEdit, *, version: int) -> Segment:
    """Rename a segment or change who is in it; an edit that changes nothing leaves no trace.

    Raises: NotFound; Forbidden; Stale; Unprocessable; Conflict when the name is taken.
    """
    segment = await get_segment(tx, segment_id, lock=True)
    tx.principal.require("views:write")
    _require_version(segment, version)
    new = given(edit)
    if edit.name is not KEEP:
        new["name"] = _checked_name(edit.name)
    if edit.filter is not KEEP:
        await read_filter(tx, segment.record_kind, edit.filter, within=segment_id)
    changes = differences(segment, new)
    return await _write(tx, segment, changes) if changes else segment


async def delete_segment(tx: Tx, segment_id: SegmentId, *, version: int | None) -> Segment:
    """Take a segment away, whatever its version without one; it can be brought back. Raises: NotFound; Forbidden; Stale."""
    segment = await get_segment(tx, segment_id, lock=True)
    tx.principal.require("views:write")
    _require_version(segment, version)
    if segment.deleted_at is not None:
        return segment
    return await _write(tx, segment, {"deleted_at": (None, clock.now())})


async def restore_segment(tx: Tx, segment_id: SegmentId) -> Segment:
    """Bring a removed segment back. Raises: NotFound; Forbidden; Conflict when its name was taken meanwhile."""
    segment = await get_segment(tx, segment_id, lock=True)
    tx.principal.require("views:write")
    if segment.deleted_at is None:
        return segment
    return await _write(tx, segment, {"deleted_at": (segment.deleted_at, None)})


def _require_version(segment: Segment, version: int | None) -> None:
    if version is not None and segment.version != version:
        raise Stale(f"The segment {segment.name} was changed meanwhile; reload and try again.")


async def _write(tx: Tx, segment: Segment, changes: Mapping[str, tuple[object, object]]) -> Segment:
    values = {name: after for name, (_, after) in changes.items()} | {"updated_at": clock.now()}
    try:
        async with tx.savepoint():
            updated = await tx.one(
                Segment,
                sql.SQL(
                    """
                UPDATE segments
                   SET {values}, version = version + 1
                 WHERE id = %(id)s
                RETURNING id, record_kind, name, filter, created_at, updated_at, deleted_at, version
                """
                ).format(values=assignments(values)),
                id=segment.id,
            )
    except UniqueViolation as err:
        raise _taken(str(values.get("name", segment.name))) from err
    await emit(tx, SegmentUpdated(segment.id), changes=changes)
    return updated
