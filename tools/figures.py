"""The tool that computes: how many records there are, and what they add up to."""

from dataclasses import dataclass
from decimal import Decimal

from pydantic import Field

from crm.analytics.models import Ask, Counted
from crm.analytics.queries import figures
from tools.base import Arguments, Risk, ToolContext, tool
from tools.listing import FilterTree


@dataclass(frozen=True)
class FigureLine:
    """`keys` says which group it is; `total` and `average` are of the measure, money in minor units."""

    keys: dict[str, str]
    count: int
    total: Decimal | None
    average: Decimal | None


@dataclass(frozen=True)
class FigureTable:
    """`count` is over all groups; `is_cut` says that there are more groups than these."""

    kind: Counted
    measure: str
    lines: list[FigureLine]
    count: int
    is_cut: bool


class SummarizeRecords(Arguments):
    kind: Counted
    filter: FilterTree = Field(default_factory=dict)
    measure: str = Field(
        "",
        max_length=60,
        description="What to add up: amount of deals, employees, minutes of meetings; or nothing.",
    )
    group_by: list[str] = Field(
        default_factory=list,
        max_length=3,
        description="stage, outcome, owner, company, currency, assignee, month:close_date, month:created_at ...",
    )


@tool(scope="contacts:read", risk=Risk.READ, returns_untrusted=True)
async def summarize_records(ctx: ToolContext, args: SummarizeRecords) -> FigureTable:
    """Count contacts, companies, leads, deals, tasks or meetings, and add up or average a field of them, by group.

    Never count or add yourself what this can compute. Sums of money are given for each currency.
    """
    found = await figures(ctx.tx, Ask(args.kind, args.filter, args.measure, tuple(args.group_by)))
    return FigureTable(
        args.kind,
        args.measure,
        [FigureLine(line.keys, line.count, line.total, line.average) for line in found.lines],
        found.count,
        found.is_cut,
    )
