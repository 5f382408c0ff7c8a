"""The trash: what was deleted, by whom and when, and one press that brings it back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict
from crm.conversations.inbox import count_folders
from crm.search.queries import list_hits
from crm.trash import actions as trash
from crm.trash import queries
from crm.trash.models import TrashKind
from web import finds
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/trash")
Cursor = Annotated[str, Query(max_length=1000)]


@router.get("")
async def show_trash(
    request: Request,
    session: CurrentSession,
    kind: TrashKind | None = None,
    cursor: Cursor = "",
    back: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """What lies in the trash, of one kind or of all; `back` is what has just been taken out, `contact:ID`."""
    hits = await list_hits(session.tx, finds.remembered(back, most=1))
    return await _show(
        session, kind, cursor=cursor, restored=next((finds.find(request.app, hit) for hit in hits), None)
    )


@router.post("/{record_kind}/{record_id}/restoration")
async def restore(
    session: CurrentSession, record_kind: TrashKind, record_id: UUID, only: Annotated[str, Form()] = ""
) -> Response:
    """Take one thing out; `only` is the kind that the page was showing."""
    kind = TrashKind(only) if only in list(TrashKind) else None
    try:
        async with session.tx.savepoint():
            await trash.restore(session.tx, record_kind, record_id)
    except Conflict as err:
        return await _show(session, kind, status=err.status, problem=refusal_text(err, session.words))
    shown = f"kind={kind}&" if kind else ""
    return RedirectResponse(f"/trash?{shown}back={record_kind}:{record_id}", 303)


async def _show(
    session: Session,
    kind: TrashKind | None,
    *,
    cursor: str = "",
    status: int = 200,
    problem: str = "",
    restored: finds.Find | None = None,
) -> Response:
    kinds = queries.readable_kinds(session.tx)
    return session.page(
        "trash/index.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        kinds=kinds,
        kind=kind,
        page=await queries.list_trash(session.tx, [kind] if kind else kinds, cursor=cursor or None),
        is_first=not cursor,
        writable={one for one in kinds if session.principal.may(f"{one.plural}:write")},
        problem=problem,
        restored=restored,
        icons=finds.ICONS,
    )
