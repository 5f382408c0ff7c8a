"""Tools over duplicates: an agent may look and tell a person; merging is for people."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from crm.merges.duplicates import list_duplicates
from events.ids import RecordKind
from tools.base import Arguments, Risk, ToolContext, tool


@dataclass(frozen=True)
class DuplicateView:
    record_kind: RecordKind
    record_id: UUID
    other_id: UUID
    name: str
    other_name: str
    probability: float
    why: list[str]


@dataclass(frozen=True)
class DuplicateList:
    duplicates: list[DuplicateView]
    next_cursor: str | None


class FindDuplicates(Arguments):
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before.")


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def find_duplicates(ctx: ToolContext, args: FindDuplicates) -> DuplicateList:
    """Pairs of contacts or companies that may be one, the likeliest first, with what speaks for it; at most 10 at a time.

    Nobody but a person may merge them: name the pair and leave the decision to them.
    """
    page = await list_duplicates(ctx.tx, cursor=args.cursor, limit=10)
    return DuplicateList(
        [
            DuplicateView(
                one.record_kind,
                one.record_id,
                one.other_id,
                one.name,
                one.other_name,
                round(one.score, 3),
                [f"{why['field']}: {why['level']}" for why in one.why] or [one.evidence],
            )
            for one in page.items
        ],
        page.next_cursor,
    )
