"""Duplicates: pairs that may be one person, a merge field by field, its result, and taking it back."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict
from crm.conversations.inbox import count_folders
from crm.merges import actions as merges
from crm.merges import duplicates, queries
from crm.merges.models import MergeId, Side
from events.ids import RecordKind
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter()
Kind = Literal["contact", "company"]
_SIDE = "side."


@router.get("/duplicates")
async def show_duplicates(session: CurrentSession, cursor: str = "") -> Response:
    return session.page(
        "merges/duplicates.html",
        page=await duplicates.list_duplicates(session.tx, cursor=cursor or None),
        recent=(await queries.list_merges(session.tx, limit=5)).items,
        **await _frame(session),
    )


@router.post("/duplicates/{match_id}/dismissal")
async def dismiss_duplicate(session: CurrentSession, match_id: UUID) -> Response:
    await duplicates.dismiss_duplicate(session.tx, match_id)
    return RedirectResponse("/duplicates", 303)


@router.get("/merges/new")
async def show_merge_form(
    session: CurrentSession, kept_id: UUID, merged_id: UUID, kind: Kind = "contact"
) -> Response:
    """Both records side by side, before anything is done."""
    preview = await queries.preview_merge(session.tx, RecordKind(kind), kept_id, merged_id)
    return session.page("merges/new.html", preview=preview, **await _frame(session))


@router.post("/merges")
async def create_merge(
    request: Request,
    session: CurrentSession,
    kept_id: Annotated[UUID, Form()],
    merged_id: Annotated[UUID, Form()],
    kind: Annotated[Kind, Form()] = "contact",
) -> Response:
    """The choices come as `side.FIELD`, one for each field in which the two differ."""
    form = await request.form()
    sides = {
        name.removeprefix(_SIDE): Side(str(value))
        for name, value in form.items()
        if name.startswith(_SIDE) and value in list(Side)
    }
    merge = await merges.merge_records(session.tx, RecordKind(kind), kept_id, merged_id, sides=sides)
    return RedirectResponse(f"/merges/{merge.id}", 303)


@router.get("/merges")
async def show_merges(session: CurrentSession, cursor: str = "") -> Response:
    page = await queries.list_merges(session.tx, cursor=cursor or None)
    return session.page("merges/index.html", page=page, **await _frame(session))


@router.get("/merges/{merge_id}")
async def show_merge(session: CurrentSession, merge_id: MergeId) -> Response:
    return await _show(session, merge_id)


@router.post("/merges/{merge_id}/undoing")
async def undo_merge(session: CurrentSession, merge_id: MergeId) -> Response:
    try:
        undone = await merges.undo_merge(session.tx, merge_id)
    except Conflict as err:
        return await _show(session, merge_id, status=err.status, problem=refusal_text(err, session.words))
    return await _show(session, merge_id, left_alone=undone.left_alone)


async def _show(
    session: Session,
    merge_id: MergeId,
    *,
    status: int = 200,
    problem: str = "",
    left_alone: tuple[tuple[str, str], ...] = (),
) -> Response:
    return session.page(
        "merges/show.html",
        status=status,
        merge=await queries.get_merge(session.tx, merge_id),
        problem=problem,
        left_alone=left_alone,
        **await _frame(session),
    )


async def _frame(session: Session) -> dict[str, Any]:
    return {
        "section": "contacts",
        "counts": await count_folders(session.tx),
        "may_merge": session.principal.may("contacts:write"),
    }
