"""What keeps other sites out: forged forms are refused, and every answer says what a page may do."""

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cookies, forgery
from api.deps import get_services, session_token
from core import crypto
from core.errors import Forbidden, TooLarge

CSRF_COOKIE = "getsale_csrf"
FORM_BYTES = 200 * 1024 * 1024
# Nothing inline and nothing of other sites; the only pictures that are no files of ours are the code of a second factor.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class PagePolicy:
    """Says what a page may load; api/headers.py adds what every answer says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Content-Security-Policy", POLICY)
            await send(message)

        await self._app(scope, receive, add if scope["type"] == "http" else send)


def csrf_token(request: Request) -> str:
    """The token of this session's forms, or of this browser's before anybody is signed in."""
    secret = get_services(request).settings.secret_key.get_secret_value()
    return forgery.csrf_token(secret, _csrf_seed(request))


def keep_csrf_seed(request: Request, response: Response) -> None:
    """Give a browser that nobody is signed in with something of its own to bind a token to."""
    settings = get_services(request).settings
    if not cookies.read(request, settings, CSRF_COOKIE):
        cookies.write(response, settings, CSRF_COOKIE, _csrf_seed(request), max_age=None, is_strict=True)


async def refuse_forgeries(request: Request) -> None:
    """Every unsafe request must come from our own page and carry its token.

    Raises: Forbidden.
    """
    if request.method in forgery.SAFE_METHODS:
        return
    forgery.refuse_other_sites(request, get_services(request).settings.public_url)
    _refuse_floods(request)
    sent = request.headers.get("X-CSRF-Token") or (await request.form()).get("csrf_token")
    if not isinstance(sent, str) or not crypto.same(sent, csrf_token(request)):
        raise Forbidden("This page is too old to send a form; reload it and try again.")


def _refuse_floods(request: Request) -> None:
    """A form with files is written to disk as it comes, so its size is asked for first. Raises: TooLarge."""
    size = request.headers.get("Content-Length", "")
    is_form = request.headers.get("Content-Type", "").startswith("multipart/")
    if is_form and not (size.isdigit() and int(size) <= FORM_BYTES):
        raise TooLarge(f"At most {FORM_BYTES // 1024**2} MB fit into one form; send the files in several.")


def _csrf_seed(request: Request) -> str:
    """What the token is bound to: the session, or a random cookie before there is one."""
    kept = session_token(request) or cookies.read(request, get_services(request).settings, CSRF_COOKIE)
    if kept:
        return kept
    if not hasattr(request.state, "csrf_seed"):
        request.state.csrf_seed = crypto.new_token()
    fresh: str = request.state.csrf_seed
    return fresh
