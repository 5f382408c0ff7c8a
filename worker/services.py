"""What a worker process holds: built once at its start, handed to every handler."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx2
from redis.asyncio import Redis

from agents.llm.models import Models
from agents.replaying import Replayer
from agents.runtime import Runtime
from channels.base import Channel
from channels.registry import build as build_channels
from core import http
from core.addresses import tenant_reach
from core.blobs import Blobs
from core.db import Database
from core.pubsub import PubSub
from core.settings import Settings
from crm.runs.actions import QuietWindow
from evals.examiner import Examiner
from graph.active import ActiveGraph
from memory.embeddings.base import Embedder
from memory.embeddings.remote import connect as connect_embedder
from tools.dispatch import Dispatcher


@dataclass(frozen=True)
class Services:
    """The parts that handlers use; none of them knows a tenant by itself."""

    settings: Settings
    db: Database
    redis: Redis
    pubsub: PubSub
    channels: dict[str, Channel]
    blobs: Blobs
    graph: ActiveGraph
    embedder: Embedder
    dispatcher: Dispatcher
    runtime: Runtime
    replayer: Replayer
    examiner: Examiner
    webhook_client: httpx2.AsyncClient

    @property
    def rest(self) -> timedelta:
        """How long nothing is said before a conversation is read for what is worth remembering."""
        return timedelta(seconds=self.settings.rest_seconds)

    @property
    def quiet_window(self) -> QuietWindow:
        return QuietWindow(self.settings.quiet_seconds, self.settings.quiet_max_seconds)


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Services]:
    """Open everything a worker needs and close it in reverse order."""
    async with AsyncExitStack() as stack:
        db = await Database(settings.database_url_worker, size=settings.database_pool).open()
        stack.push_async_callback(db.close)
        redis = Redis.from_url(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        channels = build_channels(settings)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        graph = await stack.enter_async_context(ActiveGraph.open(settings, db))
        embedder = connect_embedder(settings)
        stack.push_async_callback(embedder.close)
        models = Models(settings)
        stack.push_async_callback(models.close)
        webhook_client = http.client(tenant_reach(settings), timeout_seconds=settings.webhook_timeout_seconds)
        stack.push_async_callback(webhook_client.aclose)
        dispatcher = Dispatcher(db, graph, embedder=embedder)
        yield Services(
            settings=settings,
            db=db,
            redis=redis,
            pubsub=PubSub(redis),
            channels=channels,
            blobs=Blobs(settings.data),
            graph=graph,
            embedder=embedder,
            webhook_client=webhook_client,
            dispatcher=dispatcher,
            runtime=Runtime(db, settings, dispatcher, models, PubSub(redis)),
            replayer=Replayer(db, settings, dispatcher, models),
            examiner=Examiner(db, settings, models, embedder=embedder),
        )
