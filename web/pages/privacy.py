"""Requests of people about their own data: made, looked through, confirmed, and their files taken."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import FileResponse, RedirectResponse, Response

from core.db import Tx
from core.errors import Conflict, Unprocessable
from crm.contacts.erased import is_kept_away
from crm.conversations.inbox import count_folders
from crm.privacy import actions as privacy
from crm.privacy import queries
from crm.privacy.models import EXPORTS, Request, RequestKind
from events.ids import ContactId, PrivacyRequestId, RecordKind
from web.links import Unclear, the_record
from web.privacy_view import KINDS, STATES, lines_of
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/privacy")
HOME = "/settings/privacy"
Refused = (Conflict, Unprocessable)
Decide = Callable[[Tx, PrivacyRequestId], Awaitable[Request]]


@router.get("")
async def show_requests(
    session: CurrentSession,
    contact: Annotated[str, Query(max_length=100)] = "",
    cursor: Annotated[str, Query(max_length=1000)] = "",
) -> Response:
    """The list, with the form for a new one; `contact` is whom it begins with."""
    return await _list(session, form={"contact": contact}, cursor=cursor)


@router.post("")
async def make_request(
    session: CurrentSession,
    kind: Annotated[RequestKind, Form()],
    contact: Annotated[str, Form(max_length=1000)] = "",
    why: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    form = {"contact": contact, "why": why, "kind": kind.value}
    try:
        async with session.tx.savepoint():
            contact_id = ContactId(
                await the_record(session.tx, RecordKind.CONTACT, contact.strip(), "contact")
            )
            made = await privacy.make_request(session.tx, kind, contact_id, why)
    except Unclear as err:
        problem = session.words.gettext(err.question)
        return await _list(session, status=err.status, problem=problem, form=form, found=err.found)
    except Refused as err:
        problem = refusal_text(err, session.words)
        return await _list(session, status=err.status, problem=problem, form=form)
    return RedirectResponse(f"{HOME}/{made.id}", 303)


@router.get("/{privacy_request_id}")
async def show_request(session: CurrentSession, privacy_request_id: PrivacyRequestId) -> Response:
    return await _show(session, await queries.get_request(session.tx, privacy_request_id))


@router.post("/{privacy_request_id}/confirmation")
async def confirm_erasure(session: CurrentSession, privacy_request_id: PrivacyRequestId) -> Response:
    return await _decide(session, privacy_request_id, privacy.confirm_erasure)


@router.post("/{privacy_request_id}/cancellation")
async def cancel_request(session: CurrentSession, privacy_request_id: PrivacyRequestId) -> Response:
    return await _decide(session, privacy_request_id, privacy.cancel_request)


@router.post("/{privacy_request_id}/allowance")
async def allow_again(session: CurrentSession, privacy_request_id: PrivacyRequestId) -> Response:
    return await _decide(session, privacy_request_id, privacy.allow_again)


@router.get("/{privacy_export_id}/file")
async def download_export(session: CurrentSession, privacy_export_id: PrivacyRequestId) -> Response:
    request = await queries.get_request(session.tx, privacy_export_id)
    if request.blob_key is None:
        return RedirectResponse(f"{HOME}/{request.id}", 303)
    path = session.services.blobs.apart(EXPORTS).path(request.organization_id, request.blob_key)
    return FileResponse(path, media_type="application/zip", filename=f"person-{request.id}.zip")


async def _list(
    session: Session,
    *,
    status: int = 200,
    problem: str = "",
    form: dict[str, str] | None = None,
    found: list[tuple[str, str]] | None = None,
    cursor: str = "",
) -> Response:
    page = await queries.list_requests(session.tx, cursor=cursor or None)
    return session.page(
        "privacy/index.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        problem=problem,
        form={"kind": "", "contact": "", "why": ""} | (form or {}),
        found=found or [],
        page=page,
        is_first=not cursor,
        kinds=KINDS,
        states=STATES,
        max_why=privacy.MAX_WHY,
    )


async def _show(session: Session, request: Request, *, status: int = 200, problem: str = "") -> Response:
    return session.page(
        "privacy/show.html",
        status=status,
        section="settings",
        counts=await count_folders(session.tx),
        problem=problem,
        request_=request,
        lines=lines_of(request),
        is_kept_away=await is_kept_away(session.tx, request.id),
        kinds=KINDS,
        states=STATES,
    )


async def _decide(session: Session, request_id: PrivacyRequestId, decide: Decide) -> Response:
    try:
        async with session.tx.savepoint():
            await decide(session.tx, request_id)
    except Refused as err:
        request = await queries.get_request(session.tx, request_id)
        return await _show(session, request, status=err.status, problem=refusal_text(err, session.words))
    return RedirectResponse(f"{HOME}/{request_id}", 303)
