"""A tool over bulk edits: to propose one, which a person looks at and runs."""

from dataclasses import dataclass

from pydantic import Field, JsonValue

from core.db import Tx
from crm.bulk import actions as bulk
from crm.bulk.models import BulkStatus, Changes, NewBulkEdit
from crm.tags.queries import list_tags
from events.ids import BulkEditId, RecordKind, TagId
from tools.base import Arguments, Reach, Risk, Source, ToolContext, ToolRetry, tool


@dataclass(frozen=True)
class BulkProposal:
    """`would_change` and the others are 0 while it is still being tried."""

    id: BulkEditId
    status: BulkStatus
    records: int
    would_change: int
    would_stay: int
    would_be_refused: int
    page: str
    source: Source


class ProposeBulkEdit(Arguments):
    record_kind: RecordKind
    filter: dict[str, JsonValue] = Field(
        description='Which records: {"field": "title", "op": "contains", "value": "director"}, joined by {"all": [...]}, '
        '{"any": [...]} and {"not": {...}}; {"field": "segment", "op": "is", "value": ID} for a segment.'
    )
    set: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=20, description="New values by field; custom fields are custom.KEY."
    )
    add_tags: list[str] = Field(default_factory=list, max_length=20, description="Names of tags that exist.")
    remove_tags: list[str] = Field(default_factory=list, max_length=20, description="Names of tags.")


@tool(scope="contacts:write", risk=Risk.PROPOSE, reach=Reach.SELF)
async def propose_bulk_edit(ctx: ToolContext, args: ProposeBulkEdit) -> BulkProposal:
    """Propose the same change in many records. Nothing changes before a person has seen what it does and runs it."""
    add, remove = [await _tags(ctx.tx, names) for names in (args.add_tags, args.remove_tags)]
    new = NewBulkEdit(args.record_kind, filter=args.filter)
    edit = await bulk.create_bulk_edit(ctx.tx, new, Changes(args.set, add, remove))
    return BulkProposal(
        edit.id,
        edit.status,
        edit.total,
        edit.changed,
        edit.unchanged,
        edit.refused,
        f"/bulk-edits/{edit.id}",
        Source("bulk_edit", edit.id),
    )


async def _tags(tx: Tx, names: list[str]) -> tuple[TagId, ...]:
    known = {tag.name.casefold(): tag.id for tag in await list_tags(tx)}
    missing = [name for name in names if name.casefold() not in known]
    if missing:
        raise ToolRetry(f"There is no tag {missing[0]}; use some of {', '.join(known)}.")
    return tuple(known[name.casefold()] for name in names)
