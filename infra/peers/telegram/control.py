"""Control over the peer for tests and benches: play a prospect, see their chat, ask for faults."""

import secrets
from dataclasses import asdict
from typing import Any, Literal

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.peers.telegram import prospects
from infra.peers.telegram.faults import Fault, Mode
from infra.peers.telegram.server import FAULTS, STORE
from infra.peers.telegram.state import DEFAULT_CHAT_ID, Bot, Person, StoredFile

routes = web.RouteTableDef()


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FaultIn(_In):
    token: str
    mode: Mode
    count: int = Field(default=1, ge=1)
    method: str = "sendMessage"
    seconds: float = 1.0
    retry_after: int = 1


class FileIn(_In):
    name: str = "file.pdf"
    mime: str = "application/pdf"
    size_bytes: int = Field(default=1024, ge=0)


class PersonIn(_In):
    chat_id: int = DEFAULT_CHAT_ID
    name: str | None = None
    username: str | None = None
    language: str | None = None


class SendIn(PersonIn):
    """Text alone, or one of the other contents with the text as its caption."""

    text: str = ""
    document: FileIn | None = None
    photo: FileIn | None = None
    contact: Literal["own"] | None = None
    edit: int | None = None
    block: bool | None = None


@routes.post("/control/faults")
async def add_fault(request: web.Request) -> web.Response:
    wanted = FaultIn.model_validate(await request.json())
    fault = Fault(**wanted.model_dump(exclude={"token"}))
    request.app[FAULTS].add(wanted.token, fault)
    return web.json_response({"ok": True})


@routes.delete(r"/control/{token:\d+:[^/]+}/faults")
async def clear_faults(request: web.Request) -> web.Response:
    request.app[FAULTS].clear(request.match_info["token"])
    return web.json_response({"ok": True})


@routes.post(r"/control/{token:\d+:[^/]+}/people")
async def add_person(request: web.Request) -> web.Response:
    person = _person(_bot(request), PersonIn.model_validate(await request.json()))
    return web.json_response({"chat_id": person.id})


@routes.post(r"/control/{token:\d+:[^/]+}/send")
async def send(request: web.Request) -> web.Response:
    bot, wanted = _bot(request), SendIn.model_validate(await request.json())
    person = _person(bot, wanted)
    if wanted.block is not None:
        update_id = prospects.set_blocked(bot, person, wanted.block)
        return web.json_response({"update_id": update_id, "chat_id": person.id})
    sent = _act(bot, person, wanted)
    if sent is None:
        raise web.HTTPNotFound(text="no such message")
    return web.json_response(asdict(sent))


@routes.post(r"/control/{token:\d+:[^/]+}/updates")
async def add_update(request: web.Request) -> web.Response:
    """Any update, also a broken one; it gets an id unless it brings one."""
    bot, raw = _bot(request), await request.json()
    bot.next_update_id += 1
    raw.setdefault("update_id", bot.next_update_id)
    bot.pending.append(raw)
    bot.changes.notify()
    return web.json_response({"update_id": raw["update_id"]})


@routes.get(r"/control/{token:\d+:[^/]+}/chats/{chat_id:\d+}")
async def show_chat(request: web.Request) -> web.Response:
    lines = _bot(request).lines.get(int(request.match_info["chat_id"]), [])
    return web.json_response({"messages": [asdict(line) for line in lines]})


@routes.get(r"/control/{token:\d+:[^/]+}")
async def show_bot(request: web.Request) -> web.Response:
    bot = _bot(request)
    seen: dict[str, Any] = {
        "calls": bot.calls,
        "pending": len(bot.pending),
        "webhook": asdict(bot.webhook) if bot.webhook else None,
        "people": [asdict(person) for person in bot.people.values()],
    }
    return web.json_response(seen)


def _bot(request: web.Request) -> Bot:
    bot = request.app[STORE].find_bot(request.match_info["token"])
    if bot is None:
        raise web.HTTPNotFound(text="not a token")
    return bot


def _person(bot: Bot, wanted: PersonIn) -> Person:
    person = bot.people.get(wanted.chat_id) or bot.add_person(
        Person(wanted.chat_id, f"Chat {wanted.chat_id}")
    )
    person.name = wanted.name if wanted.name is not None else person.name
    person.username = wanted.username if wanted.username is not None else person.username
    person.language = wanted.language if wanted.language is not None else person.language
    return person


def _act(bot: Bot, person: Person, wanted: SendIn) -> prospects.Sent | None:
    if wanted.edit is not None:
        return prospects.edit(bot, person, wanted.edit, wanted.text)
    if wanted.contact:
        return prospects.share_own_contact(bot, person)
    if wanted.photo:
        return prospects.send_file(bot, person, _described(wanted.photo), wanted.text, is_photo=True)
    if wanted.document:
        return prospects.send_file(bot, person, _described(wanted.document), wanted.text)
    return prospects.write(bot, person, wanted.text)


def _described(file: FileIn) -> StoredFile:
    return StoredFile(secrets.token_hex(12), file.name, file.mime, file.size_bytes)


@web.middleware
async def explain_mistakes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A malformed request says what is wrong with it."""
    try:
        return await handler(request)
    except ValidationError as err:
        raise web.HTTPUnprocessableEntity(text=str(err)) from err
