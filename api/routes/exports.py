"""Everything of one kind of record, page by page, as `getsale export` writes it."""

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import JsonValue

from api.deps import ApiTx
from api.fields import Cursor, Out, Search
from api.nouns import Noun
from core import jsons
from crm.imports.tables import export
from crm.imports.tables.export import Wanted
from events.ids import RecordKind

router = Noun(prefix="/exports", tags=["exports"])


class ExportOut(Out):
    items: list[dict[str, JsonValue]]
    next_cursor: str | None


@router.get("", operation_id="export_records", summary="Export records, page by page")
async def export_records(
    tx: ApiTx,
    kind: Annotated[Literal["contact", "company", "deal"], Query(description="What to export.")] = "contact",
    q: Search = "",
    cursor: Cursor = None,
) -> ExportOut:
    """Each record with its handles, tags and custom fields, under the names that an import knows again."""
    sheet = await export.sheet_of(tx, RecordKind(kind))
    found, next_cursor = await export.page(tx, sheet, Wanted(sheet.kind, q), cursor)
    items: list[dict[str, Any]] = jsons.loads(jsons.dump_bytes(found))
    return ExportOut(items=items, next_cursor=next_cursor)
