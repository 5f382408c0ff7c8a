"""Many records changed at once: chosen in a table, the change shown before it is made, and taken back as a whole."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from core import jsons
from core.db import Tx
from core.errors import Conflict, Unprocessable
from crm.bulk import actions as bulk
from crm.bulk import queries
from crm.bulk.models import BulkEdit, BulkStatus, Changes, Fate, NewBulkEdit, RecordVerdict
from events.ids import BulkEditId, RecordKind
from web import bulk_view
from web.pages import records
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/bulk-edits")
Text = Annotated[str, Form(max_length=8000)]
Back = Annotated[str, Query(max_length=8000)]


@router.get("")
async def show_bulk_edits(session: CurrentSession, cursor: str = "", part: str = "") -> Response:
    """Every edit of many records, the newest first."""
    edits = await queries.list_bulk_edits(session.tx, cursor=cursor or None)
    template = "bulk_edits/_list.html" if part == "list" else "bulk_edits/index.html"
    return session.page(
        template, edits=edits, cursor=cursor, view=bulk_view, **await records.frame(session, "bulk_edits")
    )


@router.post("")
async def choose_records(
    session: CurrentSession,
    kind: Annotated[RecordKind, Form()],
    id: Annotated[list[UUID] | None, Form()] = None,
    every: Annotated[bool, Form()] = False,
    filter: Text = "",
    q: Annotated[str, Form(max_length=100)] = "",
    fate: Annotated[Fate | None, Form()] = None,
    back: Text = "",
) -> Response:
    """Take the records that were ticked, or all that the list shows; the trash is tried at once."""
    new = NewBulkEdit(kind, filter=_tree(filter), text=q) if every else NewBulkEdit(kind, tuple(id or ()))
    edit = await bulk.create_bulk_edit(session.tx, new, Changes(fate=fate) if fate else None)
    return _to(edit, back)


def _tree(text: str) -> Any:
    try:
        return jsons.loads(text) if text else {}
    except ValueError as err:
        raise Unprocessable("The filter in the form is cut off; set it again.", field="filter") from err


@router.get("/{bulk_edit_id}")
async def show_bulk_edit(
    session: CurrentSession, bulk_edit_id: BulkEditId, part: str = "", after: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """What is to change; then what that does; then what it did."""
    edit = await queries.get_bulk_edit(session.tx, bulk_edit_id)
    template = "bulk_edits/_state.html" if part == "state" else "bulk_edits/show.html"
    return session.page(template, **await _context(session, edit, after))


@router.post("/{bulk_edit_id}/changes")
async def change_records(session: CurrentSession, bulk_edit_id: BulkEditId, back: Back = "") -> Response:
    """Keep what is to change and have it tried; what cannot be is said beside its field."""
    edit = await queries.get_bulk_edit(session.tx, bulk_edit_id)
    form = await session.request.form()
    opened, shown = await bulk_view.load_form(session.tx, edit.record_kind, session.words)
    changes, shown = await bulk_view.read_form(session.tx, opened, shown, form)
    problem = ""
    if not any(field.error for field in shown):
        try:
            async with session.tx.savepoint():
                await bulk.change(session.tx, edit.id, changes)
            return _to(edit, back)
        except Unprocessable as err:
            nothing = session.words.gettext("Choose what is to change.")
            problem = refusal_text(err, session.words) if changes else nothing
    context = await _context(session, edit, 0) | {
        "fields": shown, "changes": changes, "problem": problem, "is_form": True
    }  # fmt: skip
    return session.page("bulk_edits/show.html", status=422, **context)


@router.post("/{bulk_edit_id}/run")
async def run_bulk_edit(session: CurrentSession, bulk_edit_id: BulkEditId, back: Back = "") -> Response:
    return await _move(session, bulk_edit_id, bulk.run, back)


@router.post("/{bulk_edit_id}/cancellation")
async def cancel_bulk_edit(session: CurrentSession, bulk_edit_id: BulkEditId, back: Back = "") -> Response:
    return await _move(session, bulk_edit_id, bulk.cancel, back)


@router.post("/{bulk_edit_id}/undo")
async def undo_bulk_edit(session: CurrentSession, bulk_edit_id: BulkEditId, back: Back = "") -> Response:
    return await _move(session, bulk_edit_id, bulk.undo, back)


async def _move(
    session: Session,
    bulk_edit_id: BulkEditId,
    action: Callable[[Tx, BulkEditId], Awaitable[BulkEdit]],
    back: str,
) -> Response:
    """Somebody who comes too late, because it is done by now, sees how it stands."""
    with contextlib.suppress(Conflict):
        await action(session.tx, bulk_edit_id)
    return _to(await queries.get_bulk_edit(session.tx, bulk_edit_id), back)


def _to(edit: BulkEdit, back: str) -> Response:
    return RedirectResponse(f"/bulk-edits/{edit.id}{_carried(edit, back)}", 303)


def _list_of(edit: BulkEdit, back: str) -> str:
    """The list that the records were chosen in, as it was then; the whole one when that is not known."""
    path = bulk_view.PATHS[edit.record_kind]
    return back if back.startswith(f"{path}?") else path


def _carried(edit: BulkEdit, back: str) -> str:
    """What the addresses of an edit carry along, so that its page leads back to that list."""
    place = _list_of(edit, back)
    return f"?{urlencode({'back': place})}" if "?" in place else ""


async def _context(session: Session, edit: BulkEdit, after: int) -> dict[str, Any]:
    """What the page of an edit shows; one that is not tried yet, or is changed again, shows its form."""
    opened, shown = await bulk_view.load_form(session.tx, edit.record_kind, session.words)
    is_undo = edit.status in (BulkStatus.UNDOING, BulkStatus.UNDONE)
    good = [RecordVerdict.RESTORED] if is_undo else [RecordVerdict.CHANGED]
    bad = [RecordVerdict.KEPT] if is_undo else [RecordVerdict.REFUSED]
    is_form = edit.status is BulkStatus.DRAFT or (
        edit.status is BulkStatus.CHECKED and "again" in session.request.query_params
    )
    changed, more = await bulk_view.load_records(session.tx, edit, opened, good, after)
    refused, _ = await bulk_view.load_records(session.tx, edit, opened, bad)
    back = session.request.query_params.get("back", "")
    return {
        "edit": edit,
        "list_href": _list_of(edit, back),
        "carried": _carried(edit, back),
        "view": bulk_view,
        "is_form": is_form,
        "fields": shown,
        "changes": edit.changes,
        "tags": list(opened.names.tags.values()),
        "changed": changed,
        "refused": refused,
        "next_after": more,
        "problem": "",
        **await records.frame(session, "bulk_edits"),
    }
