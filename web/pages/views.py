"""Saved views of tables: keep how a list is looked at, rename, share, put first, remove and bring back."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core import jsons
from core.errors import NotFound, Unprocessable
from crm.views import actions as views
from crm.views.models import MAX_NAME, NewView, View, ViewEdit
from crm.views.queries import get_view
from events.ids import RecordKind, ViewId
from web import tabs
from web.tables import TABLES, State, Table
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/views")
Name = Annotated[str, Form(max_length=MAX_NAME)]
Text = Annotated[str, Form(max_length=8000)]
Version = Annotated[int, Form()]
_YEAR = 365 * 24 * 3600


def first_cookie(kind: RecordKind) -> str:
    """The cookie that names the view which a table opens by itself."""
    return f"getsale_first_{kind}"


@router.post("")
async def save_view(
    session: CurrentSession,
    kind: Annotated[RecordKind, Form()],
    name: Name = "",
    is_shared: Annotated[bool, Form()] = False,
    filter: Text = "",
    sort: Text = "",
    columns: Text = "",
) -> Response:
    """Keep how the list is looked at now as a tab."""
    new = NewView(kind, name, _tree(filter), sort, _names(columns), is_shared=is_shared)
    return _open(await views.create_view(session.tx, new))


def _tree(text: str) -> dict[str, Any]:
    try:
        tree: dict[str, Any] = jsons.loads(text) if text else {}
    except ValueError as err:
        raise Unprocessable("The filter in the form is cut off; set it again.", field="filter") from err
    return tree


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


@router.post("/{view_id}/naming")
async def rename_view(
    session: CurrentSession,
    view_id: ViewId,
    version: Version,
    name: Name = "",
    is_shared: Annotated[bool, Form()] = False,
    is_first: Annotated[bool, Form()] = False,
) -> Response:
    """Another name, shared or not, and whether the table opens with it."""
    edit = ViewEdit(name=name, is_shared=is_shared)
    view = await views.update_view(session.tx, view_id, edit, version=version)
    answer = _open(view)
    cookie = first_cookie(view.record_kind)
    if is_first:
        secure = session.services.settings.is_https
        answer.set_cookie(cookie, str(view.id), max_age=_YEAR, httponly=True, samesite="lax", secure=secure)
    elif session.request.cookies.get(cookie) == str(view.id):
        answer.delete_cookie(cookie)
    return answer


@router.post("/{view_id}/content")
async def save_changes(
    session: CurrentSession,
    view_id: ViewId,
    version: Version,
    filter: Text = "",
    sort: Text = "",
    columns: Text = "",
) -> Response:
    """Keep in a view how the list is looked at now."""
    edit = ViewEdit(filter=_tree(filter), sort=sort, columns=list(_names(columns)))
    return _open(await views.update_view(session.tx, view_id, edit, version=version))


@router.post("/{view_id}/removal")
async def remove_view(session: CurrentSession, view_id: ViewId) -> Response:
    view = await views.delete_view(session.tx, view_id, version=None)
    query = urlencode({"view": tabs.ALL, "removed": str(view_id)})
    return RedirectResponse(f"{_table(view.record_kind).path}?{query}", 303)


@router.post("/{view_id}/restoration")
async def restore_view(session: CurrentSession, view_id: ViewId) -> Response:
    return _open(await views.restore_view(session.tx, view_id))


def _open(view: View) -> Response:
    return RedirectResponse(tabs.href_of(_table(view.record_kind), view), 303)


def _table(kind: RecordKind) -> Table:
    return next(table for table in TABLES if table.kind is kind)


async def first_of(session: Session, table: Table) -> str:
    """Where a table opens by itself; empty for the whole list."""
    first = session.request.cookies.get(first_cookie(table.kind), "")
    return await tabs.find_first(session.tx, table, first) if first else ""


async def load(session: Session, table: Table, state: State, *, counted: bool = False) -> dict[str, Any]:
    """What a table shows of its views."""
    first = session.request.cookies.get(first_cookie(table.kind), "")
    removed = session.request.query_params.get("removed", "")
    return {
        "tabs": await tabs.load_tabs(session.tx, table, state, first, session.words, counted=counted),
        "may_save": session.principal.may("views:write"),
        "gone": await _gone(session, removed) if removed else None,
    }


async def _gone(session: Session, removed: str) -> View | None:
    """The view that was just removed."""
    try:
        view = await get_view(session.tx, ViewId(UUID(removed)))
    except (ValueError, NotFound):
        return None
    return view if view.deleted_at is not None else None
