"""The HTTP side of the Bot API: parameters in any encoding, the JSON envelope, files, and faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from infra.peers.telegram.faults import Fault, Faults, Mode
from infra.peers.telegram.methods import METHODS, Params, Refusal
from infra.peers.telegram.state import Bot, Store, StoredFile

STORE = web.AppKey("store", Store)
FAULTS = web.AppKey("faults", Faults)
FOLDER = web.AppKey("folder", Path)
routes = web.RouteTableDef()
_BLOCK_BYTES = 64 * 1024
_REFUSALS = {
    Mode.ERROR_BEFORE: Refusal(500, "Internal Server Error"),
    Mode.UNAUTHORIZED: Refusal(401, "Unauthorized"),
    Mode.BLOCKED: Refusal(403, "Forbidden: bot was blocked by the user"),
    Mode.DEACTIVATED: Refusal(403, "Forbidden: user is deactivated"),
    Mode.CHAT_NOT_FOUND: Refusal(400, "Bad Request: chat not found"),
}


@routes.route("*", r"/bot{token:[^/]+}/{method:\w+}")
async def call_method(request: web.Request) -> web.StreamResponse:
    bot, method = _bot(request), request.match_info["method"]
    if bot is None:
        return _refused(Refusal(401, "Unauthorized"))
    params = await _read_params(request)
    bot.calls[method] += 1
    fault = request.app[FAULTS].take(bot.token, method)
    if fault is None:
        return await _perform(bot, method, params)
    return await _suffer(fault, request, bot, params)


@routes.get(r"/file/bot{token:[^/]+}/files/{file_id}")
async def download(request: web.Request) -> web.StreamResponse:
    bot = _bot(request)
    file = bot.files.get(request.match_info["file_id"]) if bot else None
    if bot is None or file is None:
        return _refused(Refusal(404, "Not Found"))
    fault = request.app[FAULTS].take(bot.token, "download")
    if fault is not None and fault.mode in _REFUSALS:
        return _refused(_REFUSALS[fault.mode])
    response = web.StreamResponse(headers={"Content-Type": file.mime, "Content-Length": str(file.size_bytes)})
    await response.prepare(request)
    async for block in read_file(file, request.app[FOLDER]):
        await response.write(block)
        if fault is not None:
            _cut(request)
            break
    return response


async def read_file(file: StoredFile, folder: Path) -> AsyncIterator[bytes]:
    """The content of a stored file in blocks; of one that is only described, zeros."""
    if file.path:
        yield await asyncio.to_thread((folder / file.path).read_bytes)
        return
    for start in range(0, file.size_bytes, _BLOCK_BYTES):
        yield bytes(min(_BLOCK_BYTES, file.size_bytes - start))


def _bot(request: web.Request) -> Bot | None:
    return request.app[STORE].find_bot(request.match_info["token"])


async def _read_params(request: web.Request) -> Params:
    content: Mapping[str, Any] = {}
    if request.content_type == "application/json":
        content = await request.json()
    elif request.can_read_body:
        content = await request.post()
    values = {key: value if isinstance(value, str) else json.dumps(value) for key, value in content.items()}
    return {**request.query, **values}


async def _perform(bot: Bot, method: str, params: Params) -> web.Response:
    function = METHODS.get(method.lower())
    if function is None:
        return _refused(Refusal(404, "Not Found: method not found"))
    try:
        return web.json_response({"ok": True, "result": await function(bot, params)})
    except Refusal as refusal:
        return _refused(refusal)


def _refused(refusal: Refusal) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": refusal.status, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return web.json_response(body, status=refusal.status)


async def _suffer(fault: Fault, request: web.Request, bot: Bot, params: Params) -> web.StreamResponse:
    method = request.match_info["method"]
    if fault.mode in _REFUSALS:
        return _refused(_REFUSALS[fault.mode])
    if fault.mode is Mode.LIMITED:
        text = f"Too Many Requests: retry after {fault.retry_after}"
        return _refused(Refusal(429, text, {"retry_after": fault.retry_after}))
    if fault.mode is Mode.DROP_BEFORE:
        return _cut(request)
    if fault.mode is Mode.SLOW:
        await asyncio.sleep(fault.seconds)
        return await _perform(bot, method, params)
    done = await _perform(bot, method, params)
    if fault.mode is Mode.HALF_REPLY:
        return _half(request, done)
    if fault.mode is Mode.GARBAGE:
        return web.Response(text="<html>upstream said something else</html>", content_type="text/html")
    if fault.mode is Mode.ERROR_AFTER:
        return _refused(_REFUSALS[Mode.ERROR_BEFORE])
    return _cut(request)


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer; what is returned has nowhere to go."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _half(request: web.Request, response: web.Response) -> web.Response:
    body = response.body if isinstance(response.body, bytes) else b""
    if request.transport is not None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        request.transport.write(head.encode() + body[: len(body) // 2])
        request.transport.close()
    return web.Response()
