"""Tags: the words of the organization, renamed, coloured, merged and taken away."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Stale, Unprocessable
from core.filters import containing
from core.sql import ListQuery
from crm.conversations.inbox import count_folders
from crm.tags import actions as tags
from crm.tags.models import MAX_NAME, TINTS, Tag, TagEdit
from crm.tags.queries import get_tag, list_filters_with, list_tag_lines, list_tags
from events.ids import TagId
from web.phrases import N_
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/tags")
HOME = "/settings/tags"
Name = Annotated[str, Form(max_length=200)]
_PAGE = 50


@router.get("")
async def show_tags(session: CurrentSession, q: str = "", cursor: str = "") -> Response:
    return await _index(session, q=q[:100], cursor=cursor)


@router.post("")
async def create_tag(session: CurrentSession, name: Name = "") -> Response:
    try:
        await tags.create_tag(session.tx, name)
    except (Unprocessable, Conflict) as err:
        return await _index(session, status=err.status, problem=_problem(session, err), name=name)
    return RedirectResponse(HOME, 303)


@router.get("/{tag_id}")
async def show_tag(session: CurrentSession, tag_id: TagId) -> Response:
    return await _show(session, await get_tag(session.tx, tag_id))


@router.post("/{tag_id}")
async def update_tag(
    session: CurrentSession,
    tag_id: TagId,
    version: Annotated[int, Form()],
    name: Name = "",
    tint: Annotated[int, Form(ge=0, le=7)] = 0,
) -> Response:
    tag = await get_tag(session.tx, tag_id)
    try:
        async with session.tx.savepoint():
            await tags.update_tag(session.tx, tag_id, TagEdit(name, tint), version=version)
    except (Unprocessable, Conflict, Stale) as err:
        return await _show(session, tag, status=err.status, problem=_problem(session, err), name=name)
    return RedirectResponse(HOME, 303)


@router.post("/{tag_id}/merge")
async def merge_tag(session: CurrentSession, tag_id: TagId, into_id: Annotated[TagId, Form()]) -> Response:
    await tags.merge_tags(session.tx, tag_id, into_id)
    return RedirectResponse(f"{HOME}/{into_id}", 303)


@router.post("/{tag_id}/removal")
async def remove_tag(session: CurrentSession, tag_id: TagId) -> Response:
    tag = await get_tag(session.tx, tag_id)
    try:
        await tags.delete_tag(session.tx, tag_id)
    except Conflict as err:
        problem = session.words.gettext(
            N_("Segments or views ask for this tag. Change them first, or merge the tag into another one.")
        )
        return await _show(session, tag, status=err.status, problem=problem)
    return RedirectResponse(HOME, 303)


async def _index(
    session: Session, *, status: int = 200, q: str = "", cursor: str = "", **shown: Any
) -> Response:
    query = ListQuery(containing(q.strip(), ("name",)), cursor=cursor or None, limit=_PAGE)
    context = {
        "tags": await list_tag_lines(session.tx, query),
        "q": q,
        "problem": "",
        "name": "",
        **await _frame(session),
    }
    return session.page("tags/index.html", status=status, **{**context, **shown})


async def _show(session: Session, tag: Tag, *, status: int = 200, **shown: Any) -> Response:
    lines = await list_tag_lines(session.tx, ListQuery(containing(tag.name, ("name",)), limit=100))
    context = {
        "tag": tag,
        "records": next((line.records for line in lines.items if line.id == tag.id), 0),
        "asking": await list_filters_with(session.tx, tag.id),
        "others": [other for other in await list_tags(session.tx) if other.id != tag.id],
        "tints": TINTS,
        "problem": "",
        "name": tag.name,
        **await _frame(session),
    }
    return session.page("tags/show.html", status=status, **{**context, **shown})


async def _frame(session: Session) -> dict[str, Any]:
    return {
        "section": "settings",
        "counts": await count_folders(session.tx),
        "may_change": session.principal.may("fields:write"),
        "max_name": MAX_NAME,
    }


def _problem(session: Session, err: Unprocessable | Conflict | Stale) -> str:
    """Why a form was not taken, in the reader's words."""
    say = session.words.gettext
    if isinstance(err, Stale):
        return say(N_("Somebody changed this tag meanwhile. Look at it again, then change it."))
    if isinstance(err, Conflict):
        return say(N_("There is a tag of this name already. Choose another name, or merge the two."))
    return say(N_("A tag needs a name of at most 60 characters."))
