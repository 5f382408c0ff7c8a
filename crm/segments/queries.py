"""Reading segments, and counting who is in them."""

from uuid import UUID

from core.db import Tx
from core.errors import Unprocessable
from core.pagination import Page, decode_id, encode_cursor, page_of, page_size
from core.sql import count_rows, keeps_row
from crm.records.lists import READING, read_filter, readable_kinds
from crm.segments.models import Segment
from events.ids import RecordKind, SegmentId


async def list_segments(
    tx: Tx, record_kind: RecordKind | None = None, *, cursor: str | None = None, limit: int = 25
) -> Page[Segment]:
    """Segments of one kind of record, or of all that the principal may read; the newest first."""
    if record_kind is not None:
        tx.principal.require(READING[record_kind])
    size = page_size(limit)
    segments = await tx.all(
        Segment,
        """
        SELECT id, record_kind, name, filter, created_at, updated_at, deleted_at, version
          FROM segments
         WHERE record_kind = ANY(%(kinds)s)
           AND deleted_at IS NULL
           AND (%(before)s::uuid IS NULL OR id < %(before)s)
         ORDER BY id DESC
         LIMIT %(limit)s
        """,
        kinds=[record_kind] if record_kind else readable_kinds(tx),
        before=decode_id(cursor) if cursor else None,
        limit=size + 1,
    )
    return page_of(segments, size, after=lambda segment: encode_cursor(segment.id))


async def segment_names(tx: Tx, record_kind: RecordKind) -> dict[UUID, str]:
    """The segments of one kind of record, by name."""
    tx.principal.require(READING[record_kind])
    segments = await tx.all(
        Segment,
        """
        SELECT id, record_kind, name, filter, created_at, updated_at, deleted_at, version
          FROM segments
         WHERE record_kind = %(record_kind)s
           AND deleted_at IS NULL
         ORDER BY lower(name), id
        """,
        record_kind=record_kind,
    )
    return {segment.id: segment.name for segment in segments}


async def get_segment(tx: Tx, segment_id: SegmentId, *, lock: bool = False) -> Segment:
    """One segment, a removed one too; `lock` keeps others from changing it until the transaction ends.

    Raises: NotFound; Forbidden when its kind of record may not be read.
    """
    if lock:
        await tx.execute("SELECT FROM segments WHERE id = %(id)s FOR NO KEY UPDATE", id=segment_id)
    segment = await tx.one(
        Segment,
        """
        SELECT id, record_kind, name, filter, created_at, updated_at, deleted_at, version
          FROM segments
         WHERE id = %(id)s
        """,
        id=segment_id,
    )
    tx.principal.require(READING[segment.record_kind])
    return segment


async def count_segment(tx: Tx, segment: Segment, *, limit: int | None = None) -> int:
    """How many records are in it now; with `limit` it stops counting there.

    Raises: Unprocessable, naming the segment and what its filter asks for in vain.
    """
    try:
        listing, kept = await read_filter(tx, segment.record_kind, segment.filter, within=segment.id)
    except Unprocessable as err:
        raise Unprocessable(
            f"The segment {segment.name} cannot be counted. {err.detail}", **err.fields
        ) from err
    return await count_rows(tx, listing, kept, limit=limit)


async def is_in_segment(tx: Tx, segment: Segment, record_id: UUID) -> bool:
    """Whether a record is in a segment now. Raises: Unprocessable as `count_segment`."""
    listing, kept = await read_filter(tx, segment.record_kind, segment.filter, within=segment.id)
    return await keeps_row(tx, listing, kept, record_id)
