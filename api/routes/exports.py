"""Everything of one kind, page by page, as `getsale export` writes it."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import JsonValue

from api.deps import ApiTx
from api.fields import Cursor, Out, Search
from api.nouns import Noun
from core import jsons
from crm.imports.models import Exported
from crm.imports.tables import export
from crm.imports.tables.export import Wanted

router = Noun(prefix="/exports", tags=["exports"])


class ExportOut(Out):
    items: list[dict[str, JsonValue]]
    next_cursor: str | None


@router.get("", operation_id="export_records", summary="Export everything of one kind, page by page")
async def export_records(
    tx: ApiTx,
    kind: Annotated[Exported, Query(description="What to export.")] = Exported.CONTACT,
    q: Search = "",
    cursor: Cursor = None,
) -> ExportOut:
    """Records with their handles, tags and custom fields, under the names that an import knows again; notes, tasks and
    meetings, all of them, with the record that each is about."""
    sheet = await export.sheet_of(tx, kind)
    found, next_cursor = await export.page(tx, sheet, Wanted(sheet.kind, q), cursor)
    items: list[dict[str, Any]] = jsons.loads(jsons.dump_bytes(found))
    return ExportOut(items=items, next_cursor=next_cursor)
