"""What lists take: a filter, an order, a page; and related records on request, fetched for the whole page at once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, JsonValue

from api.cursors import Cursor
from api.fields import Limit
from core import jsons
from core.db import Tx
from core.errors import Unprocessable
from core.filters import parse_filter
from core.sql import Listing, ListQuery, parse_sort
from crm.records.lists import read_filter
from events.ids import RecordKind

FilterText = Annotated[
    str,
    Query(
        max_length=8000,
        description='A tree of conditions as JSON: `{"field": "name", "op": "contains", "value": "lind"}`, joined by '
        '`{"all": […]}`, `{"any": […]}` and `{"not": {…}}`; docs/api.md has the operators. What is not possible is '
        "answered with what is.",
        examples=['{"all": [{"field": "language", "op": "is", "value": "en"}]}'],
    ),
]
SortText = Annotated[
    str,
    Query(
        max_length=200,
        description="Fields to sort by, at most three, separated by commas; `-` before one turns it round.",
        examples=["-updated_at"],
    ),
]
Include = Annotated[
    str,
    Query(
        max_length=200,
        description="Related records to send along, separated by commas.",
    ),
]


@dataclass(frozen=True)
class ListParameters:
    """What the caller wants to see of a list, not yet read."""

    filter: str
    sort: str
    cursor: str | None
    limit: int

    async def read(self, tx: Tx, kind: RecordKind) -> tuple[Listing, ListQuery]:
        """The list of a kind of record, and the same over its columns.

        Raises: Unprocessable, naming what cannot be and what can.
        """
        listing, kept = await read_filter(tx, kind, self._tree())
        return listing, ListQuery(kept, parse_sort(self.sort, listing), self.cursor, self.limit)

    def query(self, listing: Listing) -> ListQuery:
        """The same over the columns of a list that is not one of records. Raises: Unprocessable."""
        kept = parse_filter(self._tree(), listing.kinds)
        return ListQuery(kept, parse_sort(self.sort, listing), self.cursor, self.limit)

    def _tree(self) -> JsonValue:
        try:
            tree: JsonValue = jsons.loads(self.filter) if self.filter else {}
        except ValueError as err:
            raise Unprocessable("The filter is not JSON.", field="filter") from err
        return tree


async def list_parameters(
    filter: FilterText = "", sort: SortText = "", cursor: Cursor = None, limit: Limit = 25
) -> ListParameters:
    return ListParameters(filter, sort, cursor, limit)


# A cursor belongs to the list, order and organization that it was made for; with another it is refused.
Wanted = Annotated[ListParameters, Depends(list_parameters)]

# What belongs to each of some records, by their ids.
Loader = Callable[[Tx, Sequence[Any]], Awaitable[Mapping[UUID, object]]]


@dataclass(frozen=True)
class Includes:
    """The related records of a noun: the name of each is a field of its answer, left out unless it is asked for.

    The operation says `response_model_exclude_unset=True`.
    """

    loaders: Mapping[str, Loader]

    async def add(self, tx: Tx, wanted: str, shown: Sequence[BaseModel], records: Sequence[Any]) -> None:
        """Fill in what is wanted, with one statement for each name. Raises: Unprocessable for a name that is none."""
        names = [name for name in wanted.split(",") if name]
        for name in names:
            if name not in self.loaders:
                possible = ", ".join(self.loaders)
                raise Unprocessable(f"Nothing is included as {name!r}; there is {possible}.", field="include")
        for name in dict.fromkeys(names):
            found = await self.loaders[name](tx, records)
            for one, record in zip(shown, records, strict=True):
                setattr(one, name, found.get(record.id))
