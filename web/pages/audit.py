"""The audit: who did what, when and from where, as a page to look through and as a file."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from api.deps import CurrentServices, short_transactions
from core import clock
from core.errors import Unprocessable
from core.pagination import MAX_PAGE
from core.principal import SYSTEM_ID
from core.tables import writing
from core.tables.writing import MEDIA, Format
from crm.audit import actions as audit
from crm.audit import queries
from crm.audit.models import Entry
from crm.conversations.inbox import count_folders
from events.types import BY_NAME
from web import audit_view
from web.audit_view import Asked
from web.happenings import DOORS, HAPPENINGS, NOUNS
from web.viewer import CurrentReader, CurrentSession, Session

router = APIRouter(prefix="/audit")
COLUMNS = (
    "id", "at", "type", "actor_kind", "actor_id", "actor_name", "responsible_id", "responsible_name", "run_id",
    "subject_kind", "subject_id", "subject_name", "via", "credential_id", "credential_name", "address", "agent",
    "changes", "position",
)  # fmt: skip


def asked_of(
    who: str = "",
    type: Annotated[str, Query(max_length=100)] = "",
    subject_kind: Annotated[str, Query(max_length=100)] = "",
    subject_id: str = "",
    run_id: str = "",
    via: Annotated[str, Query(max_length=20)] = "",
    since: str = "",
    until: str = "",
) -> Asked:
    """An empty field of the form filters by nothing. Raises: Unprocessable for what is neither an id nor a day."""
    try:
        ids = [UUID(text) if text else None for text in (who, subject_id, run_id)]
        days = [date.fromisoformat(text) if text else None for text in (since, until)]
    except ValueError as err:
        raise Unprocessable(
            "One of the filters is not what it has to be; choose it on the page.", field="filter"
        ) from err
    return Asked(ids[0], type, subject_kind, ids[1], ids[2], via, *days)


Wanted = Annotated[Asked, Depends(asked_of)]


@router.get("")
async def show_audit(
    session: CurrentSession, asked: Wanted, cursor: Annotated[str, Query(max_length=1000)] = ""
) -> Response:
    return await _show(session, asked, cursor)


@router.post("/verifications")
async def verify_audit(session: CurrentSession) -> Response:
    await audit.ask_verification(session.tx)
    return RedirectResponse("/audit", 303)


@router.get("/entries.{form}")
async def export_entries(
    reader: CurrentReader, services: CurrentServices, asked: Wanted, form: Format
) -> StreamingResponse:
    """Every entry that the filter leaves; no transaction is open while somebody takes a page."""
    reader.principal.require(queries.READ)
    transaction = short_transactions(services, reader.principal, "audit.page")
    wanted = asked.wanted(reader.words)

    async def rows() -> AsyncIterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            async with transaction() as tx:
                page = await queries.list_entries(tx, wanted, cursor=cursor, limit=MAX_PAGE)
            for entry in page.items:
                yield _row(entry, form)
            cursor = page.next_cursor
            if cursor is None:
                return

    pieces = writing.as_csv(COLUMNS, rows(), has_mark=True) if form == "csv" else writing.as_json(rows())
    name = quote(f"audit-{clock.now():%Y-%m-%d}.{form}")
    return StreamingResponse(
        pieces,
        media_type=MEDIA[form],
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _row(entry: Entry, form: Format) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in COLUMNS}
    if form == "csv":
        row["changes"] = "; ".join(
            f"{field}: {before} → {after}" for field, (before, after) in entry.changes.items()
        )
    return row


async def _show(session: Session, asked: Asked, cursor: str) -> Response:
    tx, words = session.tx, session.words
    page = await queries.list_entries(tx, asked.wanted(words), cursor=cursor or None)
    last = await queries.find_last_verification(tx)
    return session.page(
        "audit/index.html",
        section="settings",
        counts=await count_folders(tx),
        asked=asked,
        lines=await audit_view.lines_of(tx, page.items, words),
        next_cursor=page.next_cursor,
        is_first=not cursor,
        actors=await queries.list_actors(tx),
        system_id=SYSTEM_ID,
        types={name: text for name, text in HAPPENINGS.items() if name in BY_NAME},
        nouns=NOUNS,
        doors=DOORS,
        chain=await queries.get_chain_state(tx),
        verification=last,
        verdict=audit_view.verdict_text(last, words) if last else "",
    )
