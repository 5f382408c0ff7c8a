"""The process that holds the model of this machine and serves it in OpenAI's embeddings protocol.

Source: platform.openai.com/docs/api-reference/embeddings. As with any E5 server the caller writes the prefixes;
texts that begin as questions are answered before bulk work.
"""

import asyncio
import base64
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import telemetry
from core.settings import Settings
from memory.embeddings.base import QUERY, Vectors
from memory.embeddings.build import prepare
from memory.embeddings.local import NAME, LocalEmbedder, LocalModel

log = structlog.get_logger()

MAX_BODY_BYTES = 16 * 1024 * 1024
# Requests that may wait for bulk work; whoever comes later is told to try again.
MAX_WAITING = 64
_texts = Counter("getsale_embed_texts_total", "Texts embedded", ["kind"])
_tokens = Counter("getsale_embed_tokens_total", "Tokens embedded", ["kind"])
_seconds = Histogram("getsale_embed_seconds", "Duration of requests in seconds", ["kind"])

Text = Annotated[str, Field(min_length=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")

    input: Text | Annotated[list[Text], Field(min_length=1, max_length=2048)]
    model: str = NAME
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Literal[384] = 384

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


class EmbedServer:
    """The routes; answers 503 until the model is loaded."""

    def __init__(self) -> None:
        self.embedder: LocalEmbedder | None = None
        self._waiting = 0

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.add_routes(
            [
                web.post("/v1/embeddings", self._embeddings),
                web.get("/v1/models", self._models),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        return application

    async def _embeddings(self, request: web.Request) -> web.Response:
        try:
            wanted = _Request.model_validate_json(await request.read())
        except ValidationError as err:
            problem = err.errors(include_url=False, include_input=False)[0]
            return _refusal(400, f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}")
        if wanted.model != NAME:
            return _refusal(404, f"There is no model {wanted.model!r} here, only {NAME!r}.")
        if self.embedder is None:
            return _refusal(503, "The model is still being loaded; try again in a moment.")
        is_urgent = all(text.startswith(QUERY) for text in wanted.texts)
        if not is_urgent and self._waiting >= MAX_WAITING:
            return _refusal(429, "Too many texts are waiting; try again in a moment.")
        self._waiting += not is_urgent
        try:
            return await self._answer(self.embedder, wanted, is_urgent)
        finally:
            self._waiting -= not is_urgent

    async def _answer(self, embedder: LocalEmbedder, wanted: _Request, is_urgent: bool) -> web.Response:
        kind = "question" if is_urgent else "bulk"
        with _seconds.labels(kind).time():
            vectors, tokens = await embedder.embed(wanted.texts, is_urgent=is_urgent)
        _texts.labels(kind).inc(len(wanted.texts))
        _tokens.labels(kind).inc(tokens)
        rows = _encoded(vectors, wanted.encoding_format)
        return web.json_response(
            {
                "object": "list",
                "model": NAME,
                "data": [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )

    async def _models(self, _: web.Request) -> web.Response:
        listed = [{"id": NAME, "object": "model", "created": 0, "owned_by": "getsale"}]
        return web.json_response({"object": "list", "data": listed})

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "process": "embed"})

    async def _readyz(self, _: web.Request) -> web.Response:
        if self.embedder is None:
            return _refusal(503, "The model is still being loaded.")
        return web.json_response({"status": "ready", "process": "embed"})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _encoded(vectors: Vectors, encoding: str) -> list[str] | list[list[float]]:
    if encoding == "base64":
        return [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in vectors]
    return [[float(value) for value in vector] for vector in vectors]


def _refusal(status: int, message: str) -> web.Response:
    headers = {"Retry-After": "1"} if status in (429, 503) else None
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return web.json_response({"error": {"message": message, "type": kind}}, status=status, headers=headers)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[EmbedServer]:
    """Listen at once, on HOST and METRICS_PORT, and load the model meanwhile."""
    server = EmbedServer()
    runner = web.AppRunner(server.application(), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.metrics_port or 0).start()
        yield server
    finally:
        await runner.cleanup()
        if server.embedder is not None:
            await server.embedder.close()


def load(settings: Settings) -> LocalEmbedder:
    """The model of this machine, built if need be; blocks for a third of a second, or for five the first time."""
    folder = prepare(settings.embeddings_cache.expanduser(), all_scripts=settings.embeddings_all_scripts)
    return LocalEmbedder(LocalModel(folder))


async def main(settings: Settings) -> None:
    """Serve until SIGTERM."""
    telemetry.set_up(settings, "embed")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(settings) as server:
        server.embedder = await asyncio.to_thread(load, settings)
        log.info("embed.ready", model=NAME)
        await stop.wait()
