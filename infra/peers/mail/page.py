"""The page on which a visitor writes by mail as the prospect; it works without JavaScript."""

import asyncio
from pathlib import Path
from smtplib import SMTPException
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.peers.mail.person import Letter, MailPerson
from infra.peers.mail.texts import SUGGESTIONS, words
from infra.peers.telegram.texts import pick_language

PERSON = web.AppKey("mail_person", MailPerson)
INBOX = web.AppKey("mail_inbox_url", str)
routes = web.RouteTableDef()
_LOOK_SECONDS = 1.5
_TEXT_LIMIT = 4096
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@routes.get("/mail")
async def show(request: web.Request) -> web.Response:
    return await _render("mail.html", request)


@routes.get("/mail/thread")
async def show_thread(request: web.Request) -> web.Response:
    return await _render("_letters.html", request)


@routes.get("/mail/live")
async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events: one whenever the mailbox looks different."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    shown: list[str] | None = None
    while True:
        letters = await _letters(request)
        now = [letter.key for letter in letters or ()]
        try:
            await response.write(b": still here\n\n" if now == shown else b"data: changed\n\n")
        except ConnectionError:
            return response
        shown = now
        await asyncio.sleep(_LOOK_SECONDS)


@routes.post("/mail/messages")
async def send(request: web.Request) -> web.Response:
    form = await request.post()
    text = str(form.get("text", "")).strip().replace("\r\n", "\n")[:_TEXT_LIMIT]
    subject = " ".join(str(form.get("subject", "")).split())[:200]
    if text:
        try:
            await asyncio.to_thread(request.app[PERSON].write, text, subject)
        except (OSError, SMTPException) as err:
            raise web.HTTPServiceUnavailable(text="The mail server does not answer yet.") from err
    if request.headers.get("X-Requested-With"):
        return web.Response(status=204)
    raise web.HTTPSeeOther(f"/mail?{urlencode(request.query)}")


async def _letters(request: web.Request) -> list[Letter] | None:
    """None while the mail server does not answer."""
    try:
        return await asyncio.to_thread(request.app[PERSON].letters)
    except OSError:
        return None


async def _render(template: str, request: web.Request) -> web.Response:
    language = pick_language(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
    other = "en" if language == "ru" else "ru"
    letters = await _letters(request)
    text = _pages.get_template(template).render(
        t=words(language),
        language=language,
        other_language=other,
        theme=request.query.get("theme", ""),
        person=request.app[PERSON],
        letters=letters or [],
        is_away=letters is None,
        suggestions=SUGGESTIONS,
        inbox_url=request.app[INBOX],
        url=lambda path="", **changed: f"/mail{path}?{urlencode({**request.query, **changed})}",
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    }
    return web.Response(text=text, content_type="text/html", headers=headers)
