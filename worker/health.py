"""/healthz, /readyz and /metrics of the processes that are not web servers, and their signs of life."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import presence
from core.db import Database
from core.errors import Unavailable
from core.settings import Settings


@asynccontextmanager
async def serve(settings: Settings, process: str, db: Database, redis: Redis) -> AsyncIterator[None]:
    """Give signs of life while the block runs; serve HTTP when METRICS_PORT is set."""
    beating = asyncio.create_task(presence.beat(redis, process))
    runner = web.AppRunner(_application(process, db, redis), access_log=None)
    try:
        if settings.metrics_port is not None:
            await runner.setup()
            await web.TCPSite(runner, settings.host, settings.metrics_port).start()
        yield
    finally:
        beating.cancel()
        await runner.cleanup()


def _application(process: str, db: Database, redis: Redis) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "process": process})

    async def readyz(_: web.Request) -> web.Response:
        try:
            await db.require_migrated()
            await redis.ping()
        except Unavailable as err:
            return _problem("postgres", err.detail)
        except RedisError as err:
            return _problem("redis", f"Redis does not answer: {type(err).__name__}.")
        return web.json_response({"status": "ready", "process": process})

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
    )
    return application


def _problem(part: str, detail: str) -> web.Response:
    body = {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": detail,
        "part": part,
    }
    return web.json_response(body, status=503, content_type="application/problem+json")
