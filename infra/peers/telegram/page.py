"""The page on which a visitor plays the prospect; every act is a form that works without JavaScript."""

import asyncio
import json
import secrets
import time
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.peers.telegram import prospects
from infra.peers.telegram.server import FOLDER, STORE, read_file
from infra.peers.telegram.state import DEFAULT_CHAT_ID, Bot, Line, Person
from infra.peers.telegram.texts import SUGGESTIONS, pick_language, size_text, words

INBOX_URL = web.AppKey("inbox_url", str)
HAS_MAIL = web.AppKey("has_mail", bool)
routes = web.RouteTableDef()
_SHOWN_LINES = 200
_TEXT_LIMIT = 4096
_HEARTBEAT_SECONDS = 15
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@web.middleware
async def refuse_other_sites(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The peer listens on this machine without a login; other sites open in the browser get no say."""
    if (
        request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")
        and request.method != "GET"
    ):
        raise web.HTTPForbidden(text="Forms of other sites are refused.")
    return await handler(request)


@routes.get("/")
@routes.get("/prospect")
async def open_first_bot(request: web.Request) -> web.Response:
    token = next(iter(request.app[STORE].bots), "")
    if not token:
        raise web.HTTPNotFound(text="No bot yet: open /prospect/TOKEN.")
    raise web.HTTPFound(f"/prospect/{token}")


@routes.get("/prospect/{token}")
async def show(request: web.Request) -> web.Response:
    bot, person, language = _who(request)
    edited = next(
        (line for line in _own_texts(bot, person) if str(line.message_id) == request.query.get("edit")), None
    )
    return _render("prospect.html", request, bot, person, language, edited=edited)


@routes.get("/prospect/{token}/thread")
async def show_thread(request: web.Request) -> web.Response:
    bot, person, language = _who(request)
    return _render("_thread.html", request, bot, person, language)


@routes.get("/prospect/{token}/live")
async def live(request: web.Request) -> web.StreamResponse:
    """Server-sent events: one whenever this chat may look different."""
    bot, person, _ = _who(request)
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    shown = ""
    while True:
        now = _fingerprint(bot, person)
        try:
            await response.write(b": still here\n\n" if now == shown else b"data: changed\n\n")
        except ConnectionError:
            return response
        shown = now
        typed_to_for = person.is_typed_to_until - time.time()
        await bot.changes.wait(typed_to_for if typed_to_for > 0 else _HEARTBEAT_SECONDS)


@routes.post("/prospect/{token}/messages")
async def send(request: web.Request) -> web.Response:
    bot, person, language = _who(request)
    form = await request.post()
    text = str(form.get("text", "")).strip().replace("\r\n", "\n")
    person.language = language
    if len(text) > _TEXT_LIMIT:
        raise web.HTTPUnprocessableEntity(text=words(language)["too_long"])
    if text and form.get("edit"):
        prospects.edit(bot, person, int(str(form["edit"])), text)
    elif text:
        prospects.write(bot, person, text)
    return _back(request)


@routes.post("/prospect/{token}/files")
async def send_file(request: web.Request) -> web.Response:
    bot, person, language = _who(request)
    upload = (await request.post()).get("file")
    person.language = language
    if isinstance(upload, web.FileField) and upload.filename:
        content = await asyncio.to_thread(upload.file.read)
        name, mime = upload.filename, upload.content_type
        file = await asyncio.to_thread(prospects.store_file, request.app[FOLDER], name, mime, content)
        is_photo = mime in ("image/jpeg", "image/png", "image/webp")
        prospects.send_file(bot, person, file, is_photo=is_photo)
    return _back(request)


@routes.get("/prospect/{token}/files/{file_id}")
async def show_file(request: web.Request) -> web.StreamResponse:
    bot, _, _ = _who(request)
    file = bot.files.get(request.match_info["file_id"])
    if file is None:
        raise web.HTTPNotFound
    is_image = file.mime in ("image/jpeg", "image/png", "image/webp")
    response = web.StreamResponse(headers={"X-Content-Type-Options": "nosniff"})
    response.content_type = file.mime if is_image else "application/octet-stream"
    if not is_image:
        response.headers["Content-Disposition"] = "attachment"
    await response.prepare(request)
    async for block in read_file(file, request.app[FOLDER]):
        await response.write(block)
    return response


@routes.post("/prospect/{token}/contact")
async def share_contact(request: web.Request) -> web.Response:
    bot, person, language = _who(request)
    person.language = language
    prospects.share_own_contact(bot, person)
    return _back(request)


@routes.post("/prospect/{token}/block")
async def block(request: web.Request) -> web.Response:
    bot, person, _ = _who(request)
    prospects.set_blocked(bot, person, not person.has_blocked_bot)
    return _back(request)


@routes.post("/prospect/{token}/people")
async def become(request: web.Request) -> web.Response:
    """Become somebody else: a new person with a new chat."""
    bot, _, language = _who(request)
    name = " ".join(str((await request.post()).get("name", "")).split())[:64]
    if not name:
        return _back(request)
    person_id = 720_000_000 + secrets.randbelow(200_000_000)
    bot.add_person(Person(person_id, name, language=language))
    query = urlencode({**request.query, "as": person_id})
    raise web.HTTPSeeOther(f"/prospect/{bot.token}?{query}")


def _who(request: web.Request) -> tuple[Bot, Person, str]:
    bot = request.app[STORE].find_bot(request.match_info["token"])
    wanted = request.query.get("as", str(DEFAULT_CHAT_ID))
    person = bot.people.get(int(wanted)) if bot and wanted.isdecimal() else None
    if bot is None or person is None:
        raise web.HTTPNotFound(text="No such chat.")
    language = pick_language(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
    return bot, person, language


def _own_texts(bot: Bot, person: Person) -> list[Line]:
    return [line for line in bot.lines[person.id] if line.is_prospect and line.text and line.file is None]


def _fingerprint(bot: Bot, person: Person) -> str:
    lines = [(line.message_id, line.edit_date, line.is_delivered) for line in bot.lines[person.id]]
    return json.dumps([lines, person.has_blocked_bot, person.is_typed_to_until > time.time()])


def _back(request: web.Request) -> web.Response:
    if request.headers.get("X-Requested-With"):
        return web.Response(status=HTTPStatus.NO_CONTENT)
    query = urlencode(request.query)
    raise web.HTTPSeeOther(f"/prospect/{request.match_info['token']}?{query}")


def _render(
    template: str, request: web.Request, bot: Bot, person: Person, language: str, **more: Any
) -> web.Response:
    own = _own_texts(bot, person)
    other = "en" if language == "ru" else "ru"
    query = {key: value for key, value in request.query.items() if key != "edit"}

    def url(path: str = "", **changed: str | int) -> str:
        return f"/prospect/{bot.token}{path}?{urlencode({**query, **changed})}"

    text = _pages.get_template(template).render(
        t=words(language),
        language=language,
        other_language=other,
        theme=request.query.get("theme", ""),
        bot=bot,
        person=person,
        lines=bot.lines[person.id][-_SHOWN_LINES:],
        last_own=own[-1].message_id if own else 0,
        people=sorted(bot.people.values(), key=lambda each: -_last_moment(bot, each))[:12],
        suggestions=SUGGESTIONS,
        is_typing=person.is_typed_to_until > time.time(),
        inbox_url=request.app[INBOX_URL],
        has_mail=request.app[HAS_MAIL],
        url=url,
        clock=_clock,
        size=lambda size_bytes: size_text(size_bytes, language),
        initials=_initials,
        **more,
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    }
    return web.Response(text=text, content_type="text/html", headers=headers)


def _last_moment(bot: Bot, person: Person) -> int:
    lines = bot.lines[person.id]
    return lines[-1].message_id if lines else 0


def _clock(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds).astimezone().strftime("%H:%M")


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper()
