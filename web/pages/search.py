"""The search box: a page of results, and the options of the palette."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from crm.conversations.inbox import count_folders
from crm.search import queries
from crm.search.models import FoundKind
from events.ids import RecordKind
from web import finds, pickers
from web.commands import COMMANDS, find_commands
from web.viewer import CurrentSession

router = APIRouter(prefix="/search")
Words = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
EACH, ALONE, IN_PALETTE, ACTIONS = 6, 50, 5, 6


@router.get("")
async def show_results(
    request: Request, session: CurrentSession, q: Words = "", kind: FoundKind | None = None
) -> Response:
    """What was found, by kind; with `kind` more of that one."""
    kinds, each = ((kind,), ALONE) if kind else (tuple(FoundKind), EACH)
    found = await queries.search(session.tx, q, kinds=kinds, each=each)
    return session.page(
        "search/index.html",
        section="search",
        counts=await count_folders(session.tx),
        text=q.strip(),
        kind=kind,
        each=each,
        groups=finds.groups(request.app, found),
        understood=found.understood,
    )


@router.get("/palette")
async def show_options(
    request: Request,
    session: CurrentSession,
    q: Words = "",
    recent: Annotated[str, Query(max_length=600)] = "",
) -> Response:
    """Actions, pages and records for what was typed; before anything is typed, what was opened last."""
    offered = [
        command
        for command in COMMANDS
        if (not command.scope or session.principal.may(command.scope))
        and (not command.href or finds.has_page(request.app, command.href))
    ]
    chosen = find_commands(q, offered, ACTIONS)
    found = await queries.search(session.tx, q, limit=4 * IN_PALETTE, each=IN_PALETTE)
    last = await queries.list_hits(session.tx, finds.remembered(recent)) if not q.strip() else []
    return session.page(
        "search/_options.html",
        text=q.strip(),
        chosen=chosen,
        # one word may be anybody's misspelt name; several that a command has are meant for it when finds were guessed
        commands_first=chosen.is_sure or (len(q.split()) > 1 and found.is_guessed),
        groups=finds.groups(request.app, found),
        recent=[finds.find(request.app, hit) for hit in last],
        understood=found.understood,
    )


@router.get("/records")
async def show_records(
    session: CurrentSession, kind: Literal["contact", "company", "deal"], q: Words = ""
) -> Response:
    """Records of one kind to choose from, while one types into a field that leads to them."""
    found = await pickers.suggest(session.tx, RecordKind(kind), q.strip())
    return session.page("search/_records.html", found=found)
