"""The peer as one aiohttp application."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from infra.peers.mail import page as mail_page
from infra.peers.mail.person import MailPerson
from infra.peers.telegram import control, page, server, storage
from infra.peers.telegram.faults import Faults
from infra.peers.telegram.server import FAULTS, FOLDER, STORE
from infra.peers.telegram.state import Store
from infra.peers.telegram.webhooks import deliver_all

_UPLOAD_LIMIT_BYTES = 64 * 1024 * 1024


def create_app(
    *,
    data: Path | None = None,
    bot_name: str = "Norrwick",
    token: str = "",
    inbox_url: str = "",
    mail: MailPerson | None = None,
) -> web.Application:
    """Make the peer; without `data` it forgets everything when it ends. With `mail` the prospect writes mails too."""
    middlewares = [page.refuse_other_sites, control.explain_mistakes]
    app = web.Application(client_max_size=_UPLOAD_LIMIT_BYTES, middlewares=middlewares)
    app[STORE], app[FAULTS] = Store(bot_name), Faults()
    app[page.INBOX_URL] = inbox_url
    app[FOLDER] = _folder(data)
    if data is not None:
        storage.load(app[STORE], data / "chats.json")
    if token and app[STORE].find_bot(token) is None:
        raise ValueError("--token must look like 1000001:demo-abcdef")
    app.router.add_get("/healthz", _healthz)
    for module in (control, page, server):
        app.router.add_routes(module.routes)
    app[page.HAS_MAIL] = mail is not None
    if mail is not None:
        app[mail_page.PERSON], app[mail_page.INBOX] = mail, inbox_url
        app.router.add_routes(mail_page.routes)
    app.router.add_static("/prospect-static", Path(__file__).parent / "static")
    app.cleanup_ctx.append(_background)
    if data is not None:
        app[_SAVED_TO] = data / "chats.json"
    return app


_SAVED_TO = web.AppKey("saved_to", Path)


def _folder(data: Path | None) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="getsale-peer-")) if data is None else data / "files"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _background(app: web.Application) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(deliver_all(app[STORE], app[FAULTS]))]
    if _SAVED_TO in app:
        tasks.append(asyncio.create_task(storage.keep_saved(app[STORE], app[_SAVED_TO])))
    yield
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
    if _SAVED_TO not in app:
        await asyncio.to_thread(shutil.rmtree, app[FOLDER], ignore_errors=True)
