"""Who looks at a page, and in which language, time zone and theme."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from api import doors
from api.deps import CurrentAccount, CurrentServices, CurrentTx, MaybeAccount, Services
from core.db import Tx
from core.principal import Principal
from crm.conversations.inbox import latest_event_id
from crm.identity.models import Account, Organization
from crm.identity.queries import get_organization
from crm.identity.sessions import note_seen
from crm.notifications.queries import count_unread
from events.ids import SessionId
from web import i18n, security, templating

THEME_COOKIE = "getsale_theme"
LOCALE_COOKIE = "getsale_locale"
THEMES = ("system", "light", "dark")


@dataclass(frozen=True)
class Viewer:
    """What templates know about the reader; `path` is where a preference leads back to, `unread` counts what they
    were told."""

    account: Account | None
    organization_name: str
    theme: str
    csrf_token: str
    path: str
    unread: int = 0


@dataclass(frozen=True)
class Visit:
    """One request for a page by anybody: renders templates in the reader's language."""

    request: Request
    viewer: Viewer
    words: i18n.Words

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a part; going back in history always needs the whole page."""
        headers = self.request.headers
        return "HX-Request" in headers and "HX-History-Restore-Request" not in headers

    def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        return self._answer(templating.render(self.words.locale, template, self._context(context)), status)

    def part(self, template: str, block: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """One block of a page, with the page's title for the browser."""
        full = self._context(context)
        title, content = (
            templating.render_part(self.words.locale, template, name, full) for name in ("title", block)
        )
        return self._answer(f"<title>{title}</title>{content}", status)

    def text(self, template: str, **context: Any) -> str:
        return templating.render(self.words.locale, template, self._context(context))

    def _context(self, context: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": self.viewer, "say": self.words, **context}

    def _answer(self, content: str, status: int) -> HTMLResponse:
        headers = {"Vary": "HX-Request, Cookie, Accept-Language"}
        return HTMLResponse(content, status_code=status, headers=headers)


@dataclass(frozen=True)
class Session(Visit):
    """A request by somebody who is signed in, with its transaction.

    `since` is the last event from before anything was read: live updates go on from it, so that what is committed
    while a page is being put together comes to it as well.
    """

    tx: Tx
    account: Account
    services: Services
    since: str

    @property
    def principal(self) -> Principal:
        return self.account.principal


@dataclass(frozen=True)
class Reader(Visit):
    """A request by somebody who is signed in, for something that no transaction may wait for."""

    principal: Principal


def get_visit(request: Request, account: MaybeAccount) -> Visit:
    """A page that needs nobody to be signed in and no transaction."""
    locale = account.locale if account else request.cookies.get(LOCALE_COOKIE)
    if locale not in i18n.LOCALES:
        locale = i18n.choose(request.headers.get("Accept-Language"))
    return Visit(request, _viewer(request, account, ""), i18n.Words(locale, "UTC"))


async def _visit(request: Request, account: MaybeAccount) -> Visit:
    return get_visit(request, account)


async def get_reader(request: Request, account: CurrentAccount) -> Reader:
    """Raises: Unauthorized when nobody is signed in."""
    visit = get_visit(request, account)
    return Reader(visit.request, visit.viewer, visit.words, account.principal)


async def get_session(
    request: Request, account: CurrentAccount, tx: CurrentTx, services: CurrentServices
) -> Session:
    """Raises: Unauthorized when nobody is signed in."""
    if services.sightings.is_due(account.session_id):
        await note_seen(tx, SessionId(account.session_id), doors.sighting(request))
    since = await latest_event_id(tx)
    organization = await get_organization(tx)
    words = words_of(account, organization)
    viewer = replace(_viewer(request, account, organization.name), unread=await count_unread(tx))
    return Session(request, viewer, words, tx, account, services, str(since or ""))


def words_of(account: Account, organization: Organization) -> i18n.Words:
    """A member's language, and their time zone or the organization's."""
    locale = account.locale if account.locale in i18n.LOCALES else i18n.LOCALES[0]
    return i18n.Words(locale, account.time_zone or organization.time_zone)


def _viewer(request: Request, account: Account | None, organization_name: str) -> Viewer:
    theme = request.cookies.get(THEME_COOKIE, "system")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Viewer(
        account,
        organization_name,
        theme if theme in THEMES else "system",
        security.csrf_token(request),
        path if request.method == "GET" else "/inbox",
    )


CurrentVisit = Annotated[Visit, Depends(_visit)]
CurrentReader = Annotated[Reader, Depends(get_reader)]
CurrentSession = Annotated[Session, Depends(get_session, scope="function")]
