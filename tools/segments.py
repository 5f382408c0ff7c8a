"""Tools over segments: which groups there are, and how many records are in one."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from crm.segments import queries
from events.ids import RecordKind, SegmentId
from tools.base import Arguments, Risk, Source, ToolContext, tool


@dataclass(frozen=True)
class SegmentCard:
    id: SegmentId
    record_kind: RecordKind
    name: str
    source: Source


@dataclass(frozen=True)
class SegmentList:
    segments: list[SegmentCard]
    next_cursor: str | None


@dataclass(frozen=True)
class SegmentCount:
    name: str
    count: int
    source: Source


class ListSegments(Arguments):
    record_kind: RecordKind | None = Field(None, description="Only segments of this kind of record.")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before.")


@tool(scope="contacts:read", risk=Risk.READ)
async def list_segments(ctx: ToolContext, args: ListSegments) -> SegmentList:
    """Segments, which are filters over records kept by name; at most 20 at a time, the newest first."""
    page = await queries.list_segments(ctx.tx, args.record_kind, cursor=args.cursor, limit=20)
    cards = [SegmentCard(one.id, one.record_kind, one.name, Source("segment", one.id)) for one in page.items]
    return SegmentList(cards, page.next_cursor)


class CountSegment(Arguments):
    segment_id: UUID


@tool(scope="contacts:read", risk=Risk.READ)
async def count_segment(ctx: ToolContext, args: CountSegment) -> SegmentCount:
    """How many records are in a segment now."""
    segment = await queries.get_segment(ctx.tx, SegmentId(args.segment_id))
    count = await queries.count_segment(ctx.tx, segment)
    return SegmentCount(segment.name, count, Source("segment", segment.id))
