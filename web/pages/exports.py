"""Everything of one kind as a file: what the list shows under its words and filter, streamed."""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import JsonValue

from api.deps import CurrentServices, short_transactions
from core import clock
from core.db import Tx
from core.errors import Unprocessable
from core.pagination import MAX_PAGE
from core.tables import writing
from core.tables.writing import MEDIA, Format
from crm.imports.models import Exported
from crm.imports.tables import export
from crm.imports.tables.activities import Cells
from crm.imports.tables.export import Transaction, Wanted
from web import tables
from web.i18n import Words
from web.tables import TABLES, State
from web.viewer import CurrentReader

router = APIRouter(prefix="/exports")


@router.get("/{kind}.{form}")
async def export_records(
    reader: CurrentReader,
    services: CurrentServices,
    kind: Exported,
    form: Format,
    words: Annotated[str, Query(alias="q", max_length=200)] = "",
    kept: Annotated[str, Query(alias="filter", max_length=8000)] = "",
    sort: Annotated[str, Query(max_length=100)] = "",
    columns: Annotated[str, Query(max_length=2000)] = "",
    mark: bool = True,
) -> StreamingResponse:
    """The whole list, not a page of it, as an import takes it back; with `columns` as its table shows it.

    `mark` is what Excel knows UTF-8 by.
    """

    def transaction() -> AbstractAsyncContextManager[Tx]:
        return short_transactions(services, reader.principal, "exports.page")()

    if columns:
        state = State("", words, kept, sort, columns)
        titles, rows = await _as_seen(transaction, kind, state, reader.words)
    else:
        async with transaction() as tx:
            sheet = await export.sheet_of(tx, kind)
        titles, rows = sheet.columns, export.rows(transaction, sheet, Wanted(kind, words, _parsed(kept)))
    pieces = writing.as_csv(titles, rows, has_mark=mark) if form == "csv" else writing.as_json(rows)
    name = quote(f"{kind}-{clock.now():%Y-%m-%d}.{form}")
    return StreamingResponse(
        await _begun(pieces),
        media_type=MEDIA[form],
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


async def _as_seen(
    transaction: Transaction, kind: Exported, state: State, words: Words
) -> tuple[tuple[str, ...], AsyncIterator[Cells]]:
    """The titles and rows of a table as its reader sees it; no transaction is open while somebody takes a page."""
    table = next((table for table in TABLES if table.kind.value == kind), None)
    if table is None:
        raise Unprocessable(f"There is no table of {kind.plural}; leave the columns out.", field="columns")
    async with transaction() as tx:
        tx.principal.require("records:export")
        opened = await tables.open_table(tx, table, state, words)

    async def rows() -> AsyncIterator[Cells]:
        cursor: str | None = None
        while cursor != "":
            async with transaction() as tx:
                lines, cursor = await tables.load_lines(tx, opened, cursor, MAX_PAGE)
            for line in lines:
                yield tables.as_seen(opened, line)

    return tuple(tables.column_labels(opened)), rows()


def _parsed(kept: str) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(kept) if kept else None
    except ValueError as err:
        raise Unprocessable(
            "The filter is no JSON; take it from the address of the list.", field="filter"
        ) from err
    return parsed


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, after the first one was made: what is wrong with the filter is told before the answer begins."""
    first = await anext(pieces)

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return all_of_them()
