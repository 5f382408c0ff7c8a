"""Making, changing, removing and bringing back views."""

from collections.abc import Mapping, Sequence

from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import JsonValue

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from core.sql import parse_sort
from crm.records.lists import read_filter
from crm.views.models import MAX_COLUMNS, MAX_NAME, MOST_VIEWS, Layout, NewView, View, ViewEdit
from crm.views.queries import get_view
from events.ids import RecordKind, ViewId
from events.outbox import emit
from events.types import ViewCreated, ViewUpdated


async def create_view(tx: Tx, new: NewView) -> View:
    """Keep how a list is looked at; the view comes last among those of its kind.

    Raises: Forbidden; Unprocessable for no name, or a filter, order, column or layout that there is not; Conflict when
    there are too many.
    """
    tx.principal.require("views:write")
    name = _checked_name(new.name)
    await _check(tx, new.record_kind, new.filter, new.sort, new.columns)
    _check_layout(new.record_kind, new.layout)
    if await tx.value("SELECT count(*) FROM views WHERE deleted_at IS NULL") >= MOST_VIEWS:
        raise Conflict(f"There are {MOST_VIEWS} saved views already; remove one that is not needed.")
    view = await tx.one(
        View,
        """
        INSERT INTO views (organization_id, id, record_kind, name, filter, sort, columns, layout, is_shared, position,
                           made_by)
        SELECT %(organization_id)s, %(id)s, %(record_kind)s, %(name)s, %(filter)s, %(sort)s, %(columns)s, %(layout)s,
               %(is_shared)s, coalesce(max(position), 0) + 1, %(made_by)s
          FROM views
         WHERE record_kind = %(record_kind)s
        RETURNING id, record_kind, name, filter, sort, columns, layout, is_shared, position, created_at, updated_at,
                  deleted_at, version
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        record_kind=new.record_kind,
        name=name,
        filter=Jsonb(new.filter),
        sort=new.sort,
        columns=list(new.columns),
        layout=new.layout,
        is_shared=new.is_shared,
        made_by=tx.principal.id,
    )
    await emit(tx, ViewCreated(view.id))
    return view


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME:
        raise Unprocessable(f"A view needs a name of at most {MAX_NAME} characters.", field="name")
    return plain


async def _check(
    tx: Tx, kind: RecordKind, kept: dict[str, JsonValue], sort: str, columns: Sequence[str]
) -> None:
    """Raises: Unprocessable, naming what there is not and what there is."""
    listing, _ = await read_filter(tx, kind, kept)
    parse_sort(sort, listing)
    shown = [name for name, column in listing.columns.items() if column.is_shown]
    unknown = [name for name in columns if name not in shown]
    if unknown:
        raise Unprocessable(
            f"There is no column {unknown[0]!r}; use some of {', '.join(shown)}.", field="columns"
        )
    if len(columns) > MAX_COLUMNS or len(set(columns)) < len(columns):
        raise Unprocessable(f"Show at most {MAX_COLUMNS} different columns.", field="columns")


def _check_layout(kind: RecordKind, layout: Layout) -> None:
    if layout is Layout.BOARD and kind not in (RecordKind.DEAL, RecordKind.LEAD):
        raise Unprocessable("Only leads and deals have stages to lay out on a board.", field="layout")


async def update_view(tx: Tx, view_id: ViewId, edit: ViewEdit, *, version: int) -> View:
    """Change a view; an edit that changes nothing leaves no trace.

    Raises: NotFound; Forbidden; Stale; Unprocessable.
    """
    view = await get_view(tx, view_id, lock=True)
    tx.principal.require("views:write")
    _require_version(view, version)
    new = given(edit)
    if edit.name is not KEEP:
        new["name"] = _checked_name(edit.name)
    changes = differences(view, new)
    if not changes:
        return view
    kept, sort, columns = (new.get(name, getattr(view, name)) for name in ("filter", "sort", "columns"))
    if changes.keys() & {"filter", "sort", "columns"}:
        await _check(tx, view.record_kind, kept, sort, columns)  # type: ignore[arg-type]  # names of ViewEdit
    if edit.layout is not KEEP:
        _check_layout(view.record_kind, edit.layout)
    return await _write(tx, view, changes)


async def delete_view(tx: Tx, view_id: ViewId, *, version: int | None) -> View:
    """Take a view away, whatever its version without one; it can be brought back. Raises: NotFound; Forbidden; Stale."""
    view = await get_view(tx, view_id, lock=True)
    tx.principal.require("views:write")
    _require_version(view, version)
    if view.deleted_at is not None:
        return view
    return await _write(tx, view, {"deleted_at": (None, clock.now())})


async def restore_view(tx: Tx, view_id: ViewId) -> View:
    """Bring a removed view back. Raises: NotFound; Forbidden."""
    view = await get_view(tx, view_id, lock=True)
    tx.principal.require("views:write")
    if view.deleted_at is None:
        return view
    return await _write(tx, view, {"deleted_at": (view.deleted_at, None)})


def _require_version(view: View, version: int | None) -> None:
    if version is not None and view.version != version:
        raise Stale(f"The view {view.name} was changed meanwhile; reload and try again.")


async def _write(tx: Tx, view: View, changes: Mapping[str, tuple[object, object]]) -> View:
    values = {name: after for name, (_, after) in changes.items()} | {"updated_at": clock.now()}
    updated = await tx.one(
        View,
        sql.SQL(
            """
        UPDATE views
           SET {values}, version = version + 1
         WHERE id = %(id)s
        RETURNING id, record_kind, name, filter, sort, columns, layout, is_shared, position, created_at, updated_at,
                  deleted_at, version
        """
        ).format(values=assignments(values)),
        id=view.id,
    )
    await emit(tx, ViewUpdated(view.id), changes=changes)
    return updated
