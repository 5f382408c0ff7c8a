"""The peer as one aiohttp application: the protocol under /v1, its strings under /control."""

import hashlib
import random
from collections import deque
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from infra.peers.openai import chat
from infra.peers.openai.chat import PEER
from infra.peers.openai.state import Fault, Peer, Turn, tokens

MODELS = ("peer-large", "peer-small")
_turns = TypeAdapter(list[Turn])
routes = web.RouteTableDef()


def create_app(*, key: str = "") -> web.Application:
    """Make the peer; it forgets everything when it ends."""
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app[PEER] = Peer(key)
    app.router.add_routes(routes)
    app.router.add_routes(chat.routes)
    return app


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@routes.get("/v1/models")
async def models(request: web.Request) -> web.Response:
    key = request.app[PEER].key
    if key and request.headers.get("Authorization") != f"Bearer {key}":
        return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "peer"} for name in MODELS]
    return web.json_response({"object": "list", "data": data})


@routes.post("/v1/embeddings")
async def embeddings(request: web.Request) -> web.Response:
    """Vectors that depend on the text alone, unit norm; they mean nothing."""
    body = await request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    size = int(body.get("dimensions") or 384)
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(text, size)} for n, text in enumerate(texts)
    ]
    used = sum(len(tokens(text)) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return web.json_response({"object": "list", "model": body["model"], "data": data, "usage": usage})


def _vector(text: str, size: int) -> list[float]:
    source = random.Random(hashlib.sha256(text.encode()).digest())
    values = [source.gauss(0, 1) for _ in range(size)]
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


@routes.post("/control/turns")
async def add_turns(request: web.Request) -> web.Response:
    """Answer with these next, in order, each once: a list of `value`, `text` or `tools`."""
    return await _add(request, request.app[PEER].turns, _turns)


@routes.post("/control/faults")
async def add_faults(request: web.Request) -> web.Response:
    """Let the next chat calls suffer these, in order."""
    return await _add(request, request.app[PEER].faults, TypeAdapter(list[Fault]))


async def _add(request: web.Request, waiting: deque[Any], kind: TypeAdapter[Any]) -> web.Response:
    try:
        waiting.extend(kind.validate_json(await request.read()))
    except ValidationError as err:
        return web.json_response({"error": err.errors(include_url=False)[0]["msg"]}, status=422)
    return web.json_response({"waiting": len(waiting)})


@routes.get("/control/usage")
async def usage(request: web.Request) -> web.Response:
    """What the peer itself counted."""
    return web.json_response(request.app[PEER].totals())


@routes.get("/control/requests")
async def requests(request: web.Request) -> web.Response:
    """The chat calls as they came in."""
    return web.json_response(request.app[PEER].requests)


@routes.delete("/control")
async def forget(request: web.Request) -> web.Response:
    request.app[PEER].forget()
    return web.json_response({"ok": True})
