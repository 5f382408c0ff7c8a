"""The pages as one application: routers, static files, protection against forged forms, errors as pages."""

from http import HTTPStatus

import psycopg
import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette.types import Scope

from api.deps import find_account
from core.errors import AppError, Unauthorized
from core.settings import Settings
from web import assets, live, permissions, security
from web.i18n import Words
from web.pages import (
    api_keys,
    approvals,
    assignment,
    audit,
    bulk_edits,
    cards,
    commissions,
    contacts,
    conversations,
    copilot,
    custom_fields,
    deals,
    design,
    drafts,
    evaluations,
    exports,
    first_steps,
    handles,
    imports,
    inbox,
    issuers,
    joining,
    knowledge,
    mails,
    meetings,
    members,
    merges,
    moves,
    notifications,
    passwords,
    pipelines,
    policy,
    preferences,
    privacy,
    profile,
    records,
    replays,
    runs,
    search,
    seats,
    second_factor,
    segments,
    session,
    sessions,
    sign_in,
    sign_up,
    suggestions,
    system_mails,
    tables,
    tags,
    tasks,
    teams,
    trash,
    views,
    webhooks,
    workspace,
)
from web.pages import (
    settings as settings_pages,
)
from web.phrases import error_text, error_title
from web.refusals import refusal_text
from web.tables import TABLES
from web.viewer import get_visit

log = structlog.get_logger()


def create_web(app: FastAPI, settings: Settings) -> FastAPI:
    """Mount the pages under `/` of the web process, after everything that is already routed there."""
    pages = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(security.refuse_forgeries), Depends(permissions.refuse_strangers)],
    )
    # The services are put there when the process starts; both applications see the same ones.
    pages.state = app.state
    for noun in (
        session,
        issuers,
        sign_in,
        sign_up,
        passwords,
        system_mails,
        sessions,
        profile,
        joining,
        second_factor,
        preferences,
        inbox,
        conversations,
        mails,
        drafts,
        evaluations,
        approvals,
        suggestions,
        assignment,
        replays,
        runs,
        contacts,
        merges,
        copilot,
        knowledge,
        pipelines,
        policy,
        privacy,
        imports,
        bulk_edits,
        views,
        seats,
        commissions,
        segments,
        exports,
        search,
        tasks,
        meetings,
        notifications,
        records,
        settings_pages,
        members,
        teams,
        first_steps,
        workspace,
        custom_fields,
        tags,
        trash,
        api_keys,
        webhooks,
        audit,
        design,
    ):
        pages.include_router(noun.router)
    for table in TABLES:
        pages.include_router(tables.router_of(table))
    own = (cards.contacts, cards.companies, cards.leads, cards.deals)
    # the board stands where a single deal's address would begin
    for router in (deals.router, *own, handles.router, moves.router):
        pages.include_router(router)
    pages.include_router(members.roles_router)
    pages.include_router(live.router)
    pages.mount("/static", assets.HashedStatic())
    pages.add_middleware(security.PagePolicy)
    for kind in (
        AppError,
        RequestValidationError,
        HTTPException,
        psycopg.OperationalError,
        RedisError,
        Exception,
    ):
        pages.add_exception_handler(kind, _show_error)
    app.router.routes.append(_Pages("/", app=pages))
    return pages


class _Pages(Mount):
    """Everything but the API, which answers for its own unknown paths and methods, in JSON."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["path"] == "/api" or scope["path"].startswith("/api/"):
            return Match.NONE, {}
        return super().matches(scope)


async def _show_error(request: Request, err: Exception) -> Response:
    """An error in the reader's words; somebody who is not signed in is led to the door."""
    if isinstance(err, Unauthorized):
        return _to_sign_in(request)
    status = _status(err)
    if status >= 500:
        log.exception("page.failed", path=request.url.path, exc_info=err)
    account = None if status == HTTPStatus.SERVICE_UNAVAILABLE else await find_account(request)
    visit = get_visit(request, account)
    title, text = error_title(status, visit.words), _explain(err, status, visit.words)
    if visit.is_fragment:
        return HTMLResponse(
            visit.text("errors/_toast.html", toast=f"{title}. {text}", is_refused=True), status_code=status
        )
    return visit.page("errors/show.html", status=status, title=title, text=text)


def _explain(err: Exception, status: int, words: Words) -> str:
    """What happened and what to do; what is not there, and what is our fault, is told in general words."""
    is_told = isinstance(err, AppError) and status < 500 and status != HTTPStatus.NOT_FOUND
    return refusal_text(err, words) if is_told else error_text(status, words)  # type: ignore[arg-type]


def _to_sign_in(request: Request) -> Response:
    back = request.url.path if request.method == "GET" and request.url.path != "/" else "/inbox"
    place = f"/session/new?back={back}"
    if "HX-Request" in request.headers:
        return Response(status_code=200, headers={"HX-Redirect": place})
    return RedirectResponse(place, 303)


def _status(err: Exception) -> int:
    match err:
        case AppError():
            return err.status.value
        case HTTPException():
            return err.status_code
        case RequestValidationError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case psycopg.OperationalError() | RedisError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR
