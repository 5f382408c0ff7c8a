"""The composition root of the web process: services, middleware, error handlers, routers, pages."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from redis.asyncio import Redis

from api import document, errors, mcp, middleware, v1, webhooks, ws
from api.deps import Services
from api.headers import AnswerHeaders
from api.hub import Hub
from api.routes import health
from api.sightings import Sightings
from core import telemetry
from core.blobs import Blobs
from core.db import Database
from core.lockout import Lockout
from core.pubsub import PubSub
from core.ratelimit import RateLimiter
from core.settings import Settings
from core.settings import load as load_settings
from graph.active import ActiveGraph
from memory.embeddings.remote import connect as connect_embedder
from web.app import create_web


def create_app(settings: Settings | None = None) -> FastAPI:
    """The web application; its services open when it starts and close when it stops."""
    settings = settings or load_settings()
    telemetry.set_up(settings, "api")
    app = FastAPI(
        title="GetSale",
        version="0.1.0",
        lifespan=lambda app: _lifespan(app, settings),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    middleware.install(app)
    errors.install(app)
    app.include_router(health.router)
    app.include_router(webhooks.router)
    app.include_router(v1.router)
    app.include_router(v1.doors)
    app.include_router(ws.router)
    app.include_router(mcp.router)
    document.describe(app)
    create_web(app, settings)
    # the outermost, around the files that are mounted too
    app.add_middleware(AnswerHeaders, is_https=settings.is_https)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        db = await Database(settings.database_url, size=settings.database_pool).open()
        stack.push_async_callback(db.close)
        redis = Redis.from_url(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        pubsub = PubSub(redis)
        hub = await stack.enter_async_context(Hub(db, pubsub, settings).watching())
        graph = await stack.enter_async_context(ActiveGraph.open(settings, db))
        embedder = connect_embedder(settings)
        stack.push_async_callback(embedder.close)
        app.state.services = Services(
            settings=settings,
            db=db,
            redis=redis,
            pubsub=pubsub,
            blobs=Blobs(settings.data),
            graph=graph,
            embedder=embedder,
            limiter=RateLimiter(redis),
            lockout=Lockout(redis),
            hub=hub,
            sightings=Sightings(),
        )
        await stack.enter_async_context(mcp.serving(app))
        yield
