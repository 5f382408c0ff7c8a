"""What benches over real processes share: one organization, a far end that takes messages, prospects and a person."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
from aiohttp import web

from core.db import Database
from core.envelopes import Keyring
from core.ids import uuid7
from core.principal import Principal, system
from crm.channel_accounts.models import ChannelAccount, webhook_secret
from crm.identity.actions import create_organization, create_user
from crm.identity.models import Role
from events.ids import UserId
from infra.fleet import KEY
from infra.seed.workplace import Workplace, make_workplace

TOKEN = "1000001:demo-bench"
EMAIL = "bench@bench.example"
PASSWORD = "a password for a bench"
_updates = count(1)


@dataclass
class BotApi:
    """The far end: takes messages, and notes when each came into which chat."""

    base: str = ""
    taken: dict[str, list[float]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "getUpdates":
            await asyncio.sleep(1)
            return web.json_response({"ok": True, "result": []})
        if method != "sendMessage":
            return web.json_response({"ok": True, "result": True})
        form = await request.post()
        chat_id = str(form["chat_id"])
        self.taken.setdefault(chat_id, []).append(time.perf_counter())
        sent = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": {"id": int(chat_id), "type": "private"},
        }
        return web.json_response({"ok": True, "result": sent})

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_route("*", "/bot{token}/{method}", self.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.base = str(site.name)
        try:
            yield
        finally:
            await runner.cleanup()


async def open_organization(db: Database) -> tuple[Principal, Workplace]:
    """An organization with a bot, an agent that answers its messages, and a person who may approve."""
    principal = system(uuid7())
    async with db.transaction(principal, "bench") as tx:
        await create_organization(tx, slug="bench", name="Bench", locale="en", time_zone="UTC")
        owner: UserId = await create_user(
            tx, email=EMAIL, name="Anna", password=PASSWORD, role=Role.OWNER, locale="en"
        )
        return principal, await make_workplace(tx, bot_token=TOKEN, keys=Keyring(KEY), responsible=owner)


async def sign_in(http: aiohttp.ClientSession, base: str) -> None:
    """Give the session the cookie of the person who may approve."""
    token = await form_token(http, base, "/session/new")
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token}
    async with http.post(f"{base}/session", data=form) as answer:
        answer.raise_for_status()


async def form_token(http: aiohttp.ClientSession, base: str, path: str) -> str:
    """The form token that a page carries."""
    async with http.get(base + path) as answer:
        html = await answer.text()
    return html.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def update(chat_id: int, text: str) -> dict[str, Any]:
    """What Telegram sends when a prospect writes."""
    update_id = next(_updates)
    person = {"id": chat_id, "is_bot": False, "first_name": "Vera", "language_code": "en"}
    message = {
        "message_id": update_id,
        "date": int(time.time()),
        "chat": {"id": chat_id, "type": "private", "first_name": "Vera"},
        "from": person,
        "text": text,
    }
    return {"update_id": update_id, "message": message}


@asynccontextmanager
async def post_update(
    http: aiohttp.ClientSession, base: str, account: ChannelAccount, told: dict[str, Any]
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Deliver an update by webhook."""
    async with http.post(
        f"{base}/webhooks/telegram/{account.id}",
        json=told,
        headers={"X-Telegram-Bot-Api-Secret-Token": webhook_secret(KEY, account.id)},
    ) as answer:
        yield answer
