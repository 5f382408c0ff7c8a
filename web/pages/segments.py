"""Segments: who is in each of them now, and an editor of groups and conditions that needs no script."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import JsonValue

from core.errors import AppError, Conflict, Stale, Unprocessable
from crm.records.lists import listing_of
from crm.segments import actions as segments
from crm.segments import queries
from crm.segments.models import MAX_NAME, NewSegment, Segment, SegmentEdit
from events.ids import RecordKind, SegmentId
from web import segments_view, values
from web.bulk_view import TITLES
from web.pages import records
from web.refusals import refusal_text
from web.segments_view import Group, Row
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/segments")
Name = Annotated[str, Form(max_length=MAX_NAME)]
Kind = Annotated[RecordKind, Form()]


@router.get("")
async def show_segments(
    session: CurrentSession, cursor: str = "", part: str = "", removed: SegmentId | None = None
) -> Response:
    """Every segment with who is in it now; `removed` is the one that was just removed and can come back."""
    page = await queries.list_segments(session.tx, cursor=cursor or None)
    lines = [await segments_view.load_line(session.tx, segment, session.words) for segment in page.items]
    gone = await queries.get_segment(session.tx, removed) if removed else None
    return session.page(
        "segments/_list.html" if part == "list" else "segments/index.html",
        lines=lines,
        next_cursor=page.next_cursor,
        cursor=cursor,
        gone=gone if gone and gone.deleted_at else None,
        **await records.frame(session, "segments"),
    )


@router.get("/new")
async def show_new_segment(session: CurrentSession, kind: RecordKind = RecordKind.CONTACT) -> Response:
    return await _page(session, kind, "", Group(parts=(Row(),)))


@router.post("")
async def create_segment(session: CurrentSession, kind: Kind, name: Name = "") -> Response:
    """Keep a new segment; what cannot be kept stays in the form with the reason."""
    group = segments_view.read_form(await session.request.form())
    try:
        async with session.tx.savepoint():
            group = await _settled(session, kind, group)
            new = NewSegment(kind, name, await _filter(session, kind, group))
            segment = await segments.create_segment(session.tx, new)
    except (Unprocessable, Conflict) as err:
        return await _page(session, kind, name, group, problem=err)
    return RedirectResponse(f"/segments/{segment.id}", 303)


async def _settled(session: Session, kind: RecordKind, group: Group) -> Group:
    names = await values.load_names(session.tx, kind)
    return await segments_view.settle(session.tx, group, names, session.words)


async def _filter(session: Session, kind: RecordKind, group: Group) -> dict[str, JsonValue]:
    """Raises: Unprocessable, naming the condition that is not finished."""
    listing = await listing_of(session.tx, kind)
    field = segments_view.unfinished(group, listing)
    if field:
        called = values.label(field, await values.load_names(session.tx, kind), session.words)
        raise Unprocessable(f"Give “{called}” a value, or remove the condition.", field=field)
    return segments_view.filter_of(group, listing)


@router.post("/editing")
async def edit_segment(
    session: CurrentSession,
    kind: Kind,
    name: Name = "",
    segment_id: Annotated[SegmentId | str, Form()] = "",
    part: Annotated[str, Query()] = "",
) -> Response:
    """The form one step further: a condition or a group more or less, other operators, who would be in it."""
    group = await _settled(session, kind, segments_view.read_form(await session.request.form()))
    segment = await queries.get_segment(session.tx, SegmentId(segment_id)) if segment_id else None  # type: ignore[arg-type]
    if not session.is_fragment:
        return await _page(session, kind, name, group, segment)
    editor = await segments_view.load_editor(
        session.tx, kind, group, session.words, segment.id if segment else None
    )
    template = "segments/_count.html" if part == "count" else "segments/_editor.html"
    return session.page(template, editor=editor)


@router.get("/{segment_id}")
async def show_segment(session: CurrentSession, segment_id: SegmentId) -> Response:
    segment = await queries.get_segment(session.tx, segment_id)
    listing = await listing_of(session.tx, segment.record_kind)
    group = segments_view.tree_of(segment.filter, listing)
    return await _page(session, segment.record_kind, segment.name, group, segment)


@router.post("/{segment_id}")
async def save_segment(
    session: CurrentSession, segment_id: SegmentId, version: Annotated[int, Form()], name: Name = ""
) -> Response:
    segment = await queries.get_segment(session.tx, segment_id)
    group = segments_view.read_form(await session.request.form())
    try:
        async with session.tx.savepoint():
            group = await _settled(session, segment.record_kind, group)
            kept = await _filter(session, segment.record_kind, group)
            edit = SegmentEdit(name, kept)
            await segments.update_segment(session.tx, segment_id, edit, version=version)
    except (Unprocessable, Conflict, Stale) as err:
        return await _page(session, segment.record_kind, name, group, segment, problem=err)
    return RedirectResponse(f"/segments/{segment_id}", 303)


@router.post("/{segment_id}/removal")
async def remove_segment(session: CurrentSession, segment_id: SegmentId) -> Response:
    await segments.delete_segment(session.tx, segment_id, version=None)
    return RedirectResponse(f"/segments?removed={segment_id}", 303)


@router.post("/{segment_id}/restoration")
async def restore_segment(session: CurrentSession, segment_id: SegmentId) -> Response:
    await segments.restore_segment(session.tx, segment_id)
    return RedirectResponse(f"/segments/{segment_id}", 303)


async def _page(
    session: Session,
    kind: RecordKind,
    name: str,
    group: Group,
    segment: Segment | None = None,
    *,
    problem: AppError | None = None,
) -> Response:
    within = segment.id if segment else None
    context: dict[str, Any] = {
        "editor": await segments_view.load_editor(session.tx, kind, group, session.words, within),
        "segment": segment,
        "name": name,
        "kinds": list(TITLES.items()),
        "title": TITLES[kind],
        "list_href": segments_view.list_href(segment) if segment else "",
        "problem": _reason(session, problem) if problem else "",
        "at_name": bool(problem) and problem is not None and problem.fields.get("field") == "name",
        **await records.frame(session, "segments"),
    }
    return session.page("segments/show.html", status=problem.status.value if problem else 200, **context)


def _reason(session: Session, err: AppError) -> str:
    if isinstance(err, Stale):
        return session.words.gettext(
            "Somebody changed this segment meanwhile. Reload the page to see it as it is."
        )
    return refusal_text(err, session.words)
