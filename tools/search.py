"""The search box as a tool: records of every kind by a few words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from core.trust import Trust
from crm.search.models import FoundKind, Hit
from crm.search.queries import search
from events.ids import RecordKind
from tools.base import Arguments, Risk, Source, ToolContext, tool

# What was said and what documents say is told by `recall`, which knows whom it may be told to.
KINDS = tuple(kind for kind in FoundKind if kind not in (FoundKind.MESSAGE, FoundKind.DOCUMENT))


@dataclass(frozen=True)
class FoundRecord:
    """`record_kind` and `record_id` say what a task, a meeting, a note or a file hangs on."""

    kind: FoundKind
    id: UUID
    title: str
    detail: str
    snippet: str
    at: datetime
    record_kind: RecordKind | None
    record_id: UUID | None
    source: Source


@dataclass(frozen=True)
class FoundRecords:
    """Best first; `understood` is the query as it was read, when that is not as it was written."""

    found: list[FoundRecord]
    understood: str


class SearchRecords(Arguments):
    text: str = Field(
        min_length=1,
        max_length=200,
        description="Words, their beginnings, digits of a phone number, a tag; typing errors are understood.",
    )
    limit: int = Field(10, ge=1, le=20)


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def search_records(ctx: ToolContext, args: SearchRecords) -> FoundRecords:
    """Contacts, companies, deals, leads, tasks, meetings, notes and files that have all the words, the best first."""
    found = await search(ctx.tx, args.text, kinds=KINDS, limit=args.limit)
    return FoundRecords([_record(hit) for hit in found.hits], found.understood)


def _record(hit: Hit) -> FoundRecord:
    return FoundRecord(
        kind=hit.kind,
        id=hit.id,
        title=hit.title.text,
        detail=hit.detail.text,
        snippet=hit.snippet.text,
        at=hit.at,
        record_kind=hit.record_kind,
        record_id=hit.record_id,
        source=Source(hit.kind.value, hit.id, Trust.UNTRUSTED),
    )
