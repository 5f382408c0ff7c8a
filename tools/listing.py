"""What tools that list records take: a filter tree, an order and a page, as people's lists do."""

from typing import Annotated

from pydantic import Field, JsonValue

from core.db import Tx
from core.filters import Condition, Operator
from core.sql import Listing, ListQuery, parse_sort
from crm.records.lists import listing_of, read_filter
from crm.records.models import RecordRef
from events.ids import RecordKind
from tools.base import Arguments

FilterTree = Annotated[
    dict[str, JsonValue],
    Field(
        description='{"field": "title", "op": "contains", "value": "director"}, joined by {"all": [...]}, {"any": [...]} '
        'and {"not": {...}}; custom fields are custom.KEY, {"field": "segment", "op": "is", "value": ID} is a segment. '
        "{} keeps everything. What is not possible is answered with what is.",
    ),
]
PAGE = 10


class ListRecords(Arguments):
    filter: FilterTree = Field(default_factory=dict)
    sort: str = Field("", max_length=200, description="Fields to sort by, as in -updated_at,name.")
    cursor: str | None = Field(None, max_length=1000, description="`next_cursor` of the page before.")


async def read_query(tx: Tx, kind: RecordKind, args: ListRecords) -> tuple[Listing, ListQuery]:
    """The list of a kind of record and the page that is wanted of it. Raises: Unprocessable, Forbidden."""
    listing, kept = await read_filter(tx, kind, args.filter)
    return listing, ListQuery(kept, parse_sort(args.sort, listing), args.cursor, PAGE)


async def only(tx: Tx, record: RecordRef) -> tuple[Listing, ListQuery]:
    """The list that holds this record and no other."""
    condition = Condition("id", Operator.IS, (record.id,))
    return await listing_of(tx, record.kind), ListQuery(condition, limit=1)
